# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator reads of a run, as text: one line for a finished task, the objects behind it, the summary.

Only counts, kinds, names, actions, notes and times of a result get into a text: no other field is looked at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

COLLECTION = "llmfleet.eks"
# Actions in the order in which they are told; the last ones change nothing.
_ACTIONS = ("created", "configured", "replaced", "pruned", "removed", "written", "unchanged", "kept")
_SAME = frozenset({"unchanged", "kept"})
# What the time of a role is spent waiting for, where it is not simply the cluster.
_WAITED_FOR = {
    "models": "waiting for vLLM to start",
    "weights": "waiting for the weights",
    "verify": "waiting for the gateway to answer",
}
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
        return self.own in _LINES

    def counts(self) -> Counter[str]:
        """Return how many objects got which action; with objects that only have been looked at."""
        if not self.shown:
            return Counter()
        found: Counter[str] = Counter()
        if self.own in ("apply", "chart_crds"):
            given = self.result.get("counts")
            for action, number in given.items() if isinstance(given, Mapping) else ():
                if action in _ACTIONS and isinstance(number, int):
                    found[str(action)] += number
        elif self.own == "sync_secrets":
            found.update(action for entry in self._list("applied") if (action := str(entry.get("action"))) in _ACTIONS)
        for key in ("pruned", "removed", "kept") if self.own in ("apply", "remove") else ():
            found[key] += len(self._list(key))
        return +found

    def waited(self) -> float:
        """Return how many of the seconds were spent waiting for somebody else."""
        if not self.shown:
            return 0.0
        seconds = self.result.get("seconds")
        if self.own == "apply" and isinstance(seconds, Mapping):
            return _number(seconds.get("wait"))
        if self.own == "ask" and _number(self.result.get("attempts")) > 1:
            return max(self.seconds - _number(seconds), 0.0)
        return 0.0

    def line(self) -> str:
        """Return the line for this task, "" when there is nothing to tell."""
        if not self.tells():
            return ""
        return str(_LINES[self.own](self)) if self.shown else self.name

    def objects(self) -> list[str]:
        """Return a line for each object that was (would be) changed or kept."""
        if not self.shown:
            return []
        entries: list[tuple[str, Mapping[str, Any]]] = []
        if self.own in ("apply", "sync_secrets"):
            entries += [(str(entry.get("action", "")), entry) for entry in self._list("applied")]
        if self.own in ("apply", "remove"):
            entries += [(key, entry) for key in ("pruned", "removed", "kept") for entry in self._list(key)]
        return [
            f"  {action} {_object(entry)}{_note(entry.get('note') or entry.get('reason'))}"
            for action, entry in entries
            if action in _ACTIONS and action != "unchanged"
        ]

    def not_ready(self) -> list[str]:
        """Return the objects that did not become ready, or did not go."""
        key = {"apply": "not_ready", "remove": "hanging"}.get(self.own, "")
        return [_object(entry) for entry in self._list(key)] if self.shown and key else []

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


def _objects_line(view: TaskView) -> str:
    counts = view.counts()
    noun = {"chart_crds": "definition", "sync_secrets": "Secret"}.get(view.own, "object")
    return f"{view._head()}{_told(counts, noun, view.check)}{_left(view)}{_trouble(view)} ({_times(view)})"


def _removal_line(view: TaskView) -> str:
    if "removed" not in view.result:  # a plan: the play prints it
        return ""
    return f"{view._head()}{_told(view.counts(), 'object', view.check)}{_trouble(view)} ({_times(view)})"


def _release_line(view: TaskView) -> str:
    release = view.result.get("release")
    changed = bool(view.result.get("changed"))
    if isinstance(release, Mapping):
        name = f"{release.get('namespace', '')}/{release.get('name', '')} {release.get('version', '')}".strip()
        did = "installed or upgraded"
    elif view.arguments.get("state") == "absent" and view.label:
        name, did = view.label, "uninstalled"
    else:
        return ""
    said = (f"would be {did}" if view.check else did) if changed else "unchanged"
    return f"{view._head()}Helm release {name}: {said} ({_seconds(view.seconds)})"


