# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples of bench.apply as a table and as ratios against the targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bench.contenders import CHANGE, CREATE, NOTHING, KubectlApply, Loop, Ours, ReadOnly, Sample, Streams
from bench.report import Spread, Target, table

# Our apply against kubectl, both beside the API server and far away from it.
LIMITS = {CREATE: 0.65, NOTHING: 0.1, CHANGE: 0.12}
FAR_LIMITS = dict.fromkeys(LIMITS, 0.15)
# The loop against our apply.
LOOP_LIMIT = 20.0
_TITLES = {
    **{kind.name: kind.title for kind in (Ours, KubectlApply, Loop)},
    Streams.name: Streams.title,
    "lists": "floor: a list of every kind",
    ReadOnly.name: ReadOnly.title,
}
_OPERATIONS = (CREATE, NOTHING, CHANGE)
_HEADS = ("", *(head for operation in _OPERATIONS for head in (f"{operation}, s", "requests")))


class Results:
    """samples: by contender and operation, in the order of the rounds."""

    def __init__(self, samples: Sequence[Sample], limits: Mapping[str, float], where: str = "") -> None:
        """Sort the samples of a run. limits: of our share of kubectl's time, by operation. where: goes before them."""
        self._limits = limits
        self._where = where
        self.samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
        for sample in samples:
            self.samples[(sample.contender, sample.operation)].append(sample)

    def table(self) -> str:
        """Return the Markdown table."""
        rows = []
        for name, title in _TITLES.items():
            timings = next(
                (found[0].seconds for (whose, _operation), found in self.samples.items() if whose == name), {}
            )
            for timing in timings:
                cells = [f"{title}: {timing}"]
                for operation in _OPERATIONS:
                    cells += self._cells(name, operation, timing)
                rows.append(cells)
        return table(_HEADS, rows)

    def _cells(self, name: str, operation: str, timing: str) -> list[str]:
        found = self.samples.get((name, operation))
        if not found:
            return ["", ""]
        of = f" for {found[-1].objects}" if name == Loop.name else ""
        return [str(Spread.of([sample.seconds[timing] for sample in found])), f"{found[-1].requests.total:,}{of}"]

    def targets(self) -> list[Target]:
        """Return the ratios. Targets are about the apply itself: Ansible starts once for all tasks of a playbook."""
        plugin, process = "in the plugin", "ansible-playbook"
        found = []
        for timing in (plugin, process):
            for operation, limit in self._limits.items():
                ours, theirs = (Ours.name, operation, timing), (KubectlApply.name, operation, "kubectl")
                found += self._ratio(f"ours ({timing}) / kubectl", ours, theirs, limit if timing == plugin else None)
        for operation in (CREATE, NOTHING):
            loop, ours = (Loop.name, operation, "all objects"), (Ours.name, operation, plugin)
            found += self._ratio(f"the loop / ours ({plugin})", loop, ours, LOOP_LIMIT, least=True)
        return found + self._writes()

    def _writes(self) -> list[Target]:
        """Return how many mutating requests we sent for each object that had to be written."""
        found = []
        for operation in _OPERATIONS:
            samples = self.samples.get((Ours.name, operation), [])
            if samples:
                spread = Spread.of([float(sample.requests.writes - sample.written) for sample in samples])
                what = f"{self._where}{operation}: our mutating requests beyond one for each object that differs"
                found.append(Target(what, spread.highest, spread, 0.0))
        return found

    def _ratio(
        self,
        what: str,
        one: tuple[str, str, str],
        other: tuple[str, str, str],
        limit: float | None,
        *,
        least: bool = False,
    ) -> list[Target]:
        """Return the ratio of two timings (contender, operation, timing), nothing when one was not measured."""
        above, below = ([sample.seconds[key[2]] for sample in self.samples.get(key[:2], [])] for key in (one, other))
        if not above or not below:
            return []
        value = Spread.of(above).median / Spread.of(below).median
        rounds = Spread.of([a / b for a, b in zip(above, below, strict=False)])
        return [Target(f"{self._where}{one[1]}: {what}", value, rounds, limit, least)]
