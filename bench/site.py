# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m bench.site``: a site.yml that has nothing to do, by role, against the Helm calls that it cannot avoid."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import helm_releases
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS

from bench import ROOT
from bench.lab import BenchError, Lab, Requests, open_lab
from bench.processes import Played, play, run
from bench.report import Spread, machine, machine_text, positive, table

_SITE = ROOT / "playbooks" / "site.yml"
# The name of the lab's cluster in inventories/lab.
_CLUSTER = "lab"
_SLOWEST = 10


@dataclass(frozen=True)
class HelmCall:
    """One call of helm that site.yml made: its first word, and how long it took."""

    verb: str
    seconds: float


@dataclass(frozen=True)
class Round:
    """One run of site.yml."""

    played: Played
    helm: list[HelmCall]
    requests: Requests

    def roles(self) -> dict[str, float]:
        """Seconds by role, in the order in which they ran."""
        found: dict[str, float] = {}
        for task in self.played.tasks:
            name = task.role.removeprefix("llmfleet.eks.") or "(no role)"
            found[name] = found.get(name, 0.0) + task.seconds
        return found


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench.site", description=__doc__)
    parser.add_argument("--rounds", type=positive, default=3, help="how often site.yml is run; medians are told (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Measure, print the tables; return the exit code: 2 when it could not be measured, 130 when interrupted."""
    arguments = _arguments(given)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _measure(arguments)
    except (BenchError, ClusterError) as error:
        print(f"bench.site: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench.site: interrupted", file=sys.stderr)
        return 130
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _measure(arguments: argparse.Namespace) -> None:
    lab = open_lab()
    releases = helm_releases(lab.client(), _CLUSTER)
    if not releases or any(release["status"] != "deployed" for release in releases):
        raise BenchError("the platform is not on the lab: run `ansible-playbook playbooks/site.yml` first")
    facts = machine(lab)
    print(machine_text(facts), flush=True)
    rounds: list[Round] = []
    status: list[float] = []
    with tempfile.TemporaryDirectory(prefix="llmfleet-bench-") as folder:
        for number in range(arguments.rounds):
            rounds.append(_site(lab, Path(folder)))
            status.append(sum(_status(lab, release) for release in releases))
            print(
                f"  round {number + 1}: site.yml {rounds[-1].played.ran.seconds:.2f} s, helm status {status[-1]:.2f} s",
                flush=True,
            )
    _report(arguments, facts, rounds, status, releases)


def _site(lab: Lab, scratch: Path) -> Round:
    """Run site.yml once, its helm through a script that notes times. Raises BenchError when it changed something."""
    script, log = scratch / "helm", scratch / "helm.log"
    log.write_text("")
    helm, noted = shlex.quote(lab.program("helm")), shlex.quote(str(log))
    script.write_text(
        f'#!/bin/sh\nbegan=$(date +%s.%N)\n{helm} "$@"\ncode=$?\n'
        f'echo "$1 $began $(date +%s.%N)" >>{noted}\nexit $code\n'
    )
    script.chmod(0o700)
    audit = lab.audit()
    audit.quiet(30.0)
    audit.events()
    played = play(_SITE, ["-e", f"llmfleet_helm_binary={script}"], lab.environment, scratch)
    requests = audit.requests()
    if played.changed or requests.writes:
        raise BenchError(
            f"site.yml had something to do (changed={played.changed}, writes={requests.writes}): run it again"
        )
    calls = []
    for line in log.read_text().splitlines():
        verb, began, ended = line.rsplit(" ", 2)
        calls.append(HelmCall(verb, float(ended) - float(began)))
    return Round(played, calls, requests)


def _status(lab: Lab, release: dict[str, str]) -> float:
    arguments = ["status", release["name"], "--namespace", release["namespace"], "--output", "json"]
    return run([lab.program("helm"), *arguments], lab.environment).seconds


def _layers() -> dict[str, str]:
    """The layers of each role: those of its tags in site.yml that are names of layers."""
    (site,) = yaml.safe_load(_SITE.read_text())
    return {
        entry["role"].removeprefix("llmfleet.eks."): ", ".join(tag for tag in entry["tags"] if tag in LAYERS)
        for entry in site["roles"]
    }


def _report(
    arguments: argparse.Namespace,
    facts: dict[str, Any],
    rounds: list[Round],
    status: list[float],
    releases: list[dict[str, str]],
) -> None:
    total = Spread.of([one.played.ran.seconds for one in rounds])
    unavoidable = Spread.of(status)
    layers = _layers()
    roles = {name: Spread.of([one.roles().get(name, 0.0) for one in rounds]) for name in rounds[0].roles()}
    rows = [[name, layers.get(name, ""), str(spread)] for name, spread in roles.items()]
    rest = Spread.of([one.played.ran.seconds - sum(one.roles().values()) for one in rounds])
    rows += [["start and end of ansible-playbook", "", str(rest)], ["total", "", str(total)]]
    print()
    print(table(["role", "layers", "s"], rows))
    print()
    tasks = {
        (place, task.name): Spread.of([one.played.tasks[place].seconds for one in rounds])
        for place, task in enumerate(rounds[0].played.tasks)
        if all(len(one.played.tasks) == len(rounds[0].played.tasks) for one in rounds)
    }
    slowest = sorted(tasks.items(), key=lambda item: item[1].median, reverse=True)[:_SLOWEST]
    print(table(["slowest tasks", "s"], [[name, str(spread)] for (_place, name), spread in slowest]))
    print()
    calls, names = rounds[-1].helm, [release["name"] for release in releases]
    helm = Spread.of([sum(call.seconds for call in one.helm) for one in rounds])
    print(f"Medians of {arguments.rounds} rounds (lowest-highest); {rounds[-1].requests.total} requests, no write.")
    print(f"helm was called {len(calls)} times ({', '.join(call.verb for call in calls)}): {helm} s")
    print(
        f"{len(releases)} calls of helm status ({', '.join(names)}): {unavoidable} s; "
        f"site.yml takes {total.median / unavoidable.median:.1f} times as long"
    )
    if arguments.json:
        document = {
            "benchmark": "site",
            "machine": facts,
            "releases": [release["name"] for release in releases],
            "helm_status_seconds": status,
            "rounds": [
                {
                    "seconds": one.played.ran.seconds,
                    "cpu_seconds": one.played.ran.cpu,
                    "roles": one.roles(),
                    "tasks": [
                        {"role": task.role, "name": task.name, "seconds": task.seconds} for task in one.played.tasks
                    ],
                    "helm": [{"verb": call.verb, "seconds": call.seconds} for call in one.helm],
                    "requests": dict(one.requests.verbs),
                }
                for one in rounds
            ],
        }
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