def _answer_line(view: TaskView) -> str:
    if not isinstance(view.result.get("status"), int):
        return ""
    asked = f"{view.arguments.get('method', 'GET')} {view.arguments.get('path', '')}".strip()
    attempts = int(_number(view.result.get("attempts")))
    several = f", {attempts} requests, waited {_seconds(view.waited())}" if attempts > 1 else ""
    about = f" {view.label}" if view.label else ""
    return f"{asked}{about}: HTTP {view.result['status']} in {_seconds(_number(view.result.get('seconds')))}{several}"


def _files_line(view: TaskView) -> str:
    if "files" not in view.result:
        return ""
    files, written, removed = (_length(view.result.get(key)) for key in ("files", "written", "removed"))
    counts = +Counter(written=written, removed=removed, unchanged=files - written)
    return f"{view.result.get('to', '')}: {_told(counts, 'file', view.check)}"


_LINES = {
    "apply": _objects_line,
    "chart_crds": _objects_line,
    "sync_secrets": _objects_line,
    "remove": _removal_line,
    "helm_release": _release_line,
    "ask": _answer_line,
    "render": _files_line,
}


def _told(counts: Counter[str], noun: str, check: bool) -> str:
    """Return e.g. "12 objects: 3 created, 9 unchanged; 2 pruned"; pruned objects are not among the wanted ones."""
    wanted = Counter({action: number for action, number in counts.items() if action != "pruned"})
    changing = sum(number for action, number in counts.items() if action not in _SAME)
    would = f", {changing or 'none'} would change" if check else ""
    what = ", ".join(f"{wanted[action]} {action}" for action in _ACTIONS if wanted[action])
    pruned = f"; {counts['pruned']} pruned" if counts["pruned"] else ""
    return f"{_amount(wanted.total(), noun)}{would}{': ' if what else ''}{what}{pruned}"


def _times(view: TaskView) -> str:
    seconds = view.result.get("seconds")
    if not isinstance(seconds, Mapping):
        return _seconds(view.seconds if seconds is None else _number(seconds))
    applied = f"{'checked' if view.check else 'applied'} in {_seconds(_number(seconds.get('apply')))}"
    return f"{applied}, waited {_seconds(view.waited())}" if view.waited() else applied


def _left(view: TaskView) -> str:
    found = _length(view.result.get("found")) if view.own == "chart_crds" else 0
    return f"; {found} of somebody else left as they are" if found else ""


def _trouble(view: TaskView) -> str:
    names = view.not_ready()
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"; {'left' if view.own == 'remove' else 'not ready'}: {', '.join(names[:3])}{more}"


def _object(entry: Mapping[str, Any]) -> str:
    place = "/".join(str(entry[key]) for key in ("namespace", "name") if entry.get(key))
    return f"{entry.get('kind', '')} {place}".strip()


def _note(note: Any) -> str:
    return f" ({note})" if note else ""


def _amount(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _length(value: Any) -> int:
    return len(value) if isinstance(value, Sequence) and not isinstance(value, str) else 0


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
            self.counts += Counter({key: number for key, number in part.counts().items() if key not in _SAME})
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
        right = len(_seconds(max([total, *(row.seconds for row in self.rows.values())])))
        for name, row in self.rows.items():
            waiting = f", {_seconds(row.waited)} of it {row.waited_for}" if row.waited >= 0.05 else ""
            lines.append(f"  {titles[name]:<{width}}  {_seconds(row.seconds):>{right}}{waiting}")
        lines.append(f"  {'total':<{width}}  {_seconds(total):>{right}}")
        return [*lines, *first_request(self.endpoint)]

    def _changed(self) -> str:
        verb = "would change" if self.check else "changed"
        if not self.changed_tasks and not self.counts:
            return "would change nothing" if self.check else "nothing changed"
        what = ", ".join(f"{self.counts[action]} {action}" for action in _ACTIONS if self.counts[action])
        objects = f", {_amount(self.counts.total(), 'object')} ({what})" if what else ""
        return f"{verb} in {_amount(self.changed_tasks, 'task')}{objects}"

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
    if models and endpoint.get("model_header"):
        lines.append(f"    {endpoint['model_header']}: {models}")
    if endpoint.get("keys_secret"):
        lines.append(f"    Authorization: Bearer and a key of Secret {endpoint['keys_secret']}")
    return lines
