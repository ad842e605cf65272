# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fetcher says and leaves when something is wrong."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from llmfleet_lab.hub_store import grant

WEIGHTS = random.Random(2).randbytes(11_000_000)
FILES = {"config.json": b"{}", "model.safetensors": WEIGHTS}
REPOSITORY = "acme/small"


def test_gated_without_token(world: Any) -> None:
    world.repository(FILES, gated=True)
    result = world.run(token_secret="hub-token")
    assert result.code == 3 and result.summary["retryable"] is False
    assert "acme/small is gated" in result.output and "Secret hub-token" in result.output
    asked = [(each["path"], each["range"]) for each in world.requests()]
    assert len(asked) == len(set(asked)), "no retry"
    assert world.writes() == []


@pytest.mark.parametrize(("known", "granted", "code"), [(False, False, 3), (True, False, 3), (True, True, 0)])
def test_gated_with_token(world: Any, known: bool, granted: bool, code: int) -> None:
    world.repository(FILES, gated=True)
    token = "hf_" + 20 * "x"
    if known:
        grant(world.root, token, [REPOSITORY] if granted else [])
    result = world.run(environ={"HF_TOKEN": token + "\n"}, token_secret="hub-token")
    assert result.code == code, result.output
    if code:
        assert "repository acme/small" in result.output
        # Not known at all, or known and without access.
        refused = "has no access to it: its owner can be given access at " + world.hub + "/acme/small (HTTP 403"
        unknown = "the hub does not accept the token of the Secret hub-token: it is wrong, expired or revoked (HTTP 401"
        assert (refused if known else unknown) in result.output
        assert (unknown if known else refused) not in result.output
        asked = [(each["path"], each["range"]) for each in world.requests()]
        assert len(asked) == len(set(asked)), "no retry"
    assert token not in result.output and token not in world.hub_log.read_text()


def test_private_and_absent_repositories(world: Any) -> None:
    world.repository(FILES, private=True)
    for repository in (REPOSITORY, "acme/absent"):
        result = world.run(repository=repository)
        assert result.code == 3
        assert f"repository {repository} does not exist, or is private" in result.output


def test_a_private_repository_that_the_token_may_not_see(world: Any) -> None:
    world.repository(FILES, private=True)
    grant(world.root, token := "hf_" + 20 * "x", [])
    result = world.run(environ={"HF_TOKEN": token}, token_secret="hub-token")
    assert result.code == 4
    assert "does not exist, or the token of the Secret hub-token may not see it" in result.output


def test_absent_revision(world: Any) -> None:
    world.repository(FILES)
    result = world.run(revision=40 * "a")
    assert result.code == 4 and result.summary["retryable"] is False
    assert f"acme/small has no revision {40 * 'a'}" in result.output
    assert len(world.requests()) == 1


