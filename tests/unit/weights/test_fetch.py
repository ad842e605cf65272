# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fetch brings into the bucket, and what it does not do again."""

from __future__ import annotations

import hashlib
import http.server
import json
import random
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from llmfleet_lab.hub_store import grant

COMMIT = "c0ffee" + 34 * "0"
OTHER = "decade" + 34 * "1"
WEIGHTS = random.Random(1).randbytes(12_000_000)  # three parts of 5 MiB
FILES = {
    "config.json": b'{"model_type": "llama"}',
    "tokenizer.json": b"{}",
    "model.safetensors": WEIGHTS,
    "adapters/x/adapter_model.safetensors": b"lora",
    "empty.safetensors": b"",
    "README.md": b"# small",
    "pytorch_model.bin": b"pickle",
    "original/consolidated.00.pth": b"pickle",
}
WANTED = {"config.json", "tokenizer.json", "model.safetensors", "adapters/x/adapter_model.safetensors"}
WANTED |= {"empty.safetensors"}


def test_brings_every_wanted_file_and_publishes_last(world: Any) -> None:
    world.repository(FILES)
    result = world.run()
    assert result.code == 0, result.output
    assert world.objects().keys() == WANTED | {".llmfleet/ledger.json"}
    for path in WANTED:
        assert world.content(path) == FILES[path]
    ledger = world.ledger()
    assert {file["path"]: (file["size"], file["sha256"]) for file in ledger["files"]} == {
        path: (len(FILES[path]), hashlib.sha256(FILES[path]).hexdigest()) for path in WANTED
    }
    assert ledger["total_bytes"] == sum(len(FILES[path]) for path in WANTED)
    assert (ledger["version"], ledger["model"], ledger["repository"]) == (1, "small", "acme/small")
    assert (ledger["commit"], ledger["requested_revision"]) == (COMMIT, COMMIT)
    writes = world.writes()
    assert writes[-1].startswith("PUT ") and writes[-1].endswith("/.llmfleet/ledger.json")
    assert sum("ledger.json" in write for write in writes) == 1
    assert world.uploads() == []
    assert result.summary["status"] == "fetched" and result.summary["fetched_files"] == len(WANTED)


def test_large_files_come_by_ranges(world: Any) -> None:
    world.repository(FILES)
    assert world.run().code == 0
    ranges = [each["range"] for each in world.requests() if each["path"].endswith("/model.safetensors")]
    part = 5 * 1024 * 1024
    assert sorted(ranges) == [
        f"bytes=0-{part - 1}",
        f"bytes={2 * part}-{len(WEIGHTS) - 1}",
        f"bytes={part}-{2 * part - 1}",
    ]


def test_second_run_writes_nothing_and_asks_the_hub_nothing(world: Any) -> None:
    world.repository(FILES)
    assert world.run().code == 0
    world.forget()
    result = world.run()
    assert result.code == 0 and result.summary["status"] == "present"
    assert world.writes() == []
    assert world.requests() == []
    assert any(line.startswith("GET ") for line in world.s3_lines), "the log sees requests"


def test_lost_or_cut_object_is_fetched_again_alone(world: Any) -> None:
    world.repository(FILES)
    assert world.run().code == 0
    world.s3.put_object(Bucket=world.bucket, Key=f"models/small/{COMMIT}/tokenizer.json", Body=b"{")
    world.forget()
    result = world.run()
    assert result.code == 0 and result.summary["fetched_files"] == 1
    assert world.content("tokenizer.json") == b"{}"
    resolved = [each["path"] for each in world.requests() if "/resolve/" in each["path"]]
    assert [path.rsplit("/", 1)[1] for path in resolved] == ["tokenizer.json"]


def test_object_of_same_size_but_other_content_is_not_taken_for_ours(world: Any) -> None:
    world.repository(FILES)
    world.s3.put_object(Bucket=world.bucket, Key=f"models/small/{COMMIT}/tokenizer.json", Body=b"[]")
    assert world.run().code == 0
    assert world.content("tokenizer.json") == b"{}"


def test_pickle_comes_only_when_named(world: Any) -> None:
    world.repository(FILES)
    assert world.run(files=["*"]).code == 0
    assert not {path for path in world.objects() if path.endswith((".bin", ".pth"))}
    assert "README.md" in world.objects()
    assert world.run(files=["config.json", "pytorch_model*.bin"]).code == 0
    assert world.content("pytorch_model.bin") == b"pickle"


def test_repository_with_pickle_only_is_refused(world: Any) -> None:
    world.repository({"config.json": b"{}", "pytorch_model.bin": b"pickle"})
    result = world.run()
    assert result.code == 4
    assert "no safetensors file" in result.output and "pytorch_model.bin" in result.output
    assert world.writes() == []


