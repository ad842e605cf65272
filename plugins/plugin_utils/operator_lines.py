# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The line of a finished task, by action of this collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_words import (
    ACTIONS,
    SAME,
    amount,
    as_number,
    length,
    seconds_text,
)

if TYPE_CHECKING:
    from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_task import TaskView


def _objects_line(view: TaskView) -> str:
    counts = view.counts()
    noun = {"chart_crds": "definition", "sync_secrets": "Secret", "random_secret": "Secret"}.get(view.own, "object")
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
    return f"{view._head()}Helm release {name}: {said} ({seconds_text(view.seconds)})"


def _answer_line(view: TaskView) -> str:
    if not isinstance(view.result.get("status"), int):
        return ""
    asked = f"{view.arguments.get('method', 'GET')} {view.arguments.get('path', '')}".strip()
    attempts = int(as_number(view.result.get("attempts")))
    several = f", {attempts} requests, waited {seconds_text(view.waited())}" if attempts > 1 else ""
    about = f" {view.label}" if view.label else ""
    took = seconds_text(as_number(view.result.get("seconds")))
    return f"{asked}{about}: HTTP {view.result['status']} in {took}{several}"


def _files_line(view: TaskView) -> str:
    if "files" not in view.result:
        return ""
    files, written, removed = (length(view.result.get(key)) for key in ("files", "written", "removed"))
    counts = +Counter(written=written, removed=removed, unchanged=files - written)
    return f"{view.result.get('to', '')}: {_told(counts, 'file', view.check)}"


LINES = {
    "apply": _objects_line,
    "chart_crds": _objects_line,
    "sync_secrets": _objects_line,
    "random_secret": _objects_line,
    "remove": _removal_line,
    "helm_release": _release_line,
    "ask": _answer_line,
    "render": _files_line,
}


def _told(counts: Counter[str], noun: str, check: bool) -> str:
    """Return e.g. "12 objects: 3 created, 9 unchanged; 2 pruned"; pruned objects are not among the wanted ones."""
    wanted = Counter({action: number for action, number in counts.items() if action != "pruned"})
    changing = sum(number for action, number in counts.items() if action not in SAME)
    would = f", {changing or 'none'} would change" if check else ""
    what = ", ".join(f"{wanted[action]} {action}" for action in ACTIONS if wanted[action])
    pruned = f"; {counts['pruned']} pruned" if counts["pruned"] else ""
    return f"{amount(wanted.total(), noun)}{would}{': ' if what else ''}{what}{pruned}"


def _times(view: TaskView) -> str:
    seconds = view.result.get("seconds")
    if not isinstance(seconds, Mapping):
        return seconds_text(view.seconds if seconds is None else as_number(seconds))
    applied = f"{'checked' if view.check else 'applied'} in {seconds_text(as_number(seconds.get('apply')))}"
    return f"{applied}, waited {seconds_text(view.waited())}" if view.waited() else applied


def _left(view: TaskView) -> str:
    found = length(view.result.get("found")) if view.own == "chart_crds" else 0
    return f"; {found} of somebody else left as they are" if found else ""


def _trouble(view: TaskView) -> str:
    names = view.not_ready()
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"; {'left' if view.own == 'remove' else 'not ready'}: {', '.join(names[:3])}{more}"
