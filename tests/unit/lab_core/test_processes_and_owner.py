# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes known by pid and start time, and the one owner of a machine's lab."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmfleet_lab import ownership
from llmfleet_lab.errors import LabError
from llmfleet_lab.paths import Paths
from llmfleet_lab.processes import Daemon, Processes, start_time


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Folders of a lab that has nothing in it."""
    return Paths(cache=tmp_path / "cache", state=tmp_path / "state")


@pytest.fixture
def processes(paths: Paths) -> Iterator[Processes]:
    """Ended after the test."""
    found = Processes(paths)
    yield found
    for name in found.names():
        found.stop(name, within=1)


def sleeper(name: str = "sleeper") -> Daemon:
    """A process that does nothing."""
    return Daemon(name=name, command=["/bin/sleep", "60"], ready=lambda: None)


def test_a_live_process_is_not_started_again_and_a_killed_one_is(processes: Processes) -> None:
    assert processes.ensure(sleeper())
    first = processes.pid("sleeper")
    assert first is not None
    assert not processes.ensure(sleeper())
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    assert processes.pid("sleeper") is None
    assert processes.ensure(sleeper())
    assert processes.pid("sleeper") not in (None, first)


def test_a_recycled_pid_is_not_taken_for_ours(paths: Paths, processes: Processes) -> None:
    paths.run.mkdir(parents=True)
    record = {"pid": os.getpid(), "start_time": "1", "command": "etcd"}
    (paths.run / "etcd.json").write_text(json.dumps(record))
    assert processes.pid("etcd") is None
    processes.stop("etcd")
    assert start_time(os.getpid()) is not None


def test_a_process_that_ends_while_starting_shows_its_last_words(processes: Processes) -> None:
    def never() -> None:
        raise OSError("not yet")

    failing = Daemon("failing", ["/bin/sh", "-c", "echo no such flag; exit 3"], never, ready_within=5)
    with pytest.raises(LabError, match="ended while starting[^$]*no such flag"):
        processes.ensure(failing)


def test_the_lab_of_another_checkout_is_refused(paths: Paths, processes: Processes) -> None:
    processes.ensure(sleeper())
    (paths.state / "owner.json").write_text(json.dumps({"checkout": "/elsewhere"}))
    with pytest.raises(LabError, match="/elsewhere"):
        ownership.claim(paths)
    processes.stop("sleeper", within=1)
    ownership.claim(paths)


def test_ports_in_use_are_named(monkeypatch: pytest.MonkeyPatch, paths: Paths) -> None:
    from llmfleet_lab import addresses, prerequisites

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(addresses, "LOOPBACK_PORTS", {"etcd": port})
        with pytest.raises(LabError, match=rf"127\.0\.0\.1:{port} \(etcd\)"):
            prerequisites.check(paths, to_build=False, running=False)
