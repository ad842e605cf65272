# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks print and write: medians with their spread, ratios against targets, the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.lab import Lab


@dataclass(frozen=True)
class Spread:
    """The median of some measurements, and the lowest and highest of them."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        """Return e.g. "6.21 (6.02-6.60)"."""
        if self.lowest == self.highest:
            return _number(self.median)
        return f"{_number(self.median)} ({_number(self.lowest)}-{_number(self.highest)})"

    def as_dict(self) -> dict[str, float]:
        """Return it as JSON can carry it."""
        return {"median": self.median, "lowest": self.lowest, "highest": self.highest}


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, aligned, that can be pasted into docs/benchmarks.md."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def positive(text: str) -> int:
    """Return a number of an argument. Raises ValueError."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def host_facts() -> dict[str, Any]:
    """What figures depend on that need no cluster."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M %Z"),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "ansible_core": importlib.metadata.version("ansible-core"),
        "load_before": [round(value, 2) for value in os.getloadavg()],
    }


def machine(lab: Lab) -> dict[str, Any]:
    """What the figures depend on."""
    return {**host_facts(), "kubernetes": str(lab.client().get("/version")["gitVersion"])}


def machine_text(facts: dict[str, Any]) -> str:
    """The machine in one line."""
    return (
        f"{facts['cores']} cores ({facts['processor']}), {facts['memory_gib']} GiB; load before "
        f"{'/'.join(map(str, facts['load_before']))}; Kubernetes {facts['kubernetes']} on the same cores; "
        f"ansible-core {facts['ansible_core']}, Python {facts['python']}; {facts['date']}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


@dataclass(frozen=True)
class Target:
    """A ratio of medians, and what it must be at most (at least, where least is true); limit None: told only.

    rounds: the ratio of each round by itself.
    """

    what: str
    value: float
    rounds: Spread
    limit: float | None
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.least else self.value <= self.limit

    def __str__(self) -> str:
        """Return a line."""
        text = f"{self.what}: {_number(self.value)} (in rounds {_number(self.rounds.lowest)}-"
        text += f"{_number(self.rounds.highest)})"
        if self.limit is None:
            return text
        return (
            f"{text}; target at {'least' if self.least else 'most'} {self.limit:g}: {'met' if self.met else 'MISSED'}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        return {
            "what": self.what,
            "value": self.value,
            "rounds": self.rounds.as_dict(),
            "limit": self.limit,
            "least": self.least,
            "met": self.met,
        }
