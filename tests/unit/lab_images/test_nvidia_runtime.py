# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runtime handler changes the bundle of a container that is created, and nothing else, before it becomes runc."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from llmfleet_lab import nvidia_runtime
from llmfleet_lab.nvidia_runtime import CONTAINER_TYPE, MOUNT, bundle_of, inject

SPECIFICATION: dict[str, Any] = {
    "ociVersion": "1.2.0",
    "process": {"args": ["python3"], "env": ["PATH=/usr/bin", "PYTHONPATH=/app"]},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "annotations": {CONTAINER_TYPE: "container"},
}


@pytest.mark.parametrize(
    ("arguments", "bundle"),
    [
        (["--root", "/r", "create", "--bundle", "/b", "--pid-file", "/p", "id"], "/b"),
        (["create", "--bundle=/b", "id"], "/b"),
        (["create", "-b", "/b", "id"], "/b"),
        (["create", "id"], os.getcwd()),
        (["--root", "/r", "start", "id"], None),
        (["delete", "--force", "id"], None),
        (["exec", "--process", "/p", "id"], None),
        ([], None),
    ],
)
def test_bundle_of(arguments: list[str], bundle: str | None) -> None:
    assert bundle_of(arguments) == bundle


def test_inject_adds_mount_and_search_path() -> None:
    changed = inject(copy.deepcopy(SPECIFICATION), "/tree")
    assert changed["mounts"][:-1] == SPECIFICATION["mounts"]
    mount = changed["mounts"][-1]
    assert (mount["source"], mount["destination"], mount["type"]) == ("/tree", MOUNT, "bind")
    assert "ro" in mount["options"] and "rbind" in mount["options"]
    assert changed["process"]["env"] == ["PATH=/usr/bin", f"PYTHONPATH=/app:{MOUNT}"]
    assert changed["process"]["args"] == ["python3"]


def test_inject_without_environment() -> None:
    assert inject({"process": {}}, "/tree")["process"]["env"] == [f"PYTHONPATH={MOUNT}"]


def test_sandboxes_stay_as_they_are() -> None:
    sandbox = {**SPECIFICATION, "annotations": {CONTAINER_TYPE: "sandbox"}}
    assert inject(copy.deepcopy(sandbox), "/tree") == sandbox


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script as the lab's wrapper does, in an environment with nothing else."""
    return subprocess.run(
        [sys.executable, "-I", "-S", nvidia_runtime.__file__, *arguments],
        capture_output=True,
        text=True,
        env={"LLMFLEET_LAB_STAND_IN": "/stand-in", **environment},
        timeout=20,
    )


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    (tmp_path / "config.json").write_text(json.dumps(SPECIFICATION))
    runc = tmp_path / "runc"
    runc.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 42\n')
    runc.chmod(0o755)
    return tmp_path


def test_create_changes_the_bundle_and_becomes_runc(bundle: Path) -> None:
    arguments = ["--root", "/r s", "create", "--bundle", str(bundle), "id"]
    done = run(arguments, LLMFLEET_LAB_VLLM_TREE=str(bundle / "tree"), LLMFLEET_LAB_RUNC=str(bundle / "runc"))
    assert (done.returncode, done.stdout, done.stderr) == (42, "".join(f"{word}|" for word in arguments), "")
    assert json.loads((bundle / "config.json").read_text()) == inject(
        copy.deepcopy(SPECIFICATION), str(bundle / "tree")
    )


def test_a_container_that_asks_for_it_gets_the_stand_in_engine(bundle: Path) -> None:
    asked = copy.deepcopy(SPECIFICATION)
    asked["process"]["env"].append("LLMFLEET_LAB_ENGINE=stand-in")
    (bundle / "config.json").write_text(json.dumps(asked))
    done = run(
        ["create", "--bundle", str(bundle), "id"],
        LLMFLEET_LAB_VLLM_TREE="/nowhere",
        LLMFLEET_LAB_STAND_IN=str(bundle / "tree"),
        LLMFLEET_LAB_RUNC=str(bundle / "runc"),
    )
    assert done.returncode == 42
    assert json.loads((bundle / "config.json").read_text())["mounts"][-1]["source"] == str(bundle / "tree")


def test_everything_else_passes_through(bundle: Path) -> None:
    before = (bundle / "config.json").read_bytes()
    done = run(["state", "id"], LLMFLEET_LAB_VLLM_TREE="/nowhere", LLMFLEET_LAB_RUNC=str(bundle / "runc"))
    assert (done.returncode, done.stdout) == (42, "state|id|")
    assert (bundle / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"LLMFLEET_LAB_VLLM_TREE": "/nowhere"}, "no vLLM tree at /nowhere"),
        ({"LLMFLEET_LAB_RUNC": "/nowhere/runc"}, "/nowhere/runc"),
        ({"LLMFLEET_LAB_RUNC": None}, "LLMFLEET_LAB_RUNC"),
    ],
)
def test_failures_are_told(bundle: Path, change: dict[str, str | None], told: str) -> None:
    environment = {"LLMFLEET_LAB_VLLM_TREE": str(bundle / "tree"), "LLMFLEET_LAB_RUNC": str(bundle / "runc"), **change}
    given = {name: value for name, value in environment.items() if value is not None}
    done = run(["create", "--bundle", str(bundle), "id"], **given)
    assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr


def test_a_broken_bundle_is_told(bundle: Path) -> None:
    (bundle / "config.json").write_text("{")
    done = run(
        ["create", "--bundle", str(bundle), "id"],
        LLMFLEET_LAB_VLLM_TREE=str(bundle / "tree"),
        LLMFLEET_LAB_RUNC=str(bundle / "runc"),
    )
    assert done.returncode == 1 and done.stderr.startswith("nvidia runtime: ") and "Traceback" not in done.stderr
