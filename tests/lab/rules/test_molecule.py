# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenario: the platform without a model is made, made again without a change, looked at, taken away."""

from __future__ import annotations

import subprocess

import pytest
from llmfleet_lab.paths import Paths

from tests.lab.conftest import ROOT, Playbook
from tests.lab.snapshot import owned

pytestmark = pytest.mark.full


def test_the_scenario(playbook: Playbook, paths: Paths) -> None:
    if owned(paths):
        assert playbook("destroy", "-e", "llmfleet_destroy_confirm=lab").returncode == 0
    done = subprocess.run(
        ["molecule", "test"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert owned(paths) == {}
