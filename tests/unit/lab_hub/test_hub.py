# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub look-alike as the real huggingface_hub client and plain HTTP see it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from llmfleet_lab.errors import LabError
from llmfleet_lab.hub import main, serve
from llmfleet_lab.hub_store import grant

COMMIT = 40 * "a"
REPOSITORY = "acme/small"
WEIGHTS = bytes(range(256)) * 40
FILES = {"config.json": b'{"a": 1}', "model.safetensors": WEIGHTS, "sub/tokenizer.json": b"{}"}


@dataclass
class Hub:
    """A served folder with one repository."""

    url: str
    root: Path
    log: Path

    def options(self, **options: Any) -> None:
        """Set how the repository behaves."""
        (self.root / REPOSITORY / "options.json").write_text(json.dumps(options))

    def get(self, path: str, **headers: str) -> HTTPResponse:
        """GET; HTTPError when the status is not 2xx."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        response: HTTPResponse = opener.open(urllib.request.Request(self.url + path, headers=named))
        return response

    def resolve(self, path: str = "model.safetensors", **headers: str) -> HTTPResponse:
        """GET one file of the commit."""
        return self.get(f"/{REPOSITORY}/resolve/{COMMIT}/{path}", **headers)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one repository, branch main."""
    for path, content in FILES.items():
        file = tmp_path / "hub" / REPOSITORY / COMMIT / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (tmp_path / "hub" / REPOSITORY / "refs").mkdir()
    (tmp_path / "hub" / REPOSITORY / "refs" / "main").write_text(COMMIT + "\n")
    return tmp_path / "hub"


@pytest.fixture(params=[False, True], ids=["direct", "cdn"])
def hub(root: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The folder served, answering files itself and through a CDN."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    cdn = ("127.0.0.1", 0) if request.param else None
    with serve(root, ("127.0.0.1", 0), tmp_path / "log", cdn) as url:
        yield Hub(url, root, tmp_path / "log")


def _refusal(call: Callable[[], Any]) -> urllib.error.HTTPError:
    with pytest.raises(urllib.error.HTTPError) as caught:
        call()
    return caught.value


def test_client_downloads_a_snapshot(hub: Hub, tmp_path: Path) -> None:
    folder = Path(snapshot_download(REPOSITORY, endpoint=hub.url, cache_dir=tmp_path / "cache", token=False))
    assert {path: (folder / path).read_bytes() for path in FILES} == FILES
    assert folder.name == COMMIT
    blobs = {path.name for path in (tmp_path / "cache" / "models--acme--small" / "blobs").iterdir()}
    assert hashlib.sha256(WEIGHTS).hexdigest() in blobs, "the client took the ETag of LFS content"


def test_client_reads_model_info(hub: Hub) -> None:
    info = HfApi(hub.url, token=False).model_info(REPOSITORY, revision="main", files_metadata=True)
    assert info.sha == COMMIT and info.siblings is not None
    siblings = {each.rfilename: each for each in info.siblings}
    assert siblings.keys() == FILES.keys()
    lfs = siblings["model.safetensors"].lfs
    assert lfs is not None and (lfs.sha256, lfs.size) == (hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS))
    config = siblings["config.json"]
    git = subprocess.run(["git", "hash-object", "--stdin"], input=FILES["config.json"], capture_output=True, check=True)
    assert (config.size, config.blob_id, config.lfs) == (8, git.stdout.decode().strip(), None)
    assert HfApi(hub.url, token=False).list_repo_refs(REPOSITORY).branches[0].target_commit == COMMIT
    assert HfApi(hub.url, token=False).get_paths_info(REPOSITORY, ["config.json"])[0].path == "config.json"


def test_client_understands_what_is_not_there(hub: Hub, tmp_path: Path) -> None:
    api = HfApi(hub.url, token=False)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("acme/absent")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(REPOSITORY, revision=40 * "b")
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download(REPOSITORY, "absent.json", endpoint=hub.url, cache_dir=tmp_path, token=False)


def test_gated_repository(hub: Hub, tmp_path: Path) -> None:
    hub.options(gated=True)
    grant(hub.root, "hf_granted", [REPOSITORY])
    grant(hub.root, "hf_other", [])

    def download(token: str | bool) -> str:
        return hf_hub_download(REPOSITORY, "config.json", endpoint=hub.url, cache_dir=tmp_path / "c", token=token)

    for token, status in ((False, 401), ("hf_other", 403)):
        with pytest.raises(GatedRepoError) as caught:
            download(token)
        assert caught.value.response.status_code == status
    with pytest.raises(HfHubHTTPError) as unknown:
        download("hf_unknown")
    assert unknown.value.response.status_code == 401 and not isinstance(unknown.value, GatedRepoError)
    assert Path(download("hf_granted")).read_bytes() == FILES["config.json"]
    assert HfApi(hub.url, token=False).model_info(REPOSITORY).gated == "manual", "its card is public"
    tokens = hub.root / "tokens.json"
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
    for token in ("hf_granted", "hf_other", "hf_unknown"):
        assert token not in hub.log.read_text() and token not in tokens.read_text()


def test_private_repository(hub: Hub) -> None:
    hub.options(private=True)
    grant(hub.root, "hf_granted", [REPOSITORY])
    grant(hub.root, "hf_other", [])
    for token in (False, "hf_other"):
        with pytest.raises(RepositoryNotFoundError):
            HfApi(hub.url, token=token).model_info(REPOSITORY)
    assert HfApi(hub.url, token="hf_granted").model_info(REPOSITORY).private is True


