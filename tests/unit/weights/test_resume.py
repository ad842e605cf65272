# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed again and again, a fetch loses what was under way; what it goes on with is read before it counts."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMIT = "c0ffee" + 34 * "0"
PREFIX = f"models/small/{COMMIT}"
MB = 1_000_000
PART = 5 * 1024 * 1024
WEIGHTS = random.Random(11).randbytes(17 * MB)  # four parts of 5 MiB


@pytest.fixture(params=["moto", "versitygw"])
def world(request: pytest.FixtureRequest, make_world: Callable[..., Any]) -> Any:
    """A World with each of the S3 servers: what resumes stands on what they say of unfinished uploads."""
    return make_world(gateway=request.param == "versitygw")


def _write(folder: Path, sizes: dict[str, int]) -> dict[str, str]:
    """Files of random content; their hashes."""
    generator, found = random.Random(12), {}
    folder.mkdir(parents=True)
    for name, size in sizes.items():
        digest = hashlib.sha256()
        with (folder / name).open("wb") as stream:
            for start in range(0, size, MB):
                chunk = generator.randbytes(min(MB, size - start))
                stream.write(chunk)
                digest.update(chunk)
        found[name] = digest.hexdigest()
    return found


def _sent(world: Any) -> int:
    """Bytes of files that the hub has sent."""
    return sum(each["bytes"] for each in world.requests() if "/resolve/" in each["path"])


@pytest.mark.parametrize(
    ("files", "size", "kills", "connections"),
    [(3, 60 * MB, 3, 1), pytest.param(16, 128 * 1024 * 1024, 20, 2, marks=pytest.mark.full)],
)
def test_killed_at_random(world: Any, files: int, size: int, kills: int, connections: int) -> None:
    expected = _write(world.root / "acme/small" / COMMIT, {f"model-{at}.safetensors": size for at in range(files)})
    world.repository({"config.json": b"{}"}, bytes_per_second=40 * MB)
    total = files * size
    environ = {"LLMFLEET_WEIGHTS_CONNECTIONS": str(connections), "LLMFLEET_WEIGHTS_PATIENCE_SECONDS": "60"}
    chance = random.Random()
    moments = sorted(chance.uniform(0, 0.95 * total) for _number in range(kills))
    for moment in moments:
        process = world.start(environ=environ)
        deadline = time.monotonic() + 300
        while _sent(world) < moment:
            assert process.poll() is None and time.monotonic() < deadline, (world.folder / "output").read_text()
            time.sleep(0.05)
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        assert world.finish(process).code == -signal.SIGKILL, moments
        assert ".llmfleet/ledger.json" not in world.objects(), "nothing is published that is not complete"
    result = world.run(environ=environ)
    assert result.code == 0, result.output
    assert _sent(world) <= 1.1 * total, f"{_sent(world) / total:.3f} of the repository, killed at {moments}"
    ledger = {file["path"]: file["sha256"] for file in world.ledger()["files"]}
    assert ledger == expected | {"config.json": hashlib.sha256(b"{}").hexdigest()}
    assert world.objects().keys() == expected.keys() | {"config.json", ".llmfleet/ledger.json"}
    assert world.uploads() == []
    verified = world.run("verify")
    assert verified.code == 0, verified.output


def _left_half_way(world: Any, **changes: Any) -> None:
    """What a killed run leaves: the first two parts of four, and the note. changes: of the note."""
    world.repository({"config.json": b"{}", "model.safetensors": WEIGHTS})
    identity, key = f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}", f"{PREFIX}/model.safetensors"
    metadata = {"llmfleet-identity": identity, "sha256": identity.removeprefix("sha256:")}
    # Parts without the checksums that the upload is to have make no object.
    with_checksums = {"ChecksumAlgorithm": "CRC32"} if changes.pop("checksums", True) else {}
    begun = world.s3.create_multipart_upload(Bucket=world.bucket, Key=key, Metadata=metadata, **with_checksums)
    upload = begun["UploadId"]
    content = changes.pop("content", WEIGHTS)
    for number in changes.pop("parts", (1, 2)):
        body = content[(number - 1) * PART : number * PART]
        where = {"Bucket": world.bucket, "Key": key, "UploadId": upload, "PartNumber": number}
        world.s3.upload_part(**where, Body=body, **with_checksums)
    note = {"path": "model.safetensors", "identity": identity, "part_size": PART, "upload": upload, **changes}
    name = hashlib.sha256(b"model.safetensors").hexdigest()[:32]
    world.s3.put_object(Bucket=world.bucket, Key=f"{PREFIX}/.llmfleet/uploads/{name}", Body=json.dumps(note).encode())
    world.forget()


