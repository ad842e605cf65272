# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults for tests: runs killed with SIGKILL, errors of AWS on demand, an API server that goes away and comes back."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from llmfleet_lab import addresses, control_plane
from llmfleet_lab.paths import Paths
from llmfleet_lab.processes import Processes, start_time
from llmfleet_lab.secrets import Credentials


def descendants(pid: int) -> list[int]:
    """Return the pids of all processes below a process, also those in sessions of their own."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found.extend(children)
        queue.extend(children)
    return found


class Killed:
    """A command that is killed with SIGKILL at some moment.

    ended: its exit code when it ended before that moment, else None. seconds: how long it ran. orphans: what it had
    started and was left alone, as {pid: start time}.
    """

    def __init__(self, command: list[str], *, cwd: Path, output: Path, everything: bool) -> None:
        """Start it. output: where its output goes. everything: kill what it has started, too; else that goes on."""
        self.ended: int | None = None
        self.seconds = 0.0
        self.orphans: dict[int, str | None] = {}
        self._everything = everything
        with output.open("w") as sink:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._began = time.monotonic()

    def at(self, moment: Callable[[float], bool], within: float) -> Killed:
        """Kill it when moment(seconds since its start) is true. within: seconds after which the test is wrong."""
        while self._process.poll() is None and not moment(self.seconds):
            assert self.seconds < within, "the moment to kill the run never came"
            time.sleep(0.1)
            self.seconds = time.monotonic() - self._began
        self.ended = self._process.poll()
        if self.ended is None:
            below = descendants(self._process.pid)
            self.orphans = {pid: start_time(pid) for pid in below}
            for pid in [self._process.pid, *(below if self._everything else [])]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
        return self

    def wait_for_orphans(self, within: float) -> None:
        """Wait until what was left alone has ended by itself."""
        until = time.monotonic() + within
        while any(start_time(pid) == started for pid, started in self.orphans.items() if started is not None):
            assert time.monotonic() < until, "a process of a killed run does not end"
            time.sleep(0.2)


class AwsFaults:
    """Errors of the emulated AWS APIs on demand."""

    def add(self, service: str, error: str, times: int, operation: str = "*") -> None:
        """Let the next calls of a service fail. error: an error code of AWS."""
        wanted = {"service": service, "operation": operation, "error": error, "times": times}
        assert self._ask("POST", wanted)[0] == 201

    def clear(self) -> None:
        """Forget what has not happened yet."""
        self._ask("DELETE")

    def pending(self) -> int:
        """Return how many calls are still to fail."""
        return sum(fault["times"] for fault in self._ask("GET")[1]["faults"])

    @staticmethod
    def _ask(method: str, body: object = None) -> tuple[int, dict[str, list[dict[str, int]]]]:
        connection = http.client.HTTPConnection(addresses.NODE_IP, addresses.AWS_PORT, timeout=10)
        connection.request(method, "/_lab/faults", None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def restart_api_server(paths: Paths, away: float) -> None:
    """Kill the lab's API server, and start it again. away: seconds in between."""
    processes = Processes(paths)
    pid = processes.pid("kube-apiserver")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    time.sleep(away)
    processes.ensure(control_plane.api_server(paths, Credentials(paths.secrets)))
