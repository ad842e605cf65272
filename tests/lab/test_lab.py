# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: it heals what was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from llmfleet_lab.errors import LabError
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import LAB_SOURCE, Paths
from llmfleet_lab.processes import Processes


def lab(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the lab."""
    return subprocess.run(
        [sys.executable, "-m", "llmfleet_lab", command],
        env={**os.environ, "PYTHONPATH": str(LAB_SOURCE)},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_up_again_after_kill_9(paths: Paths, kubectl: Kubectl) -> None:
    processes = Processes(paths)
    before = {name: processes.pid(name) for name in ("kubelet", "kube-apiserver", "csi", "hub")}
    for pid in before.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    done = lab("up")
    assert done.returncode == 0, done.stderr
    for name, pid in before.items():
        assert processes.pid(name) not in (None, pid)
    assert "lab-node" in kubectl.run("get", "nodes", "-o", "name")


def test_definitions_are_loaded_once_and_say_no(kubectl: Kubectl) -> None:
    done = lab("crds")
    assert done.returncode == 0, done.stderr
    served = kubectl.run("get", "customresourcedefinitions", "-o", "name")
    for name in ("scaledobjects.keda.sh", "nodepools.karpenter.sh", "leaderworkersets.leaderworkerset.x-k8s.io"):
        assert f"/{name}\n" in served
    again = lab("crds")
    assert again.returncode == 0 and " 0 definitions loaded, " in again.stderr
    wrong = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec: {triggers: []}\n"
    with pytest.raises(LabError, match=r"spec\.scaleTargetRef: Required value"):
        kubectl.run("create", "--dry-run=server", "-f", "-", text=wrong)