def _is_right(world: Any, result: Any) -> None:
    assert result.code == 0, result.output
    assert world.content("model.safetensors") == WEIGHTS
    assert world.objects().keys() == {"config.json", "model.safetensors", ".llmfleet/ledger.json"}
    assert world.uploads() == []


@pytest.mark.parametrize("parts", [(1, 2), (2, 4), (1, 2, 3, 4)])
def test_only_what_is_missing_is_fetched(world: Any, parts: tuple[int, ...]) -> None:
    _left_half_way(world, parts=parts)
    result = world.run()
    _is_right(world, result)
    asked = [each["range"] for each in world.requests() if each["path"].endswith("model.safetensors")]
    # Of an upload that lacks nothing one part is sent again, by which it is completed.
    wanted = {1, 2, 3, 4} - set(parts) or {4}
    assert len(asked) == len(wanted)
    assert "an earlier run has uploaded a part of it, so it is read again" in result.output


def test_other_content_in_what_was_left_is_found_and_fetched_again(world: Any) -> None:
    _left_half_way(world, content=bytes(17 * MB))
    result = world.run()
    _is_right(world, result)
    assert "model.safetensors: expected sha256" in result.output and "fetching it once more" in result.output


def test_what_makes_no_object_is_fetched_again(make_world: Callable[..., Any]) -> None:
    world = make_world(gateway=True)
    _left_half_way(world, checksums=False)
    result = world.run()
    _is_right(world, result)
    assert (
        "model.safetensors: S3 makes nothing of what was uploaded: InvalidPart; fetching it once more" in result.output
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"identity": "sha256:other"},
        {"part_size": 6 * 1024 * 1024},
        {"upload": "gone"},
        {"path": "x"},
        {"part_size": "?"},
    ],
)
def test_what_does_not_fit_is_dropped(world: Any, changes: dict[str, Any]) -> None:
    _left_half_way(world, **changes)
    result = world.run()
    _is_right(world, result)
    assert sum(each["bytes"] for each in world.requests() if each["path"].endswith("model.safetensors")) == len(WEIGHTS)


@pytest.mark.parametrize("ledger", [False, True])
@pytest.mark.parametrize("good", [True, False])
def test_an_object_that_nobody_vouched_for_is_read_first(world: Any, good: bool, ledger: bool) -> None:
    if ledger:
        world.repository({"config.json": b"{}", "model.safetensors": WEIGHTS})
        assert world.run().code == 0
        world.s3.delete_object(Bucket=world.bucket, Key=f"{PREFIX}/model.safetensors")
    # A run that was killed between completing an upload and reading what came of it.
    _left_half_way(world, content=WEIGHTS if good else bytes(17 * MB), parts=(1, 2, 3, 4))
    (upload,) = world.s3.list_multipart_uploads(Bucket=world.bucket)["Uploads"]
    where = {"Bucket": world.bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
    keep = ("PartNumber", "ETag", "ChecksumCRC32")
    parts = [{key: p[key] for key in keep if key in p} for p in world.s3.list_parts(**where)["Parts"]]
    world.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    world.forget()
    result = world.run()
    _is_right(world, result)
    fetched = [each for each in world.requests() if each["path"].endswith("model.safetensors")]
    assert bool(fetched) is not good


def test_what_cannot_succeed_leaves_nothing_to_go_on_with(world: Any) -> None:
    _left_half_way(world)
    world.options(gated=True)
    assert world.run().code == 3
    assert world.uploads() == [] and not world.objects()