@pytest.mark.parametrize("path", ["config.json", "model.safetensors"])
def test_corrupt_content_never_becomes_an_object(world: Any, path: str) -> None:
    world.repository(FILES, corrupt={path: None})
    result = world.run()
    assert result.code == 5 and result.summary["retryable"] is False
    altered = bytearray(FILES[path])
    altered[len(altered) // 2] ^= 0xFF
    if path == "model.safetensors":
        expected, found = hashlib.sha256(WEIGHTS).hexdigest(), hashlib.sha256(altered).hexdigest()
    else:
        header = b"blob %d\0" % len(altered)
        expected = hashlib.sha1(header + FILES[path]).hexdigest()
        found = hashlib.sha1(header + altered).hexdigest()
    assert path in result.summary["error"] and expected in result.output and found in result.output
    assert path not in world.objects() and ".llmfleet/ledger.json" not in world.objects()
    assert world.uploads() == []


def test_content_that_is_corrupt_once_is_fetched_again(world: Any) -> None:
    world.repository(FILES, corrupt={"model.safetensors": 1})
    result = world.run()
    assert result.code == 0 and "fetching it once more" in result.output
    assert world.content("model.safetensors") == WEIGHTS
    assert world.uploads() == []


def test_file_that_is_shorter_than_the_listing_says(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmfleet_lab import hub_http

    honest = hub_http._model_info

    def lying(*arguments: Any) -> dict[str, Any]:
        info = honest(*arguments)
        for sibling in info["siblings"]:
            if sibling["rfilename"] == "model.safetensors":
                sibling["size"] = sibling["lfs"]["size"] = len(WEIGHTS) + 5
        return info

    monkeypatch.setattr(hub_http, "_model_info", lying)
    world.repository(FILES)
    result = world.run()
    assert result.code == 5 and result.summary["retryable"] is False
    assert f"model.safetensors: expected {len(WEIGHTS) + 5} bytes, the hub has {len(WEIGHTS)}" in result.output
    assert "model.safetensors" not in world.objects() and world.uploads() == []


def test_file_of_a_bucket_that_changes_while_it_is_read(world: Any) -> None:
    key, old, new = f"mirror/acme/small/{40 * 'd'}/model.safetensors", bytes(80_000_000), WEIGHTS
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=old)
    world.s3_lines.clear()
    source = {"source": f"s3://{world.bucket}/mirror", "revision": 40 * "d"}
    process = world.start(environ={"LLMFLEET_WEIGHTS_CONNECTIONS": "1"}, **source)
    while not [line for line in world.s3_lines if line.endswith("model.safetensors") and line.startswith("GET")]:
        assert process.poll() is None
        time.sleep(0.02)
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=new)
    begin = time.monotonic()
    result = world.finish(process)
    assert time.monotonic() - begin < 8, "what was listed will not come back"
    assert result.code == 75 and result.summary["retryable"] is True
    assert "it changed while it was read; another run reads what is there now" in result.output
    assert ".llmfleet/ledger.json" not in world.objects(40 * "d")
    result = world.run(**source)
    assert result.code == 0 and world.content("model.safetensors", 40 * "d") == new, result.output
    assert world.uploads() == []


def test_rate_limit_is_waited_for(world: Any) -> None:
    world.repository(FILES, rate_limit={"first": 2, "window_seconds": 60, "retry_after": 1})
    begin = time.monotonic()
    result = world.run()
    assert result.code == 0, result.output
    assert time.monotonic() - begin >= 2, "two answers asked for a second each"
    assert [each["status"] for each in world.requests()][:3] == [429, 429, 200]
    assert "limits our requests for acme/small" in result.output


@pytest.mark.parametrize("cdn", [False, True])
def test_budget_of_an_address_is_not_spent_to_its_end(make_world: Callable[..., Any], cdn: bool) -> None:
    world = make_world(cdn=cdn)
    files = {f"model-{at:02}.safetensors": b"x" * at for at in range(1, 21)}
    world.repository(files, budget={"requests": 10, "window_seconds": 3})
    result = world.run(environ={"LLMFLEET_WEIGHTS_PATIENCE_SECONDS": "1"})
    assert result.code == 0, result.output
    assert {path: world.content(path) for path in files} == files
    assert 429 not in {each["status"] for each in world.requests()}
    assert "more requests of our address through: holding back for" in result.output
    # Said once each time, and not by every connection.
    assert result.output.count("holding back") <= 6


def test_rate_limit_beyond_patience_ends_at_once_and_is_retryable(world: Any) -> None:
    world.repository(FILES, rate_limit={"first": 1000, "window_seconds": 60, "retry_after": 3600})
    begin = time.monotonic()
    result = world.run()
    assert result.code == 75 and result.summary["retryable"] is True
    assert time.monotonic() - begin < 6
    assert len(world.requests()) == 1, "asking again would only prolong the limit"


@pytest.mark.parametrize("faults", [{"times": 3, "status": 503}, {"times": 4, "reset_after": 700_000}])
def test_server_errors_and_resets_are_retried(world: Any, faults: dict[str, int]) -> None:
    world.repository(FILES, faults=faults)
    result = world.run()
    assert result.code == 0, result.output
    assert world.content("model.safetensors") == WEIGHTS
    sent = sum(each["bytes"] for each in world.requests() if each["path"].endswith("model.safetensors"))
    assert sent < 1.2 * len(WEIGHTS), "what had come before a reset is not asked for again"


