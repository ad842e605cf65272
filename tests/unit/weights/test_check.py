# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``check``: what the mount shows is what the ledger lists."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "roles" / "weights" / "files"
COMMIT = "c0ffee" + 34 * "0"
FILES = {"config.json": b"{}", "model.safetensors": b"weights", "sub/adapter.safetensors": b"lora"}
NO_WAIT = {"LLMFLEET_WEIGHTS_WAIT_SECONDS": "0"}


def _show(world: Any, without: str = "") -> Path:
    """Fetch, and show the bucket's prefix as a folder, as the mount does."""
    world.repository(FILES)
    assert world.run().code == 0
    mount: Path = world.folder / "mount"
    for path in world.objects():
        if path != without:
            (mount / path).parent.mkdir(parents=True, exist_ok=True)
            (mount / path).write_bytes(world.content(path))
    return mount


def test_complete(world: Any) -> None:
    _show(world)
    world.forget()
    result = world.run("check", NO_WAIT)
    assert result.code == 0, result.output
    assert result.summary["status"] == "complete" and result.summary["files"] == 3
    assert world.s3_lines == [] and world.requests() == []


def test_needs_no_library(world: Any) -> None:
    _show(world)
    # Without site-packages: the serving image has no boto3.
    run = subprocess.run(
        # All of -I, but for the working directory, which the package is found in.
        [sys.executable, "-B", "-E", "-s", "-S", "-m", "fetcher", "check"],
        cwd=FOLDER,
        env={"LLMFLEET_WEIGHTS": json.dumps(world.config())},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr


def test_missing_file_is_named(world: Any) -> None:
    mount = _show(world)
    (mount / "model.safetensors").unlink()
    result = world.run("check", NO_WAIT)
    assert result.code == 6
    assert "model.safetensors is missing" in result.summary["error"] and "config.json" not in result.summary["error"]


def test_wrong_size_is_named(world: Any) -> None:
    mount = _show(world)
    (mount / "sub/adapter.safetensors").write_bytes(b"lo")
    result = world.run("check", NO_WAIT)
    assert result.code == 6
    assert "sub/adapter.safetensors has 2 bytes instead of 4" in result.summary["error"]


def test_missing_ledger(world: Any) -> None:
    _show(world, without=".llmfleet/ledger.json")
    result = world.run("check", NO_WAIT)
    assert result.code == 6 and "ledger.json cannot be read: No such file" in result.summary["error"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "files": []}'])
def test_ledger_that_is_none(world: Any, text: str) -> None:
    mount = _show(world)
    (mount / ".llmfleet/ledger.json").write_text(text)
    result = world.run("check", NO_WAIT)
    assert result.code == 6 and "is not valid" in result.summary["error"]


def test_ledger_of_another_revision(world: Any) -> None:
    _show(world)
    result = world.run("check", NO_WAIT, revision=40 * "b")
    assert result.code == 6 and f"wanted: small, acme/small at {40 * 'b'}" in result.summary["error"]


def test_waits_for_late_files(world: Any) -> None:
    mount = _show(world, without="model.safetensors")
    timer = threading.Timer(1.5, lambda: (mount / "model.safetensors").write_bytes(FILES["model.safetensors"]))
    timer.start()
    begin = time.monotonic()
    result = world.run("check", {"LLMFLEET_WEIGHTS_WAIT_SECONDS": "30"})
    timer.join()
    assert result.code == 0 and 1 < time.monotonic() - begin < 10
    assert "waiting up to 30 s: model.safetensors is missing" in result.output


def test_stops_when_told_to(world: Any) -> None:
    process = world.start("check", {"LLMFLEET_WEIGHTS_WAIT_SECONDS": "60"})
    while "waiting" not in (world.folder / "output").read_text():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert world.finish(process).code == 143
