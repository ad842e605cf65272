# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a host's run: what changed, the time by role, and where to send the first request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_task import TaskView
from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_words import ACTIONS, SAME, amount, seconds_text

# What the time of a role is spent waiting for, where it is not simply the cluster.
_WAITED_FOR = {
    "models": "waiting for vLLM to start",
    "weights": "waiting for the weights",
    "verify": "waiting for the gateway to answer",
}


@dataclass
class Row:
    """The time of one role (of one layer, in a teardown), and how much of it was waiting, for what."""

    seconds: float = 0.0
    waited: float = 0.0
    waited_for: str = ""
    layers: list[str] = field(default_factory=list)


class HostRun:
    """What one host's run came to: fed with finished tasks of our roles, told at the end."""

    def __init__(self, host: str) -> None:
        """Begin with nothing."""
        self.host = host
        self.rows: dict[str, Row] = {}
        self.tasks = 0
        self.changed_tasks = 0
        self.counts: Counter[str] = Counter()
        self.check = False
        self.failure: TaskView | None = None
        self.endpoint: Mapping[str, Any] = {}

    def add(
        self, view: TaskView, parts: Sequence[TaskView] = (), *, changed: bool = False, failed: bool = False
    ) -> None:
        """Count a finished task; parts: the items of its loop, when it has one."""
        self.tasks += 1
        self.changed_tasks += changed
        self.check = self.check or view.check
        row = self.rows.setdefault(row_name(view), Row())
        row.seconds += view.seconds
        row.waited_for = _WAITED_FOR.get(view.role, "waiting for the cluster")
        for part in parts or [view]:
            self.counts += Counter({key: number for key, number in part.counts().items() if key not in SAME})
            row.waited += part.waited()
            if part.layer and part.layer not in row.layers:
                row.layers.append(part.layer)
        self.endpoint = view.endpoint() or self.endpoint
        if failed:
            self.failure = view

    def summary(self, total: float, *, failed: bool = False) -> list[str]:
        """Return the lines for this host; total: seconds from its first task to its last; failed: it did not get over
        its failure."""
        mode = " (check mode)" if self.check else ""
        lines, changed = [], self._changed()
        if failed and self.failure is not None:
            lines.append(f"{self.host}{mode}: FAILED: {_place(self.failure)}")
            names = self.failure.not_ready()
            what = "left" if self.failure.own == "remove" else "not ready"
            lines += [f"  {what}: {name}" for name in names]
            lines.append(f"  {changed}")
        else:
            lines.append(f"{self.host}{mode}: {changed}")
        titles = {name: self._title(name, row) for name, row in self.rows.items()}
        width = max(map(len, [*titles.values(), "total"]), default=0)
        right = len(seconds_text(max([total, *(row.seconds for row in self.rows.values())])))
        for name, row in self.rows.items():
            waiting = f", {seconds_text(row.waited)} of it {row.waited_for}" if row.waited >= 0.05 else ""
            lines.append(f"  {titles[name]:<{width}}  {seconds_text(row.seconds):>{right}}{waiting}")
        lines.append(f"  {'total':<{width}}  {seconds_text(total):>{right}}")
        return [*lines, *first_request(self.endpoint)]

    def _changed(self) -> str:
        verb = "would change" if self.check else "changed"
        if not self.changed_tasks and not self.counts:
            return "would change nothing" if self.check else "nothing changed"
        what = ", ".join(f"{self.counts[action]} {action}" for action in ACTIONS if self.counts[action])
        objects = f", {amount(self.counts.total(), 'object')} ({what})" if what else ""
        return f"{verb} in {amount(self.changed_tasks, 'task')}{objects}"

    @staticmethod
    def _title(name: str, row: Row) -> str:
        return f"{name} ({', '.join(row.layers)})" if row.layers and not set(name.split()) & set(row.layers) else name


def row_name(view: TaskView) -> str:
    """Return the row that a task counts for: its role; in a teardown, which goes through all layers, role and layer."""
    return f"{view.role} {view.layer}" if view.role == "teardown" and view.layer else view.role


def _place(view: TaskView) -> str:
    layer = f" (layer {view.layer})" if view.layer else ""
    return f"{view.role} : {view.name}{layer}" if view.role else f"{view.name}{layer}"


def first_request(endpoint: Mapping[str, Any]) -> list[str]:
    """Return where to send the first request, from the fact that the role verify sets; [] without one."""
    if not endpoint.get("url"):
        return []
    models = ", ".join(str(model) for model in endpoint.get("models") or [])
    lines = [f"  first request: POST {endpoint['url']}"]
    if endpoint.get("reachable_from"):
        lines[0] += f" (from {endpoint['reachable_from']})"
    if models:
        lines.append(f"    model: {models}")
    if endpoint.get("keys_secret"):
        lines.append(f"    Authorization: Bearer and a key of Secret {endpoint['keys_secret']}")
    return lines