def test_weights_that_are_there_twice_come_once(world: Any) -> None:
    world.repository({"config.json": b"{}", "model.safetensors": b"a", "consolidated.safetensors": b"b"})
    assert world.run().code == 0
    assert "consolidated.safetensors" not in world.objects()


def test_narrower_globs_remove_what_a_fetch_wrote_and_nothing_else(world: Any) -> None:
    world.repository(FILES)
    assert world.run().code == 0
    world.s3.put_object(Bucket=world.bucket, Key=f"models/small/{COMMIT}/notes.txt", Body=b"mine")
    result = world.run(files=["config.json", "model.safetensors"])
    assert result.code == 0 and result.summary["fetched_files"] == 0
    assert world.objects().keys() == {"config.json", "model.safetensors", "notes.txt", ".llmfleet/ledger.json"}
    assert {file["path"] for file in world.ledger()["files"]} == {"config.json", "model.safetensors"}


def test_moving_revision_is_published_with_its_commit_and_stays_there(world: Any) -> None:
    world.repository({"config.json": b"{}", "model.safetensors": b"first"})
    assert world.run(revision="main").code == 0
    assert (world.ledger("main")["commit"], world.ledger("main")["requested_revision"]) == (COMMIT, "main")
    world.repository({"config.json": b"{}", "model.safetensors": b"other"}, commit=OTHER)
    assert world.run(revision="main").summary["status"] == "present"
    world.s3.delete_object(Bucket=world.bucket, Key="models/small/main/model.safetensors")
    assert world.run(revision="main").code == 0
    assert world.content("model.safetensors", "main") == b"first"
    assert world.ledger("main")["commit"] == COMMIT


def test_branch_that_moves_during_a_fetch_gives_the_commit_that_was_listed(world: Any) -> None:
    first, other = random.Random(2).randbytes(20_000_000), random.Random(3).randbytes(20_000_000)
    world.repository({"config.json": b"{}", "model.safetensors": first}, bytes_per_second=8_000_000)
    process = world.start(revision="main", environ={"LLMFLEET_WEIGHTS_CONNECTIONS": "1"})
    while not [each for each in world.requests() if each["path"].endswith("config.json")]:
        assert process.poll() is None
        time.sleep(0.02)
    world.repository({"config.json": b"[]", "model.safetensors": other}, commit=OTHER)
    result = world.finish(process)
    assert result.code == 0, result.output
    assert world.content("model.safetensors", "main") == first and world.content("config.json", "main") == b"{}"
    assert world.ledger("main")["commit"] == COMMIT


