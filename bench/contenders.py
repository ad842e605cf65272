# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured against each other: each brings the same objects into a namespace of its own."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import THREADS

from bench.lab import BenchError, Lab, Requests
from bench.objects import Load
from bench.processes import PLAYBOOKS, Played, Ran, play, run

CREATE, NOTHING, CHANGE = "create", "nothing to do", "1 model changed"


@dataclass
class Sample:
    """One measurement.

    seconds: by what was timed. cpu: CPU seconds of the contender; server_cpu: of the API server and etcd meanwhile.
    written: how many objects had to be written.
    """

    contender: str
    operation: str
    seconds: dict[str, float]
    objects: int
    cpu: float = 0.0
    server_cpu: float = 0.0
    requests: Requests = field(default_factory=Requests)
    written: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        return {
            "contender": self.contender,
            "operation": self.operation,
            "objects": self.objects,
            "seconds": self.seconds,
            "cpu_seconds": round(self.cpu, 3),
            "server_cpu_seconds": round(self.server_cpu, 3),
            "requests": dict(self.requests.verbs),
            "writes": self.requests.writes,
        }


class Contender:
    """name: of its namespace. title: in the report. operations: what it is measured at, in this order."""

    name = ""
    operations: tuple[str, ...] = (CREATE, NOTHING)
    title = ""
    namespace = ""

    def __init__(self, lab: Lab, scratch: Path) -> None:
        """Take a folder for files."""
        self.lab = lab
        self.scratch = scratch
        self.namespace = f"bench-{self.name}"

    def prepare(self, load: Load) -> None:
        """Write what is read later; not measured."""

    def apply(self, operation: str) -> Sample:
        """Apply all objects and take the time. Raises BenchError when something else happened than was meant to."""
        raise NotImplementedError


class Ours(Contender):
    """The task llmfleet.eks.apply of a playbook, without waiting for readiness: kubectl does not wait, either."""

    name = "ours"
    title = "llmfleet.eks.apply"
    operations = (CREATE, NOTHING, CHANGE)

    def prepare(self, load: Load) -> None:
        self._objects, self._differing = len(load.objects), load.differing
        self._arguments = _ansible_arguments(self.lab, self.scratch / "ours", load.objects)
        self._changed = _ansible_arguments(self.lab, self.scratch / "ours-changed", load.changed)

    def apply(self, operation: str) -> Sample:
        arguments = self._changed if operation == CHANGE else self._arguments
        played = play(PLAYBOOKS / "apply.yml", arguments, self.lab.environment, self.scratch)
        task = played.task("Apply")
        counts = {action: number for action, number in task.result["counts"].items() if number}
        wanted = {"created" if operation == CREATE else "unchanged": self._objects}
        if operation == CHANGE:
            wanted = {"configured": self._differing, "unchanged": self._objects - self._differing}
        if counts != wanted:
            raise BenchError(f"{self.title}: expected {wanted}, got {counts}")
        seconds = {
            "in the plugin": float(task.result["seconds"]["apply"]),
            "the task": task.seconds,
            "ansible-playbook": played.ran.seconds,
        }
        written = self._objects - counts.get("unchanged", 0)
        return Sample(self.name, operation, seconds, self._objects, played.ran.cpu, written=written)


class ReadOnly(Contender):
    """The playbook of Ours without the apply: what Ansible itself takes for it."""

    name = "read-only"
    title = "floor: the same playbook without the apply"

    def prepare(self, load: Load) -> None:
        self._objects = len(load.objects)
        self._arguments = [*_ansible_arguments(self.lab, self.scratch / "read-only", load.objects), "--tags", "read"]

    def apply(self, operation: str) -> Sample:
        ran = play(PLAYBOOKS / "apply.yml", self._arguments, self.lab.environment, self.scratch).ran
        return Sample(self.name, operation, {"ansible-playbook": ran.seconds}, self._objects, ran.cpu)


