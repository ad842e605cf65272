# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests on the lab share: playbooks run as a user runs them, and counters of writes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths, default_paths
from llmfleet_lab.processes import Processes

from tests.lab.kit import Writes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def paths() -> Paths:
    """Folders of the running lab; without a lab these tests fail, they are not skipped."""
    paths = default_paths()
    if not Processes(paths).memory():
        pytest.fail("no lab runs on this machine: make lab-up", pytrace=False)
    return paths


@pytest.fixture(scope="session")
def kubectl(paths: Paths) -> Kubectl:
    """The lab's kubectl."""
    return Kubectl(paths)


@pytest.fixture
def writes(paths: Paths) -> Writes:
    """Counts mutating requests since it was made."""
    return Writes(paths)


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    """Runs a playbook from the checkout's root, without a terminal."""
    return Playbook()


class Playbook:
    """ansible-playbook as a user runs it."""

    def __call__(self, name: str, *arguments: str, timeout: int = 1200) -> subprocess.CompletedProcess[str]:
        """Run playbooks/<name>.yml; output and exit code as they are, ``timeout`` in seconds."""
        environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run(
            ["ansible-playbook", f"playbooks/{name}.yml", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            start_new_session=True,
        )
