# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: it heals what was killed, listens nowhere else, and keeps its credentials to itself."""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
import sys

from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import LAB_SOURCE, Paths
from llmfleet_lab.processes import Processes

ALLOWED = [ipaddress.ip_network(text) for text in ("127.0.0.0/8", "10.245.0.1/32", "169.254.170.23/32", "::1/128")]


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


def test_nothing_listens_on_outer_addresses(paths: Paths) -> None:
    ours = {processes_pid for name in Processes(paths).names() if (processes_pid := Processes(paths).pid(name))}
    listening = subprocess.run(["ss", "-Hltnup"], capture_output=True, text=True, check=True).stdout
    checked = 0
    for line in listening.splitlines():
        if not any(f"pid={pid}," in line for pid in ours):
            continue
        address = ipaddress.ip_address(
            line.split()[4].rpartition(":")[0].strip("[]").partition("%")[0].replace("*", "::")
        )
        assert any(address in network for network in ALLOWED if network.version == address.version), line
        checked += 1
    assert checked > 8


def test_credentials_are_for_their_owner_only(paths: Paths) -> None:
    files = [file for file in paths.secrets.rglob("*") if file.is_file() and file.name != "complete"]
    assert len(files) > 10
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    assert oct(paths.secrets.stat().st_mode & 0o777) == "0o700"
