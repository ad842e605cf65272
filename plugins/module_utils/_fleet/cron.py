# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cron expressions of five fields, as KEDA's parser takes them (github.com/robfig/cron, its standard form)."""

from __future__ import annotations

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# (name, least, most, names of the values from least on)
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)


def problem(text: str) -> str | None:
    """Return what is wrong with an expression, None when nothing is."""
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return f"{len(parts)} fields"
    for part, (name, least, most, names) in zip(parts, _FIELDS, strict=True):
        for entry in part.split(","):
            if not _fits(entry, least, most, names):
                return f"{name} {entry!r}"
    return None


def _fits(entry: str, least: int, most: int, names: tuple[str, ...]) -> bool:
    """Whether an entry is a value, a range, or either of them or a star with a step."""
    values, slash, step = entry.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    if values in ("*", "?"):
        return True
    first, dash, last = values.partition("-")
    numbers = [_number(text, least, names) for text in ((first, last) if dash else (first,))]
    known = [number for number in numbers if number is not None]
    return len(known) == len(numbers) and all(least <= number <= most for number in known) and known == sorted(known)


def _number(text: str, least: int, names: tuple[str, ...]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + least
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None
