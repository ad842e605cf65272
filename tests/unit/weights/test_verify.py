# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``verify``: what is in the bucket is what the ledger says."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMIT = "c0ffee" + 34 * "0"
WEIGHTS = random.Random(7).randbytes(11_000_000)
FILES = {"config.json": b"{}", "model.safetensors": WEIGHTS, "empty.safetensors": b""}
PREFIX = f"models/small/{COMMIT}"


def fetched(world: Any) -> None:
    """A revision as a fetch leaves it, and empty logs."""
    world.repository(FILES)
    assert world.run().code == 0
    world.forget()


def test_every_byte_is_read_and_nothing_is_written(world: Any) -> None:
    fetched(world)
    result = world.run("verify", {"LLMFLEET_WEIGHTS_PROGRESS_SECONDS": "1"})
    assert result.code == 0, result.output
    assert (result.summary["status"], result.summary["files"]) == ("verified", 3)
    assert result.summary["total_bytes"] == len(WEIGHTS) + 2
    read = {line.split("/")[-1].split("?")[0] for line in world.s3_lines if line.startswith("GET ")}
    assert read >= set(FILES) and world.writes() == [] and world.requests() == []


def test_other_content_of_the_same_size_is_named_with_both_hashes(world: Any) -> None:
    fetched(world)
    altered = bytearray(WEIGHTS)
    altered[5_000_000] ^= 1
    world.s3.put_object(Bucket=world.bucket, Key=f"{PREFIX}/model.safetensors", Body=bytes(altered))
    result = world.run("verify")
    assert result.code == 5 and result.summary["kind"] == "corrupt"
    expected, found = (hashlib.sha256(content).hexdigest() for content in (WEIGHTS, altered))
    assert f"model.safetensors: expected sha256 {expected}, found {found}" in result.summary["error"]
    assert "1 of 3 files differ" in result.summary["error"] and "config.json" not in result.summary["error"]


@pytest.mark.parametrize("path", ["model.safetensors", "config.json"])
def test_content_that_was_altered_where_it_lies(
    make_world: Callable[..., Any], gateway_server: tuple[str, Path] | None, path: str
) -> None:
    world = make_world(gateway=True)
    fetched(world)
    assert gateway_server is not None
    # S3's own checksum is not that of the content any more, and the client says so after the last byte.
    with (gateway_server[1] / world.bucket / PREFIX / path).open("r+b") as stream:
        stream.write(b"X")
    begin = time.monotonic()
    result = world.run("verify")
    assert result.code == 5 and f"{path}: expected sha256" in result.summary["error"], result.output
    assert "1 of 3 files differ" in result.summary["error"] and time.monotonic() - begin < 8


def test_missing_and_cut_files_are_all_named(world: Any) -> None:
    fetched(world)
    world.s3.delete_object(Bucket=world.bucket, Key=f"{PREFIX}/config.json")
    world.s3.put_object(Bucket=world.bucket, Key=f"{PREFIX}/model.safetensors", Body=b"cut")
    result = world.run("verify")
    assert result.code == 5
    assert "config.json is missing" in result.summary["error"]
    assert f"model.safetensors has 3 bytes, not {len(WEIGHTS)}" in result.summary["error"]


def test_what_is_not_in_the_ledger_is_told_and_no_failure(world: Any) -> None:
    fetched(world)
    world.s3.put_object(Bucket=world.bucket, Key=f"{PREFIX}/notes.txt", Body=b"mine")
    result = world.run("verify")
    assert result.code == 0 and "not in the ledger, and left alone: notes.txt" in result.output


def test_without_a_ledger_there_is_nothing_to_compare_with(world: Any) -> None:
    world.repository(FILES)
    result = world.run("verify")
    assert result.code == 4 and f"no ledger s3://{world.bucket}/{PREFIX}/.llmfleet/ledger.json" in result.output


def test_a_ledger_of_something_else(world: Any) -> None:
    fetched(world)
    result = world.run("verify", repository="acme/other")
    assert result.code == 5 and f"is of small, acme/small at {COMMIT}" in result.output
