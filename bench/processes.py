# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs run as a user runs them, timed, and ended with everything they started when the benchmark is interrupted."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import ROOT
from bench.lab import BenchError

PLAYBOOKS = ROOT / "bench" / "playbooks"
_CALLBACKS = ROOT / "bench" / "callbacks"


@dataclass(frozen=True)
class Ran:
    """seconds: of the whole process. cpu: its CPU seconds and those of what it started."""

    seconds: float
    cpu: float
    output: str


def run(command: Sequence[str], environment: Mapping[str, str], *, timeout: float = 1800.0) -> Ran:
    """Run a program from the checkout's root. Raises BenchError with the end of its output when it fails."""
    before = os.times()
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    except OSError as error:
        raise BenchError(f"{command[0]} cannot be run: {error}") from None
    try:
        output, _none = process.communicate(timeout=timeout)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    seconds = time.monotonic() - began
    after = os.times()
    if process.returncode:
        raise BenchError(f"{' '.join(command[:4])} … ended with {process.returncode}:\n{output[-3000:]}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Ran(seconds, cpu, output)


@dataclass(frozen=True)
class Task:
    """One task of a playbook: its role ("" without one), its name, its seconds, and numbers of its result."""

    role: str
    name: str
    seconds: float
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Played:
    """A playbook that ran to its end without a failure."""

    ran: Ran
    tasks: list[Task]
    changed: int

    def task(self, name: str) -> Task:
        """The task of a name."""
        return next(task for task in self.tasks if task.name == name)


def play(
    playbook: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    scratch: Path,
    *,
    timeout: float = 1800.0,
) -> Played:
    """Run a playbook in the checkout's configuration, with a callback that writes down what each task took."""
    times = scratch / "times.json"
    times.unlink(missing_ok=True)
    callbacks = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "bench_times",
        "BENCH_TIMES": str(times),
    }
    # The program of this environment, whatever else is on the PATH.
    program = Path(sys.executable).parent / "ansible-playbook"
    ran = run([str(program), str(playbook), *arguments], {**environment, **callbacks}, timeout=timeout)
    told = json.loads(times.read_text())
    tasks = [Task(item["role"], item["name"], item["seconds"], item["result"]) for item in told["tasks"]]
    return Played(ran, tasks, int(told["changed"]))
