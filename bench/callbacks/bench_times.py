# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down how long each task took and a few numbers of its result, as JSON into the file that BENCH_TIMES names."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: bench_times
type: aggregate
short_description: What each task took, as JSON
description: [For the benchmarks of this checkout only.]
"""
# Numbers and counts only: a result may hold what is secret.
_KEPT = ("seconds", "counts")


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Times are those that the operator waits: from the start of a task until its result has come back."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "bench_times"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Begin with no task."""
        super().__init__()
        self._began = 0.0
        self._tasks: list[dict[str, Any]] = []

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """A task begins."""
        self._began = time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task has ended."""
        self._add(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """A task was left out, which takes time, too."""
        self._add(result)

    def _add(self, result: Any) -> None:
        now = time.monotonic()
        role = getattr(result.task, "_role", None)
        self._tasks.append(
            {
                "role": role.get_name(include_role_fqcn=False) if role else "",
                "name": result.task.name,
                "seconds": now - self._began,
                "result": {key: result.result[key] for key in _KEPT if key in result.result},
            }
        )
        self._began = now

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write it down."""
        changed = sum(stats.summarize(host)["changed"] for host in stats.processed)
        Path(os.environ["BENCH_TIMES"]).write_text(json.dumps({"tasks": self._tasks, "changed": changed}))
