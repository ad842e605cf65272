# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished task as an operator reads it: what it did to objects, how long it took, what it waited for.

Only counts, kinds, names, actions, notes and times of a result get into a text: no other field is looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_lines import LINES
from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_words import ACTIONS, as_number, note, object_name

COLLECTION = "llmfleet.eks"
_PLAIN_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/@-]{0,127}")


@dataclass
class TaskView:
    """A finished task (or one item of its loop), as far as it is told.

    action: the action's full name; arguments: see plain_arguments; label: of the item; seconds: how long it
    took; shown: false when its result must not be shown.
    """

    name: str
    action: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    role: str = ""
    layer: str = ""
    label: str = ""
    seconds: float = 0.0
    check: bool = False
    shown: bool = True

    @property
    def own(self) -> str:
        """Return the name of an action of this collection, "" for any other."""
        return self.action.removeprefix(f"{COLLECTION}.") if self.action.startswith(f"{COLLECTION}.") else ""

    def tells(self) -> bool:
        """Tell whether a line is printed for such a task."""
        return self.own in LINES

    def counts(self) -> Counter[str]:
        """Return how many objects got which action; with objects that only have been looked at."""
        if not self.shown:
            return Counter()
        found: Counter[str] = Counter()
        if self.own in ("apply", "chart_crds"):
            given = self.result.get("counts")
            for action, number in given.items() if isinstance(given, Mapping) else ():
                if action in ACTIONS and isinstance(number, int):
                    found[str(action)] += number
        elif self.own in ("sync_secrets", "random_secret"):
            found.update(action for entry in self._list("applied") if (action := str(entry.get("action"))) in ACTIONS)
        for key in ("pruned", "removed", "kept") if self.own in ("apply", "remove") else ():
            found[key] += len(self._list(key))
        return +found

    def waited(self) -> float:
        """Return how many of the seconds were spent waiting for somebody else."""
        if not self.shown:
            return 0.0
        seconds = self.result.get("seconds")
        if self.own == "apply" and isinstance(seconds, Mapping):
            return as_number(seconds.get("wait"))
        if self.own == "ask" and as_number(self.result.get("attempts")) > 1:
            return max(self.seconds - as_number(seconds), 0.0)
        return 0.0

    def line(self) -> str:
        """Return the line for this task, "" when there is nothing to tell."""
        if not self.tells():
            return ""
        return str(LINES[self.own](self)) if self.shown else self.name

    def objects(self) -> list[str]:
        """Return a line for each object that was (would be) changed or kept."""
        if not self.shown:
            return []
        entries: list[tuple[str, Mapping[str, Any]]] = []
        if self.own in ("apply", "sync_secrets", "random_secret"):
            entries += [(str(entry.get("action", "")), entry) for entry in self._list("applied")]
        if self.own in ("apply", "remove"):
            entries += [(key, entry) for key in ("pruned", "removed", "kept") for entry in self._list(key)]
        return [
            f"  {action} {object_name(entry)}{note(entry.get('note') or entry.get('reason'))}"
            for action, entry in entries
            if action in ACTIONS and action != "unchanged"
        ]

    def not_ready(self) -> list[str]:
        """Return the objects that did not become ready, or did not go."""
        key = {"apply": "not_ready", "remove": "hanging"}.get(self.own, "")
        return [object_name(entry) for entry in self._list(key)] if self.shown and key else []

    def endpoint(self) -> Mapping[str, Any]:
        """Return the fact that says where to send the first request, where this task sets it."""
        facts = self.result.get("ansible_facts")
        found = facts.get("__llmfleet_endpoint") if self.shown and isinstance(facts, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    def _list(self, key: str) -> list[Mapping[str, Any]]:
        value = self.result.get(key)
        return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, Sequence) else []

    def _head(self) -> str:
        return f"{self.layer}: " if self.layer else ""


def plain_label(label: Any) -> str:
    """Return an item's label when it is a name, "" for anything else, which may be a whole object."""
    return label if isinstance(label, str) and _PLAIN_LABEL.fullmatch(label) else ""


def plain_arguments(arguments: Any) -> dict[str, str]:
    """Return those of a task's arguments that are told, where they are no expressions."""
    given = arguments if isinstance(arguments, Mapping) else {}
    told = {key: given.get(key) for key in ("layer", "state", "method", "path")}
    return {key: value for key, value in told.items() if isinstance(value, str) and "{{" not in value}
