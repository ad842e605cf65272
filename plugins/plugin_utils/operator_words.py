# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that the lines of tasks and the summary share: amounts, times, names of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Actions in the order in which they are told; the last ones change nothing.
ACTIONS = ("created", "configured", "replaced", "pruned", "removed", "written", "unchanged", "kept")
SAME = frozenset({"unchanged", "kept"})


def object_name(entry: Mapping[str, Any]) -> str:
    """Return kind, namespace and name, e.g. "Job llm/fetch"."""
    place = "/".join(str(entry[key]) for key in ("namespace", "name") if entry.get(key))
    return f"{entry.get('kind', '')} {place}".strip()


def note(note: Any) -> str:
    """Return a note in parentheses, "" for none."""
    return f" ({note})" if note else ""


def amount(number: int, noun: str) -> str:
    """Return e.g. "no objects", "1 object", "2 objects"."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def seconds_text(value: float) -> str:
    """Return seconds as text."""
    return f"{value:.1f} s"


def as_number(value: Any) -> float:
    """Return a number as it is, 0 for anything else."""
    return float(value) if isinstance(value, int | float) else 0.0


def length(value: Any) -> int:
    """Return the length of a list, 0 for anything else."""
    return len(value) if isinstance(value, Sequence) and not isinstance(value, str) else 0