class KubectlApply(Contender):
    """kubectl apply --server-side of one file of YAML documents; what it learns of the API is cached before."""

    name = "kubectl"
    title = "kubectl apply --server-side"
    operations = (CREATE, NOTHING, CHANGE)

    def prepare(self, load: Load) -> None:
        self._objects = len(load.objects)
        self._file, self._changed = self.scratch / "kubectl.yaml", self.scratch / "kubectl-changed.yaml"
        for file, objects in ((self._file, load.objects), (self._changed, load.changed)):
            file.write_text(yaml.dump_all(objects, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
        self._kubectl("api-resources")

    def _kubectl(self, *arguments: str) -> Ran:
        program, cache = self.lab.program("kubectl"), f"--cache-dir={self.scratch / 'kubectl-cache'}"
        return run([program, cache, *arguments], self.lab.environment)

    def apply(self, operation: str) -> Sample:
        ran = self._kubectl("apply", "--server-side", "-f", str(self._changed if operation == CHANGE else self._file))
        applied = len(re.findall(r" serverside-applied$", ran.output, re.MULTILINE))
        if applied != self._objects:
            raise BenchError(f"kubectl applied {applied} of {self._objects} objects:\n{ran.output[-2000:]}")
        return Sample(self.name, operation, {"kubectl": ran.seconds}, self._objects, ran.cpu)


class Loop(Contender):
    """A looped kubernetes.core.k8s over a sample of the objects: of all kinds in their share."""

    name = "loop"
    title = "looped kubernetes.core.k8s"
    # Objects a round; None for all of them.
    size: int | None = 22

    def prepare(self, load: Load) -> None:
        self._all = len(load.objects)
        sample = load.objects if self.size is None else load.sample(self.size)
        self._objects = len(sample)
        self._arguments = _ansible_arguments(self.lab, self.scratch / "loop", sample)

    def apply(self, operation: str) -> Sample:
        played: Played = play(
            PLAYBOOKS / "loop.yml", self._arguments, self.lab.environment, self.scratch, timeout=3 * 3600
        )
        if (played.changed > 0) != (operation == CREATE):
            raise BenchError(f"{self.title}: {operation}: changed={played.changed}")
        taken = played.task("Loop").seconds
        seconds = {"all objects": taken * self._all / self._objects, "measured": taken}
        return Sample(self.name, operation, seconds, self._objects, played.ran.cpu)


class Streams(Contender):
    """Nothing but server-side applies of the same bodies, from as many threads as our apply has."""

    name = "streams"
    title = f"floor: {THREADS} streams of PATCH"

    def prepare(self, load: Load) -> None:
        self._load = load

    def apply(self, operation: str) -> Sample:
        client = self.lab.client()
        resource = client.discovery.resource
        paths = [
            resource(obj["apiVersion"], obj["kind"]).path(self.namespace, obj["metadata"]["name"])
            for obj in self._load.objects
        ]
        began, cpu = time.monotonic(), time.process_time()
        _each(lambda pair: client.apply(*pair), list(zip(paths, self._load.objects, strict=True)))
        seconds = time.monotonic() - began
        return Sample(self.name, operation, {"requests": seconds}, len(paths), time.process_time() - cpu)


def lists(lab: Lab, load: Load, namespace: str) -> Sample:
    """List every kind once, from threads: less cannot tell that nothing is to be done."""
    client = lab.client()
    resources = [client.discovery.resource(*kind) for kind in load.kinds()]
    began, cpu = time.monotonic(), time.process_time()
    found = Counter[str]()

    def one(resource: Any) -> None:
        found[resource.kind] = len(client.list(resource, namespace))

    _each(one, resources)
    seconds = time.monotonic() - began
    # Some kinds have an object that the cluster makes in every namespace.
    if found.total() < len(load.objects):
        raise BenchError(f"lists found {found.total()} of {len(load.objects)} objects")
    return Sample("lists", NOTHING, {"requests": seconds}, found.total(), time.process_time() - cpu)


def _each(step: Callable[[Any], Any], items: Sequence[Any]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for _done in pool.map(step, items):
            pass


def _ansible_arguments(lab: Lab, stem: Path, objects: list[dict[str, Any]]) -> list[str]:
    """Write the objects and the variables; return the arguments of ansible-playbook."""
    file, variables = stem.with_suffix(".json"), stem.with_suffix(".vars.json")
    file.write_text(json.dumps(objects))
    cluster = {"name": lab.cluster, "kubeconfig": str(lab.kubeconfig)}
    variables.write_text(json.dumps({"llmfleet_cluster": cluster, "bench_file": str(file)}))
    return ["-i", "bench,", "-e", f"@{variables}"]
