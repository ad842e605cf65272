# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples of bench.apply as a table and as ratios against the targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from bench.contenders import CREATE, NOTHING, KubectlApply, Loop, Ours, ReadOnly, Sample, Streams
from bench.report import Spread, Target, table

# Our apply against kubectl; the loop against our apply.
CREATE_LIMIT, NOTHING_LIMIT, LOOP_LIMIT = 0.75, 0.15, 20.0
_TITLES = {
    **{kind.name: kind.title for kind in (Ours, KubectlApply, Loop)},
    Streams.name: Streams.title,
    "lists": "floor: a list of every kind",
    ReadOnly.name: ReadOnly.title,
}
_HEADS = ("", "create, s", "requests", "nothing to do, s", "requests")


class Results:
    """samples: by contender and operation, in the order of the rounds."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        """Sort the samples of a run."""
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
                for operation in (CREATE, NOTHING):
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
            for operation, limit in ((CREATE, CREATE_LIMIT), (NOTHING, NOTHING_LIMIT)):
                ours, theirs = (Ours.name, operation, timing), (KubectlApply.name, operation, "kubectl")
                found += self._ratio(f"ours ({timing}) / kubectl", ours, theirs, limit if timing == plugin else None)
        for operation in (CREATE, NOTHING):
            loop, ours = (Loop.name, operation, "all objects"), (Ours.name, operation, plugin)
            found += self._ratio(f"the loop / ours ({plugin})", loop, ours, LOOP_LIMIT, least=True)
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
        return [Target(f"{one[1]}: {what}", value, rounds, limit, least)]
