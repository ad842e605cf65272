# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory our apply takes for many models, in a process that does nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contenders import CHANGE, CREATE, NOTHING
from bench.lab import BenchError, Lab, Namespaces
from bench.objects import Load
from bench.processes import run
from bench.report import Spread, Target

# MiB of the process for a thousand models, whatever is to be done.
LIMIT = 300.0


@dataclass(frozen=True)
class Peak:
    """What `python -m bench.memory` told. mib: {"libraries", "loaded" (with the objects to apply), "peak"}."""

    operation: str
    models: int
    objects: int
    mib: Mapping[str, float]
    seconds: float

    def target(self) -> Target:
        """Return the peak against its limit."""
        parts = f"libraries {self.mib['libraries']:.0f}, with the objects as they come {self.mib['loaded']:.0f}"
        what = f"{self.models} models, {self.objects} objects: {self.operation}: peak of the process in MiB ({parts})"
        return Target(what, self.mib["peak"], Spread.of([self.mib["peak"]]), LIMIT)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        return {"models": self.models, "objects": self.objects, "seconds": self.seconds, "mib": dict(self.mib)}


def peak_of(lab: Lab, scratch: Path, made: Namespaces, load: Load) -> dict[str, Peak]:
    """Apply the objects of a load three times, each in a process of its own; return the peaks by operation."""
    before, after = scratch / "memory.json", scratch / "memory-changed.json"
    before.write_text(json.dumps(load.objects))
    after.write_text(json.dumps(load.changed))
    made.make("bench-memory")
    found = {}
    for operation, file, action in (
        (CREATE, before, "created"),
        (NOTHING, before, "unchanged"),
        (CHANGE, after, "configured"),
    ):
        command = [sys.executable, "-m", "bench.memory", str(file), str(lab.kubeconfig), lab.cluster]
        told = json.loads(run(command, lab.environment).output)
        wanted = load.differing if operation == CHANGE else len(load.objects)
        if told["counts"].get(action) != wanted:
            raise BenchError(f"memory: {operation}: expected {wanted} {action}, got {told['counts']}")
        found[operation] = Peak(operation, load.models, len(load.objects), told["mib"], told["seconds"])
        print(f"  memory: {operation}: {told['mib']['peak']:.0f} MiB, {told['seconds']:.1f} s", flush=True)
    made.remove("bench-memory")
    return found
