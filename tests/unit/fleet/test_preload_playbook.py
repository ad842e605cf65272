# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preload.yml runs, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.unit.fleet.test_playbooks import ROOT, run

PRELOAD = ROOT / "playbooks" / "preload.yml"


def tasks_of(tmp_path: Path, *more: str) -> list[str]:
    """The tasks that would run, as "role : task", in their order."""
    done = run(tmp_path, {"one": {}}, PRELOAD, "--list-tasks", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    tasks = [line.split("TAGS:")[0].strip() for line in done.stdout.splitlines() if " : " in line]
    return [task.removeprefix("llmfleet.eks.") for task in tasks if "Validating arguments" not in task]


def listed(tmp_path: Path, *more: str) -> list[str]:
    """The roles whose tasks would run, in their order."""
    return list(dict.fromkeys(task.split(" : ")[0] for task in tasks_of(tmp_path, *more)))


def test_only_what_a_fetch_needs(tmp_path: Path) -> None:
    needed = ["preflight", "namespaces", "s3_files", "pod_identity", "efs_csi_driver", "weights"]
    assert listed(tmp_path) == needed
    assert listed(tmp_path, "--tags", "weights") == ["preflight", "weights"]
    (play,) = yaml.safe_load(PRELOAD.read_text())
    (namespaces,) = [role for role in play["roles"] if role["role"] == "llmfleet.eks.namespaces"]
    assert namespaces["vars"] == {"namespaces_layers": ["storage"]}, "the gateway is no part of it"


def test_verify_reads_and_does_nothing_else(tmp_path: Path) -> None:
    tasks = [task for task in tasks_of(tmp_path, "--tags", "verify") if not task.startswith("preflight")]
    assert tasks == ["weights : Read the weights in the bucket again and compare them with their ledgers"]
    assert tasks[0] not in tasks_of(tmp_path)


def test_gc_deletes_and_fetches_nothing(tmp_path: Path) -> None:
    tasks = [task for task in tasks_of(tmp_path, "--tags", "gc") if not task.startswith("preflight")]
    assert [task.split(" ")[0] for task in tasks] == ["weights"] and "nothing needs" in tasks[0]
    assert tasks[0] not in tasks_of(tmp_path)
