# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m bench.render``: a fleet described, checked and rendered on one core: seconds, how they grow, memory.

Each size is measured in a process of its own, so that its peak of memory is its own. Needs no lab.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.files import files
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import known_on_disk

from bench import ROOT
from bench.report import Spread, Target, host_facts, positive, table

SIZES = (100, 300, 1000)
# Targets for the largest size: seconds, MiB. Growth: seconds a model of the largest size to those of the smallest.
SECONDS, MEMORY, GROWTH = 2.0, 300.0, 1.5
_COMMIT = "0123456789abcdef0123456789abcdef01234567"
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """CPU seconds of one rendering, the objects that came of it, and the peak of the process' memory in bytes.

    write: of turning the objects into the text of files, which render.yml does and site.yml does not.
    """

    models: int
    objects: int
    describe: float
    render: float
    write: float
    peak: int

    @property
    def seconds(self) -> float:
        """Of what every run does: describe and render."""
        return self.describe + self.render


def fleet_variables(models: int) -> dict[str, Any]:
    """The variables of a fleet of so many models, written out as people write them, over ten pools."""
    return {
        "llmfleet_cluster": {"name": "bench", "region": "eu-west-3", "account": "123456789012"},
        "llmfleet_gpu_pools": [
            {
                "name": f"pool-{number}",
                "instance_families": ["g6"],
                "limit": 2 * models,
                "ami": {"ssm_parameter": "/aws/service/bottlerocket/aws-k8s-1.36-nvidia/x86_64/1.50.0/image_id"},
            }
            for number in range(10)
        ],
        "llmfleet_models": [
            {
                "name": f"model-{number:04}",
                "weights": {"repository": "bench/model", "revision": _COMMIT},
                "engine": {
                    "context_length": 8192,
                    "quantization": "fp8",
                    "tool_call_parser": "hermes",
                    "extra_args": ["--enforce-eager", "--seed=1"],
                    "env": {"VLLM_LOGGING_LEVEL": "INFO"},
                },
                "gpu": {"pool": f"pool-{number % 10}"},
                "scaling": {"min": 2, "max": 2},
                "labels": {"example.com/team": "bench"},
            }
            for number in range(models)
        ],
    }


def measure(models: int, repeats: int) -> list[Sample]:
    """Describe and render a fleet, each time from variables that nothing has touched."""
    known = known_on_disk()
    variables = fleet_variables(models)
    # Imports, tables and the card are read once a run of Ansible, whatever the fleet: not a part of what grows.
    desired(describe(fleet_variables(1)), known)
    found = []
    for _repeat in range(repeats):
        given = copy.deepcopy(variables)
        # What an earlier round left is nothing that this one has to sweep.
        gc.collect()
        began = time.process_time()
        fleet = describe(given)
        described = time.process_time()
        wanted = desired(fleet, known)
        rendered = time.process_time()
        # The memory is that of site.yml too: it is read before the texts are made.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        files(wanted)
        steps = (described - began, rendered - described, time.process_time() - rendered)
        found.append(Sample(models, len(wanted.objects), *steps, peak))
    return found


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench.render", description=__doc__)
    parser.add_argument("--models", type=positive, nargs="+", default=list(SIZES), help="sizes of the fleet")
    parser.add_argument("--rounds", type=positive, default=5, help="how often each is measured; medians are told (5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    parser.add_argument("--enforce", action="store_true", help="end with 3 when a target is missed")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(given)


def _in_a_process(models: int, rounds: int) -> list[Sample]:
    """Measure one size in a process of its own."""
    command = [sys.executable, "-m", "bench.render", "--one", "--models", str(models), "--rounds", str(rounds)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [Sample(**sample) for sample in json.loads(done.stdout)]


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print the table; return the exit code: 3 when a target was missed that was to be enforced."""
    arguments = _arguments(given)
    if arguments.one:
        # Any core will do, but only one: nothing may help in the background.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        json.dump([asdict(sample) for sample in measure(arguments.models[0], arguments.rounds)], sys.stdout)
        return 0
    sizes = sorted(set(arguments.models))
    samples = {size: _in_a_process(size, arguments.rounds) for size in sizes}
    targets = _targets(samples)
    print(_table(samples))
    print()
    print(f"CPU seconds of one core: medians over {arguments.rounds} round(s) (lowest-highest).")
    print(
        "Peak: of the whole process, before anything is written as YAML, which render.yml does and site.yml does not."
    )
    for target in targets:
        print(target)
    if arguments.json:
        document = {
            "benchmark": "render",
            "machine": host_facts(),
            "samples": [asdict(sample) for size in sizes for sample in samples[size]],
            "targets": [target.as_dict() for target in targets],
        }
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    return 3 if arguments.enforce and not all(target.met for target in targets) else 0


def _table(samples: dict[int, list[Sample]]) -> str:
    heads = [
        "models",
        "objects",
        "described and checked, s",
        "rendered, s",
        "both, s",
        "ms a model",
        "peak, MiB",
        "as YAML, s",
    ]
    rows = []
    for size, found in samples.items():
        both = Spread.of([sample.seconds for sample in found])
        rows.append(
            [
                str(size),
                str(found[0].objects),
                str(Spread.of([sample.describe for sample in found])),
                str(Spread.of([sample.render for sample in found])),
                str(both),
                f"{1000 * both.median / size:.2f}",
                f"{found[0].peak / _MIB:.0f}",
                str(Spread.of([sample.write for sample in found])),
            ]
        )
    return table(heads, rows)


def _targets(samples: dict[int, list[Sample]]) -> list[Target]:
    small, large = min(samples), max(samples)
    seconds = Spread.of([sample.seconds for sample in samples[large]])
    # Of the first round: what the texts of files took later stays with the process.
    peak = Spread.of([samples[large][0].peak / _MIB])
    # Targets are meant for the largest fleet of the standard sizes; others are told without one.
    full = large == SIZES[-1]
    found = [
        Target(f"{large} models, seconds", seconds.median, seconds, SECONDS if full else None),
        Target(f"{large} models, peak in MiB", peak.median, peak, MEMORY if full else None),
    ]
    if small != large:
        # The quickest rounds: a few hundredths of a second are easily disturbed.
        base = min(sample.seconds for sample in samples[small]) / small
        growth = Spread.of([sample.seconds / large / base for sample in samples[large]])
        limit = GROWTH if large > 2 * small else None
        found.append(Target(f"seconds a model, {large} to {small}", growth.lowest, growth, limit))
    return found


if __name__ == "__main__":
    sys.exit(main())