def test_server_that_stays_broken_is_given_up(world: Any) -> None:
    world.repository(FILES, faults={"times": 1000, "status": 500})
    result = world.run(environ={"LLMFLEET_WEIGHTS_PATIENCE_SECONDS": "2"})
    assert result.code == 75 and "HTTP 500" in result.output
    assert ".llmfleet/ledger.json" not in world.objects() and world.uploads() == []


def test_expired_links_are_renewed(make_world: Callable[..., Any]) -> None:
    world = make_world(cdn=True)
    world.repository(FILES, link_seconds=0.3, bytes_per_second=10_000_000)
    result = world.run(environ={"LLMFLEET_WEIGHTS_CONNECTIONS": "1"})
    assert result.code == 0, result.output
    assert world.content("model.safetensors") == WEIGHTS
    assert 403 in [each["status"] for each in world.requests()], "a link did expire"
    assert "Signature" not in result.output


def test_hub_that_is_not_there(world: Any) -> None:
    result = world.run(environ={"LLMFLEET_WEIGHTS_PATIENCE_SECONDS": "1"}, hub_endpoint="http://127.0.0.1:9")
    assert result.code == 75 and "127.0.0.1:9" in result.output


def test_absent_bucket_and_absent_credentials(world: Any) -> None:
    world.repository(FILES)
    result = world.run(bucket="no-such-bucket-here")
    assert result.code == 2 and "no-such-bucket-here" in result.output
    result = world.run(environ={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
    assert result.code == 2 and "no AWS credentials" in result.output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "ftp://x"}, ["source", "'ftp://x'", "s3://bucket/prefix"]),
        ({"repository": "small"}, ["repository", "'small'", "owner/name"]),
        ({"files": "*.safetensors"}, ["files", "a list of globs"]),
        ({"ledger": "elsewhere.json"}, ["ledger", "'elsewhere.json'"]),
        ({"bucket": 7}, ["bucket", "7", "a string"]),
        ({"hub_endpoint": "hub"}, ["hub_endpoint", "'hub'"]),
        ({"colour": "red"}, ["colour", "unknown"]),
    ],
)
def test_bad_configuration_is_one_clear_error(world: Any, changes: dict[str, Any], words: list[str]) -> None:
    result = world.run(**changes)
    assert result.code == 2 and "Traceback" not in result.output
    for word in words:
        assert word in result.summary["error"]


def test_bad_settings(world: Any) -> None:
    result = world.run(environ={"LLMFLEET_WEIGHTS_CONNECTIONS": "many"})
    assert result.code == 2 and "LLMFLEET_WEIGHTS_CONNECTIONS: got 'many'" in result.output
    result = world.run(environ={"LLMFLEET_WEIGHTS": "{"})
    assert result.code == 2 and "not JSON" in result.output
    result = world.run(environ={"HF_TOKEN": "two words"})
    assert result.code == 2 and "HF_TOKEN" in result.output and "two words" not in result.output
    assert world.run("delete").code == 2


def test_summary_is_the_termination_message(world: Any) -> None:
    world.repository(FILES, gated=True)
    log = world.folder / "termination-log"
    log.write_text("something longer that was there before " * 50)
    result = world.run()
    assert json.loads(log.read_text()) == result.summary
    log.unlink()
    world.run()
    assert not log.exists(), "made by Kubernetes or not at all"


@pytest.mark.parametrize("path", ["../outside.safetensors", "/abs.safetensors", ".llmfleet/ledger.json"])
def test_listing_that_leaves_the_folder_is_refused(world: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmfleet_lab import hub_http

    honest = hub_http._model_info

    def lying(*arguments: Any) -> dict[str, Any]:
        info = honest(*arguments)
        info["siblings"].append({"rfilename": path, "size": 1, "blobId": 40 * "0"})
        return info

    monkeypatch.setattr(hub_http, "_model_info", lying)
    world.repository(FILES)
    result = world.run(files=["*"])
    assert result.code == 5 and path in result.output
    assert world.objects() == {}
