# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted clients, and a clock that does not make the tests wait."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for aws_answers and aws_script

from aws_script import Script  # noqa: E402


@pytest.fixture
def s3files() -> Iterator[Script]:
    """A scripted client of S3 Files; every expected call must have been made."""
    yield from _script("s3files")


@pytest.fixture
def eks() -> Iterator[Script]:
    """A scripted client of EKS; every expected call must have been made."""
    yield from _script("eks")


@pytest.fixture
def iam() -> Iterator[Script]:
    """A scripted client of IAM; every expected call must have been made."""
    yield from _script("iam")


@pytest.fixture
def ec2() -> Iterator[Script]:
    """A scripted client of EC2; every expected call must have been made."""
    yield from _script("ec2")


@pytest.fixture
def s3() -> Iterator[Script]:
    """A scripted client of S3; every expected call must have been made."""
    yield from _script("s3")


def _script(service: str) -> Iterator[Script]:
    script = Script(service)
    with script.stubber:
        yield script
        script.stubber.assert_no_pending_responses()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes only by sleeping. Returns the list of pauses taken, in seconds."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    monkeypatch.setattr("time.monotonic", lambda: sum(pauses))
    return pauses