@pytest.mark.parametrize(
    ("asked", "expected"), [("bytes=0-9", (0, 10)), ("bytes=10230-", (10230, 10240)), ("bytes=-5", (10235, 10240))]
)
def test_ranges(hub: Hub, asked: str, expected: tuple[int, int]) -> None:
    response = hub.resolve(Range=asked)
    start, end = expected
    assert response.status == 206 and response.read() == WEIGHTS[start:end]
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(WEIGHTS)}"


def test_range_beyond_the_end(hub: Hub) -> None:
    error = _refusal(lambda: hub.resolve(Range="bytes=10240-"))
    assert error.code == 416 and error.headers["Content-Range"] == "bytes */10240"


def test_rate_limit_refuses_the_first_requests_of_a_window(hub: Hub) -> None:
    hub.options(rate_limit={"first": 2, "window_seconds": 0.5, "retry_after": 7})
    for _ in range(2):
        error = _refusal(lambda: hub.get(f"/api/models/{REPOSITORY}"))
        assert (error.code, error.headers["Retry-After"]) == (429, "7")
    assert hub.get(f"/api/models/{REPOSITORY}").status == 200


def test_a_budget_is_told_with_each_file_and_then_refused(hub: Hub) -> None:
    hub.options(budget={"requests": 2, "window_seconds": 60})
    assert hub.get(f"/api/models/{REPOSITORY}").headers["RateLimit"] is None
    assert [hub.resolve("config.json").headers["RateLimit"][:16] for _ in range(2)] == [
        '"resolvers";r=1;',
        '"resolvers";r=0;',
    ]
    error = _refusal(hub.resolve)
    assert error.code == 429 and error.headers["RateLimit"].startswith('"resolvers";r=0;t=')


def test_the_licence_is_in_card_and_tags(hub: Hub) -> None:
    hub.options(license="apache-2.0")
    info = HfApi(endpoint=hub.url).model_info(REPOSITORY)
    assert info.card_data is not None and info.card_data["license"] == "apache-2.0"
    assert info.tags == ["license:apache-2.0"]


def test_corrupt_content_differs_from_what_is_advertised(hub: Hub) -> None:
    hub.options(corrupt={"model.safetensors": 1})
    first, second = hub.resolve().read(), hub.resolve().read()
    assert len(first) == len(WEIGHTS) and first != WEIGHTS, "altered once"
    assert second == WEIGHTS
    info = json.load(hub.get(f"/api/models/{REPOSITORY}?blobs=true"))
    assert info["siblings"][1]["lfs"]["sha256"] == hashlib.sha256(WEIGHTS).hexdigest()


def test_faults(hub: Hub) -> None:
    hub.options(faults={"times": 1, "status": 503})
    assert _refusal(hub.resolve).code == 503
    assert hub.resolve().read() == WEIGHTS


def test_log_is_json_lines(hub: Hub) -> None:
    hub.resolve("config.json", Range="bytes=0-3", User_Agent="me").read()
    entry = json.loads(hub.log.read_text().splitlines()[-1])
    assert entry["path"] == f"/{REPOSITORY}/resolve/{COMMIT}/config.json"
    assert (entry["method"], entry["status"], entry["range"], entry["bytes"]) == ("GET", 206, "bytes=0-3", 4)
    assert (entry["authorization"], entry["user_agent"], entry["client"]) == ("none", "me", "127.0.0.1")


@pytest.mark.parametrize("path", ["../options.json", "..%2Foptions.json", "sub/../../refs/main"])
def test_files_outside_the_commit_are_not_served(hub: Hub, path: str) -> None:
    hub.options(gated=False)
    assert _refusal(lambda: hub.resolve(path)).code == 404


def test_links_of_the_cdn_are_signed_and_refuse_tokens(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(root, ("127.0.0.1", 0), None, ("127.0.0.1", 0)) as url:
        hub = Hub(url, root, root)
        link = hub.resolve().url
        assert not link.startswith(url) and "Signature=" in link
        direct = Hub(link, root, root)
        assert direct.get("").read() == WEIGHTS
        assert _refusal(lambda: direct.get("", Authorization="Bearer x")).code == 400
        assert _refusal(lambda: Hub(link.replace("model", "other"), root, root).get("")).code == 403
        hub.options(link_seconds=-1)
        assert _refusal(hub.resolve).code == 403


def test_unknown_option_is_named(root: Path) -> None:
    from llmfleet_lab.hub_store import Options

    (root / "options").write_text('{"gatted": true}')
    with pytest.raises(LabError, match="gatted"):
        Options.read(root / "options")


def test_command_serves_until_terminated(root: Path, tmp_path: Path) -> None:
    lab = Path(__file__).resolve().parents[3] / "lab"
    command = [sys.executable, "-m", "llmfleet_lab.hub", "--listen", "127.0.0.1:0", "--root", str(root)]
    process = subprocess.Popen(
        [*command, "--log", str(tmp_path / "log")],
        env=os.environ | {"PYTHONPATH": str(lab)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().split(" at ")[1].split()[0]
    assert Hub(url, root, root).get("/healthz").status == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_command_says_why_it_cannot_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--listen", "127.0.0.1:0", "--root", str(tmp_path / "absent")]) == 1
    assert "absent does not exist" in capsys.readouterr().err
