# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at any point, the next run converges; a large file needs little memory."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from typing import Any

SMALL = random.Random(3).randbytes(6_000_000)
LARGE = random.Random(4).randbytes(30_000_000)
FILES = {"config.json": b"{}", "a.safetensors": SMALL, "b.safetensors": LARGE}
MIB = 1024 * 1024


def _start_and_wait_for_the_middle(world: Any) -> Any:
    """A fetch of which config.json and a.safetensors are finished and b.safetensors is under way."""
    # Slow enough that the middle of the large file lasts longer than a busy machine takes to notice it.
    world.repository(FILES, bytes_per_second=1_500_000)
    process = world.start()
    deadline = time.monotonic() + 60
    while not (world.objects().keys() >= {"config.json", "a.safetensors"} and world.parts("b.safetensors")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)
    return process


def _rerun_fetches_the_rest_only(world: Any) -> None:
    world.options()
    world.forget()
    result = world.run()
    assert result.code == 0, result.output
    resolved = {each["path"].rsplit("/", 1)[1] for each in world.requests() if "/resolve/" in each["path"]}
    assert resolved == {"b.safetensors"}
    # What the killed run had asked for may have been logged just now.
    asked = [each for each in world.requests() if "/resolve/" in each["path"] and not each.get("aborted")]
    sent = sum(each["bytes"] for each in asked)
    assert sent < len(LARGE) and "going on with" in result.output, "parts that had been uploaded are not fetched again"
    assert result.summary["fetched_bytes"] == sent
    assert {path: world.content(path) for path in FILES} == FILES
    assert len(world.ledger()["files"]) == 3
    assert world.uploads() == []
    assert not [path for path in world.objects() if path.startswith(".llmfleet/uploads/")]


def test_killed_half_way(world: Any) -> None:
    process = _start_and_wait_for_the_middle(world)
    process.send_signal(signal.SIGKILL)
    assert world.finish(process).code == -signal.SIGKILL
    assert ".llmfleet/ledger.json" not in world.objects() and "b.safetensors" not in world.objects()
    assert len(world.uploads()) == 1
    _rerun_fetches_the_rest_only(world)


def test_terminated_half_way_keeps_what_was_uploaded(world: Any) -> None:
    process = _start_and_wait_for_the_middle(world)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    result = world.finish(process)
    # The grace period that the Job gives it.
    assert time.monotonic() - begin < 30
    assert result.code == 143 and result.summary["retryable"] is True and "SIGTERM" in result.output
    assert ".llmfleet/ledger.json" not in world.objects() and "b.safetensors" not in world.objects()
    assert len(world.uploads()) == 1
    _rerun_fetches_the_rest_only(world)


def test_uploads_of_other_revisions_are_left_alone(world: Any) -> None:
    other = "models/small/" + 40 * "f" + "/model.safetensors"
    world.s3.create_multipart_upload(Bucket=world.bucket, Key=other)
    world.repository({"config.json": b"{}", "a.safetensors": b"a"})
    assert world.run().code == 0
    assert world.uploads() == [other]


def test_progress_is_told(world: Any) -> None:
    world.repository(FILES, bytes_per_second=4_000_000)
    result = world.run(environ={"LLMFLEET_WEIGHTS_PROGRESS_SECONDS": "1"})
    assert result.code == 0
    lines = [line for line in result.output.splitlines() if "MiB/s" in line]
    assert len(lines) >= 2 and "of 34.3 MiB" in lines[0] and "s left" in lines[0]


def test_large_file_needs_memory_for_its_buffers_only(world: Any, tmp_path: Path) -> None:
    world.repository({"config.json": b"{}", "model.safetensors": b"small"})
    least = world.run(revision="main").peak
    size = 70_000_000
    generator = random.Random(5)
    world.repository({"config.json": b"{}"})
    path = world.root / "acme/small" / ("c0ffee" + 34 * "0") / "model.safetensors"
    with path.open("wb") as stream:
        for _ in range(size // 1_000_000):
            stream.write(generator.randbytes(1_000_000))
    result = world.run(environ={"LLMFLEET_WEIGHTS_CONNECTIONS": "2"})
    assert result.code == 0, result.output
    assert world.objects()["model.safetensors"] == size
    assert world.content("model.safetensors") == path.read_bytes()
    ranges = [each for each in world.requests() if each["range"] and each["path"].endswith("model.safetensors")]
    assert len(ranges) == 14
    # 3 buffers of 5 MiB, and what TLS, allocators and the S3 client need for two requests under way.
    assert result.peak - least < 40 * MIB < size, f"{(result.peak - least) / MIB:.0f} MiB more than a tiny fetch"
