# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what tasks of this collection did, and a summary at the end: beside any stdout callback, also under AWX."""

from __future__ import annotations

DOCUMENTATION = r"""
name: operator
type: aggregate
short_description: What the platform's tasks did to how many objects, and a summary at the end
version_added: 1.0.0
description:
  - Prints one line for each finished task of this collection that deals with objects of the cluster. It has the layer,
    how many objects were created, configured, unchanged and so on, and how long it took and waited.
  - At the end it prints, for each host, what failed, how much has changed, the time by role in the order in which they
    ran with the part of it that was waiting, and where to send the first request. Nothing is printed for plays that
    have none of the roles of this collection.
  - With C(-v) it adds each object that was changed. (With C(-vvv) the actions of this collection add their requests to
    the API server.)
  - Only counts, kinds, names, actions, notes and times are printed; of a task with C(no_log) nothing but its name.
requirements:
  - enable in configuration (C(callbacks_enabled = llmfleet.eks.operator))
"""

import time
from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase
from ansible_collections.llmfleet.eks.plugins.plugin_utils.callback_tasks import role_of, view_of
from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_view import HostRun, TaskView


class CallbackModule(CallbackBase):
    """Feeds what ansible tells of tasks to the text in plugin_utils/operator_view.py."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "llmfleet.eks.operator"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        """Begin with no host."""
        super().__init__()
        self._runs: dict[str, HostRun] = {}
        self._spans: dict[str, tuple[float, float]] = {}
        self._began: dict[tuple[str, str], float] = {}
        self._items: dict[tuple[str, str], list[TaskView]] = {}

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Note when a host begins a task."""
        self._began[(host.get_name(), task._uuid)] = time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Tell and count a task."""
        self._finish(result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Count a task that did nothing."""
        self._finish(result, quiet=True)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Tell and count a task that failed, perhaps after it has done a part."""
        self._finish(result, failed=not ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Count a task whose host was not reached."""
        self._finish(result, failed=True, quiet=True)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Tell one item of a loop."""
        self._item(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Tell one item of a loop that failed."""
        self._item(result, failed=True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the summary, the hosts that failed first."""
        failed = {host: _failed(stats.summarize(host)) for host in self._runs}
        for host in sorted(self._runs, key=lambda host: (not failed[host], host)):
            first, last = self._spans[host]
            lines = self._runs[host].summary(last - first, failed=failed[host])
            color = constants.COLOR_ERROR if failed[host] else None
            self._display.display(lines[0], color=color)
            for line in lines[1:]:
                self._display.display(line)
            self._display.display("")

    def _item(self, result: Any, *, failed: bool = False) -> None:
        key = (result.host.get_name(), result.task._uuid)
        earlier = self._items.setdefault(key, [])
        now = time.monotonic()
        spent = now - self._began.get(key, now) - sum(view.seconds for view in earlier)
        view = view_of(result, spent)
        earlier.append(view)
        self._tell(result, view, failed)

    def _finish(self, result: Any, *, failed: bool = False, quiet: bool = False) -> None:
        host, key, now = result.host.get_name(), (result.host.get_name(), result.task._uuid), time.monotonic()
        began = self._began.pop(key, now)
        items = self._items.pop(key, [])
        view = view_of(result, now - began)
        if not quiet and not items:
            self._tell(result, view, failed)
        if role_of(result.task):
            self._spans[host] = (self._spans.get(host, (began, now))[0], now)
            run = self._runs.setdefault(host, HostRun(host))
            run.add(view, items, changed=result.is_changed(), failed=failed)

    def _tell(self, result: Any, view: TaskView, failed: bool) -> None:
        line = view.line()
        if not line:
            return
        color = constants.COLOR_CHANGED if result.is_changed() else constants.COLOR_OK
        self._display.display(f"[{result.host.get_name()}] {line}", color=constants.COLOR_ERROR if failed else color)
        if self._display.verbosity > 0:
            for text in view.objects():
                self._display.display(text)


def _failed(counts: dict[str, int]) -> bool:
    return bool(counts["failures"] or counts["unreachable"])
