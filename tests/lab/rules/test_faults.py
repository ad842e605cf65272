# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml and destroy.yml through throttling, errors of AWS, and an API server that restarts meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from llmfleet_lab.paths import Paths

from tests.lab.conftest import Playbook
from tests.lab.faults import AwsFaults, restart_api_server
from tests.lab.kit import Writes, recap
from tests.lab.snapshot import owned

pytestmark = pytest.mark.full
CONFIRM = ["-e", "llmfleet_destroy_confirm=lab"]


@pytest.fixture
def aws_faults() -> Iterator[AwsFaults]:
    """Three errors for each service that the platform calls."""
    faults = AwsFaults()
    for service, error in (
        ("iam", "Throttling"),
        ("ec2", "RequestLimitExceeded"),
        ("eks", "ThrottlingException"),
        ("s3files", "ThrottlingException"),
        ("s3files", "InternalServerException"),
        ("sts", "Throttling"),
        ("secretsmanager", "ThrottlingException"),
        ("s3", "SlowDown"),
    ):
        faults.add(service, error, times=3)
    yield faults
    faults.clear()


@pytest.fixture
def restarts(paths: Paths) -> Iterator[list[float]]:
    """The API server killed every 20 seconds, away for 4; the moments of it."""
    stop, done = threading.Event(), list[float]()

    def restart() -> None:
        while not stop.wait(20.0):
            restart_api_server(paths, away=4.0)
            done.append(20.0)

    thread = threading.Thread(target=restart)
    thread.start()
    yield done
    stop.set()
    thread.join()


def test_a_run_through_faults_ends_well(
    playbook: Playbook, stand_in: list[str], paths: Paths, aws_faults: AwsFaults, restarts: list[float]
) -> None:
    done = playbook("site", *stand_in)
    assert done.returncode == 0, done.stdout[-6000:]
    assert len(restarts) >= 2
    assert aws_faults.pending() == 0, "some faults never happened"


def test_then_nothing_is_left_to_do(playbook: Playbook, stand_in: list[str], writes: Writes) -> None:
    done = playbook("site", *stand_in)
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 0
    assert writes.kubernetes() == [] and writes.aws() == []


def test_a_destroy_through_faults_leaves_nothing(playbook: Playbook, paths: Paths, restarts: list[float]) -> None:
    faults = AwsFaults()
    for service in ("iam", "ec2", "eks", "s3files"):
        faults.add(service, "ThrottlingException" if service in ("eks", "s3files") else "Throttling", times=3)
    try:
        done = playbook("destroy", *CONFIRM)
        assert done.returncode == 0, done.stdout[-6000:]
        assert faults.pending() == 0, "some faults never happened"
    finally:
        faults.clear()
    assert len(restarts) >= 1
    assert owned(paths) == {}
