# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: it heals what was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import LAB_SOURCE, Paths
from llmfleet_lab.processes import Processes


def lab_up() -> subprocess.CompletedProcess[str]:
    """Run ``lab up``."""
    return subprocess.run(
        [sys.executable, "-m", "llmfleet_lab", "up"],
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
    done = lab_up()
    assert done.returncode == 0, done.stderr
    for name, pid in before.items():
        assert processes.pid(name) not in (None, pid)
    assert "lab-node" in kubectl.run("get", "nodes", "-o", "name")
