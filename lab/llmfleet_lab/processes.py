# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of the lab: started in sessions of their own, known by pid and start time, ended by pid."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llmfleet_lab.errors import LabError, tail
from llmfleet_lab.paths import Paths


def start_time(pid: int) -> str | None:
    """The kernel's start time of ``pid`` (clock ticks since boot), None when there is no such live process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command's name may hold spaces and parentheses: fields are counted after the last one.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else fields[19]


@dataclass(frozen=True)
class Daemon:
    """One process of the lab.

    ``ready`` raises an exception until the process serves; ``ready_within`` and ``stop_within`` are seconds.
    """

    name: str
    command: Sequence[str]
    ready: Callable[[], object]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_within: float = 60
    stop_within: float = 10


class Processes:
    """The lab's processes, recorded as ``run/<name>.json``."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths

    def _record(self, name: str) -> Path:
        return self._paths.run / f"{name}.json"

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self._paths.logs / f"{name}.log"

    def pid(self, name: str) -> int | None:
        """The pid of a live process of ours, else None: a recycled pid is told by its start time."""
        try:
            record = json.loads(self._record(name).read_text())
        except (OSError, ValueError):
            return None
        pid, started = int(record["pid"]), record["start_time"]
        # Nothing is recorded for a process that had ended before its start time was read.
        return pid if started is not None and start_time(pid) == started else None

    def names(self) -> list[str]:
        """Every recorded process, oldest first."""
        if not self._paths.run.is_dir():
            return []
        records = sorted(self._paths.run.glob("*.json"), key=lambda file: file.stat().st_mtime)
        return [file.stem for file in records]

    def ensure(self, daemon: Daemon) -> bool:
        """Start the process unless it lives, and wait until it is ready; returns whether it was started."""
        started = self.pid(daemon.name) is None
        if started:
            self._start(daemon)
        self._wait(daemon)
        return started

    def _start(self, daemon: Daemon) -> None:
        log = self.log(daemon.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        self._paths.run.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            process = subprocess.Popen(
                list(daemon.command),
                env={"PATH": f"{self._paths.state / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin", **daemon.environment},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        record = {"pid": process.pid, "start_time": start_time(process.pid), "command": daemon.command[0]}
        self._record(daemon.name).write_text(json.dumps(record))

    def _wait(self, daemon: Daemon) -> None:
        deadline = time.monotonic() + daemon.ready_within
        while True:
            try:
                daemon.ready()
                return
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
            if self.pid(daemon.name) is None:
                raise LabError(f"{daemon.name} ended while starting\n{tail(self.log(daemon.name))}")
            if time.monotonic() > deadline:
                raise LabError(
                    f"{daemon.name} was not ready after {daemon.ready_within:.0f} s: {reason}\n"
                    f"{tail(self.log(daemon.name))}"
                )
            time.sleep(0.1)

    def stop(self, name: str, within: float = 10) -> None:
        """End a process of ours: SIGTERM, then SIGKILL after ``within`` seconds."""
        pid = self.pid(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            if not _gone(self, name, within):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                if not _gone(self, name, 10):
                    raise LabError(f"{name} (pid {pid}) does not end, not even by SIGKILL")
        self._record(name).unlink(missing_ok=True)

    def memory(self) -> dict[str, int]:
        """Resident memory in bytes by process name, of those that live."""
        sizes = {}
        for name in self.names():
            pid = self.pid(name)
            if pid is not None:
                sizes[name] = resident_bytes(pid)
        return sizes


def resident_bytes(pid: int) -> int:
    """VmRSS of a process in bytes, 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _gone(processes: Processes, name: str, within: float) -> bool:
    deadline = time.monotonic() + within
    while processes.pid(name) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