@pytest.mark.parametrize(("gated", "license"), [(True, "llama3.1"), (False, None)])
def test_licence_and_gate_are_in_the_ledger(world: Any, gated: bool, license: str | None) -> None:
    world.repository(FILES, gated=gated, license=license)
    grant(world.root, token := "hf_" + 20 * "x", ["acme/small"])
    result = world.run(environ={"HF_TOKEN": token}, token_secret="hub-token")
    assert result.code == 0, result.output
    assert world.ledger()["gated"] == ("manual" if gated else False)
    assert world.ledger()["license"] == license


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Passes on to the hub what is asked of any host."""

    hub = ""
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        passed = {name: value for name, value in self.headers.items() if name.lower() in ("range", "user-agent")}
        request = urllib.request.Request(self.hub + "/" + self.path.split("/", 3)[3], headers=passed)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            data = answer.read()
            self.send_response(answer.status)
            for name in ("Content-Range", "Content-Type"):
                if answer.headers.get(name):
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_the_hub_is_asked_through_a_proxy_and_the_bucket_is_not(world: Any) -> None:
    world.repository(FILES)
    _Proxy.hub, server = world.hub, http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        # A host that only the proxy can reach.
        proxy = {"HTTP_PROXY": f"http://127.0.0.1:{server.server_port}", "NO_PROXY": "127.0.0.1"}
        result = world.run(environ=proxy, hub_endpoint="http://hub.invalid")
    finally:
        server.shutdown()
        server.server_close()
    assert result.code == 0, result.output
    assert world.content("model.safetensors") == WEIGHTS
    assert _Proxy.asked and all(path.startswith("http://hub.invalid/") for path in _Proxy.asked)


def test_branch_that_moved_before_it_was_published_leaves_no_mixture(world: Any) -> None:
    world.repository({"config.json": b"{}", "model-1.safetensors": b"first", "model-2.safetensors": b"first"})
    assert world.run(revision="main").code == 0
    world.s3.delete_object(Bucket=world.bucket, Key="models/small/main/.llmfleet/ledger.json")
    world.repository({"config.json": b"{}", "model-1.safetensors": b"other"}, commit=OTHER)
    assert world.run(revision="main").code == 0
    assert world.objects("main").keys() == {"config.json", "model-1.safetensors", ".llmfleet/ledger.json"}
    assert world.content("model-1.safetensors", "main") == b"other"
    assert world.ledger("main")["commit"] == OTHER


def test_ledger_of_another_repository_is_no_proof(world: Any) -> None:
    world.repository(FILES)
    world.repository(FILES | {"model.safetensors": b"other"}, name="acme/other")
    assert world.run().code == 0
    assert world.run(repository="acme/other").code == 0
    assert world.content("model.safetensors") == b"other"
    assert world.ledger()["repository"] == "acme/other"


def test_link_of_another_host_is_followed_without_the_token(make_world: Callable[..., Any]) -> None:
    world = make_world(cdn=True)
    world.repository(FILES)
    (world.root / "tokens.json").write_text(json.dumps({hashlib.sha256(b"hf_secret").hexdigest(): []}))
    result = world.run(environ={"HF_TOKEN": "hf_secret"})
    assert result.code == 0, result.output
    assert world.content("model.safetensors") == WEIGHTS
    linked = [each for each in world.requests() if each["path"].startswith("/repos/")]
    assert linked and {each["authorization"] for each in linked} == {"none"}
    asked = [each for each in world.requests() if "/resolve/" in each["path"]]
    assert asked and {each["authorization"] for each in asked} == {"known"}


@pytest.mark.parametrize("layout", ["{name}/{commit}", "models--acme--small/snapshots/{commit}"])
def test_folder_is_a_source(world: Any, layout: str) -> None:
    base = world.folder / "mirror" / layout.format(name="acme/small", commit=COMMIT)
    base.mkdir(parents=True)
    blobs = world.folder / "blobs"
    blobs.mkdir()
    for path in ("config.json", "model.safetensors"):
        blob = blobs / hashlib.sha256(FILES[path]).hexdigest()  # as the cache of huggingface_hub has it
        blob.write_bytes(FILES[path])
        (base / path).symlink_to(blob)
    result = world.run(source=str(world.folder / "mirror"))
    assert result.code == 0, result.output
    assert world.content("model.safetensors") == WEIGHTS
    assert world.ledger()["source"] == str(world.folder / "mirror")
    assert world.requests() == []


def test_bucket_is_a_source_and_an_interrupted_copy_is_not_repeated(world: Any) -> None:
    world.s3.put_object(Bucket=world.bucket, Key="mirror/acme/small/refs/main", Body=COMMIT.encode())
    for path in ("config.json", "model.safetensors"):
        world.s3.put_object(Bucket=world.bucket, Key=f"mirror/acme/small/{COMMIT}/{path}", Body=FILES[path])
    source = f"s3://{world.bucket}/mirror"
    result = world.run(source=source, revision="main")
    assert result.code == 0, result.output
    first = world.ledger("main")
    assert world.content("model.safetensors", "main") == WEIGHTS and first["commit"] == COMMIT
    world.s3.delete_object(Bucket=world.bucket, Key="models/small/main/.llmfleet/ledger.json")
    world.forget()
    result = world.run(source=source, revision="main")
    assert result.summary["fetched_files"] == 0
    assert [write.split("/")[-1] for write in world.writes()] == ["ledger.json"]
    # The hash of a file of several parts was not known when its upload began: it is read back.
    assert world.ledger("main")["files"] == first["files"]


def test_source_without_the_revision_says_where_it_looked(world: Any) -> None:
    (world.folder / "mirror").mkdir()
    result = world.run(source=str(world.folder / "mirror"))
    assert result.code == 4 and "models--acme--small/snapshots" in result.output


def test_the_folder_of_compiled_code_is_there_to_be_mounted(world: Any) -> None:
    world.repository({"model.safetensors": b"weights"})
    for status in ("fetched", "present"):
        world.forget()
        result = world.run(cache="models/.cache/small/")
        assert result.code == 0 and result.summary["status"] == status, result.output
        assert "/models/.cache/small/.keep" in world.writes()[0]
    # It is no part of the revision.
    assert world.objects().keys() == {"model.safetensors", ".llmfleet/ledger.json"}


def test_no_folder_of_compiled_code_is_no_failure(world: Any) -> None:
    world.repository({"model.safetensors": b"weights"})
    # Longer than a request may be.
    result = world.run(cache="x" * 70000)
    assert result.code == 0 and "without a folder for compiled code: S3 refuses to put" in result.output
    assert world.ledger()["files"]
