# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""preload.yml from nothing: weights and no model; then compared with the ledger, and what nothing needs deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmfleet_lab.cloud import buckets
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths

from tests.lab.conftest import Playbook
from tests.lab.kit import Writes, recap
from tests.lab.snapshot import owned

pytestmark = pytest.mark.full
CONFIRM = ("-e", "llmfleet_destroy_confirm=lab")
OLD = "0" * 40


@pytest.fixture(scope="module", autouse=True)
def from_nothing_to_nothing(playbook: Playbook, paths: Paths) -> Iterator[None]:
    """A cluster where nothing is owned, before and after."""
    if owned(paths):
        assert playbook("destroy", *CONFIRM).returncode == 0
    yield
    assert playbook("destroy", *CONFIRM).returncode == 0


@pytest.fixture
def models(paths: Paths) -> Path:
    """The folder models/ of the bucket of weights."""
    (bucket,) = [folder for folder in buckets(paths).iterdir() if folder.name.endswith("-weights")]
    return bucket / "models"


def test_check_mode_from_nothing_writes_nothing(playbook: Playbook, stand_in: list[str], writes: Writes) -> None:
    done = playbook("preload", "--check", *stand_in)
    assert done.returncode == 0, done.stdout[-6000:]
    assert writes.kubernetes() == [] and writes.aws() == []


def test_weights_come_and_no_model(playbook: Playbook, stand_in: list[str], kubectl: Kubectl, models: Path) -> None:
    done = playbook("preload", *stand_in)
    assert done.returncode == 0, done.stdout[-6000:]
    assert list((models / "tiny-llama").glob("*/.llmfleet/ledger.json"))
    assert kubectl.run("get", "deployments", "-A", "-l", "app.kubernetes.io/name=tiny-llama", "-o", "name") == ""
    assert kubectl.run("get", "namespace", "llm-gateway", "--ignore-not-found", "-o", "name") == ""


def test_a_second_run_changes_and_writes_nothing(playbook: Playbook, stand_in: list[str], writes: Writes) -> None:
    done = playbook("preload", *stand_in)
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 0
    assert writes.kubernetes() == [] and writes.aws() == []


def test_what_differs_from_the_ledger_is_named(
    playbook: Playbook, stand_in: list[str], kubectl: Kubectl, models: Path, writes: Writes
) -> None:
    done = playbook("preload", "--tags", "verify", *stand_in)
    assert done.returncode == 0, done.stdout[-6000:]
    assert "tiny-llama: " in done.stdout and "as the ledger says" in " ".join(done.stdout.split())
    assert recap(done.stdout)["changed"] == 0 and writes.aws() == []
    (file,) = (models / "tiny-llama").glob("*/model.safetensors")
    before = file.read_bytes()
    altered = bytearray(before)
    altered[len(altered) // 2] ^= 1
    # In place: its metadata are attributes of the file.
    with file.open("r+b") as stream:
        stream.write(altered)
    try:
        done = playbook("preload", "--tags", "verify", *stand_in)
    finally:
        with file.open("r+b") as stream:
            stream.write(before)
    assert done.returncode != 0
    assert "tiny-llama: 1 of" in done.stdout and "model.safetensors: expected sha256" in " ".join(done.stdout.split())
    # No Job of either run is left.
    assert "-verify-" not in kubectl.run("get", "jobs", "-n", "llm", "-o", "name")


def test_what_nothing_needs_is_told_and_deleted_when_confirmed(
    playbook: Playbook, stand_in: list[str], models: Path
) -> None:
    folder = models / "tiny-llama" / OLD
    (folder / ".llmfleet").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"old")
    ledger = {"version": 1, "model": "tiny-llama", "requested_revision": OLD, "files": [{"path": "model.safetensors"}]}
    (folder / ".llmfleet" / "ledger.json").write_text(json.dumps(ledger))
    done = playbook("preload", "--tags", "gc", *stand_in)
    told = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stdout[-6000:]
    assert f"unused: models/tiny-llama/{OLD}" in told and "dry run, nothing was deleted" in told
    assert (folder / "model.safetensors").exists()
    refused = playbook("preload", "--tags", "gc", "-e", "llmfleet_gc_confirm=prod", *stand_in)
    assert refused.returncode != 0 and (folder / "model.safetensors").exists()
    done = playbook("preload", "--tags", "gc", "-e", "llmfleet_gc_confirm=lab", *stand_in)
    assert done.returncode == 0, done.stdout[-6000:]
    # In a bucket with versions a file stays below its delete marker: what S3 lists is what counts.
    again = playbook("preload", "--tags", "gc", "-e", "llmfleet_gc_confirm=lab", *stand_in)
    assert "no revision in the bucket is unused" in " ".join(again.stdout.split())
    assert recap(again.stdout)["changed"] == 0
    assert list((models / "tiny-llama").glob("*/.llmfleet/ledger.json")), "what is described stays"
