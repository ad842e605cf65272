# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preload.yml runs, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.unit.fleet.test_playbooks import ROOT, run

PRELOAD = ROOT / "playbooks" / "preload.yml"


def listed(tmp_path: Path, *more: str) -> list[str]:
    """The roles whose tasks would run, in their order."""
    done = run(tmp_path, {"one": {}}, PRELOAD, "--list-tasks", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.strip() for line in done.stdout.splitlines() if "llmfleet.eks." in line and "Validating" not in line]
    return list(dict.fromkeys(line.removeprefix("llmfleet.eks.").split(" : ")[0] for line in lines))


def test_only_what_a_fetch_needs(tmp_path: Path) -> None:
    needed = ["preflight", "namespaces", "s3_files", "pod_identity", "efs_csi_driver", "weights"]
    assert listed(tmp_path) == needed
    assert listed(tmp_path, "--tags", "weights") == ["preflight", "weights"]
    (play,) = yaml.safe_load(PRELOAD.read_text())
    (namespaces,) = [role for role in play["roles"] if role["role"] == "llmfleet.eks.namespaces"]
    assert namespaces["vars"] == {"namespaces_layers": ["storage"]}, "the gateway is no part of it"
