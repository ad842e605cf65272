# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m bench.apply``: our apply against kubectl, a loop of modules and the floors, on the lab."""

from __future__ import annotations

import argparse
import functools
import json
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError

from bench.contenders import (
    CREATE,
    NOTHING,
    Contender,
    KubectlApply,
    Loop,
    Ours,
    ReadOnly,
    Sample,
    Streams,
    lists,
)
from bench.lab import PREFIX, Audit, BenchError, Lab, Namespaces, namespaces, open_lab
from bench.latency import far_away
from bench.objects import Load, load
from bench.peaks import Peak, peak_of
from bench.report import machine, machine_text, positive
from bench.results import FAR_LIMITS, LIMITS, Results

_KINDS: tuple[type[Contender], ...] = (Ours, KubectlApply, Streams, Loop)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench.apply", description=__doc__)
    parser.add_argument("--models", type=positive, default=100, help="models of the fleet (100: about 1,100 objects)")
    parser.add_argument(
        "--rounds", type=positive, default=3, help="how often everything is measured; medians are told (3)"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", choices=[kind.name for kind in _KINDS], help="ours, kubectl, streams, loop"
    )
    parser.add_argument("--loop-sample", type=positive, default=22, help="objects a round of the looped module (22)")
    parser.add_argument(
        "--loop-all", action="store_true", help="all objects through the looped module: half an hour a round"
    )
    parser.add_argument(
        "--latency",
        type=positive,
        metavar="MS",
        help="also ours and kubectl with so much added to each round trip (30)",
    )
    parser.add_argument(
        "--memory", type=positive, metavar="MODELS", help="also the peak of our process with so many models (1000)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    parser.add_argument("--enforce", action="store_true", help="end with 3 when a target is missed")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print the table; return the exit code: 2 when it could not be measured, 130 when interrupted."""
    arguments = _arguments(given)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _measure(arguments)
    except (BenchError, ClusterError) as error:
        print(f"bench.apply: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench.apply: interrupted", file=sys.stderr)
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _measure(arguments: argparse.Namespace) -> int:
    lab = open_lab()
    facts = machine(lab)
    chosen = [kind for kind in _KINDS if not arguments.only or kind.name in arguments.only]
    Loop.size = None if arguments.loop_all else arguments.loop_sample
    far: list[Sample] = []
    peaks: dict[str, Peak] = {}
    with tempfile.TemporaryDirectory(prefix="llmfleet-bench-") as folder, namespaces(lab) as made:
        scratch = Path(folder)
        served = sorted({resource.kind for resource in lab.client().discovery.resources()})
        loads = {kind.name: load(arguments.models, f"{PREFIX}{kind.name}", lab.cluster, served) for kind in chosen}
        text = loads[chosen[0].name].text()
        print(f"{text}\n{machine_text(facts)}", flush=True)
        samples = _rounds(lab, scratch, made, [kind(lab, scratch) for kind in chosen], loads, arguments.rounds)
        if arguments.latency:
            print(f"with {arguments.latency} ms added to each round trip, one round:", flush=True)
            with far_away(lab, scratch, arguments.latency) as there:
                others = [kind(there, scratch) for kind in chosen if kind in (Ours, KubectlApply)]
                far = _rounds(lab, scratch, made, others, loads, 1)
        if arguments.memory:
            del loads
            peaks = peak_of(lab, scratch, made, load(arguments.memory, f"{PREFIX}memory", lab.cluster, served))
    return _report(arguments, facts, text, samples, far, peaks)


def _rounds(
    lab: Lab,
    scratch: Path,
    made: Namespaces,
    contenders: list[Contender],
    loads: Mapping[str, Load],
    rounds: int,
) -> list[Sample]:
    """Measure each contender at everything, each round in another order, and what Ansible takes by itself."""
    samples: list[Sample] = []
    for contender in contenders:
        contender.prepare(loads[contender.name])
    floor = ReadOnly(lab, scratch)
    floor.prepare(loads[contenders[0].name])
    for number in range(rounds):
        order = contenders[number % len(contenders) :] + contenders[: number % len(contenders)]
        for contender in order:
            samples += _one(lab, made, contender, loads[contender.name], number)
        samples.append(_told(floor.apply(NOTHING), number))
    return samples


def _one(lab: Lab, made: Namespaces, contender: Contender, what: Load, number: int) -> list[Sample]:
    """One round of one contender: its operations in a new namespace that is removed after it."""
    made.make(contender.namespace)
    audit = lab.audit()
    found = []
    for operation in contender.operations:
        # The controllers' own work on what was made before must not be measured.
        if not audit.quiet():
            print("the cluster did not become quiet within two minutes: measured all the same", flush=True)
        found.append(_measured(lab, audit, number, functools.partial(contender.apply, operation)))
    if isinstance(contender, Streams):
        audit.quiet()
        found.append(_measured(lab, audit, number, functools.partial(lists, lab, what, contender.namespace)))
    made.remove(contender.namespace)
    return found


def _measured(lab: Lab, audit: Audit, number: int, measure: Callable[[], Sample]) -> Sample:
    """Take one sample, with the requests and the CPU seconds that it cost the server."""
    audit.events()
    cpu = lab.server_cpu()
    sample = measure()
    sample.server_cpu = lab.server_cpu() - cpu
    sample.requests = audit.requests()
    return _told(sample, number)


def _told(sample: Sample, number: int) -> Sample:
    seconds = ", ".join(f"{name} {value:.2f}" for name, value in sample.seconds.items())
    print(
        f"  round {number + 1}: {sample.contender}, {sample.operation}: {seconds} s; "
        f"CPU {sample.cpu:.1f} s, of the server {sample.server_cpu:.1f} s",
        flush=True,
    )
    return sample


def _report(
    arguments: argparse.Namespace,
    facts: dict[str, Any],
    text: str,
    samples: list[Sample],
    far: list[Sample],
    peaks: Mapping[str, Peak],
) -> int:
    results = Results(samples, LIMITS)
    targets = results.targets()
    print(f"\n{results.table()}\n")
    print(f"Medians over {arguments.rounds} round(s) (lowest-highest). Nobody waits for readiness.")
    if ("loop", CREATE) in results.samples:
        sample = results.samples[("loop", CREATE)][0]
        print(f"The loop was measured on {sample.objects} objects a round, and its seconds scaled.")
    if far:
        there = Results(far, FAR_LIMITS, f"+{arguments.latency} ms: ")
        print(f"\nWith {arguments.latency} ms added to each round trip:\n\n{there.table()}\n")
        targets += there.targets()
    targets += [peak.target() for peak in peaks.values()]
    for target in targets:
        print(target)
    if arguments.json:
        document = {
            "benchmark": "apply",
            "machine": facts,
            "objects": {"models": arguments.models, "text": text},
            "rounds": arguments.rounds,
            "samples": [sample.as_dict() for sample in samples],
            "latency": {"ms": arguments.latency, "samples": [sample.as_dict() for sample in far]},
            "memory": {operation: peak.as_dict() for operation, peak in peaks.items()},
            "ratios": [target.as_dict() for target in targets],
        }
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    return 3 if arguments.enforce and not all(target.met for target in targets) else 0


if __name__ == "__main__":
    sys.exit(main())
