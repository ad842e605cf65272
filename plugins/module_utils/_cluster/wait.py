# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for many objects at once; end early with the reason when one of them will not become ready."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import THREADS, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError, UnknownKind
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import (
    PODS,
    REPLICA_SETS,
    crashes,
    pods_of,
    regrouped,
    trouble,
    unready,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.readiness import (
    DEADLINE,
    FAILING,
    READY,
    WAITING,
    Verdict,
    has_rule,
    verdict,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.said import said_by
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.words import details_of, events_of
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.workloads import deadline_passed

_WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "Job", "LeaderWorkerSet"})
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 3.0
_PROGRESS_EVERY = 15.0
# An object that is not there: it may not have been made yet, or it will never be.
_ABSENT_GRACE = 30.0


@dataclass(frozen=True, order=True)
class Ref:
    """What to wait for; namespace is "" for kinds that live in none."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> Ref:
        """Return the reference of an object."""
        metadata = obj["metadata"]
        return cls(
            str(obj["apiVersion"]), str(obj["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"])
        )

    def __str__(self) -> str:
        """Return "Kind namespace/name"."""
        return describe({"kind": self.kind, "metadata": {"namespace": self.namespace, "name": self.name}})


class WaitError(ClusterError):
    """Not everything became ready: the text has a line for each object.

    objects: [{kind, namespace, name, reason}]. failures: of each of them (reference, reason, lines with the states of
    its pods, last words and events).
    """

    def __init__(self, message: str, failures: list[tuple[Ref, str, list[str]]]) -> None:
        """Take the message and what is not ready."""
        super().__init__(message)
        self.failures = failures
        self.objects = [
            {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "reason": reason}
            for ref, reason, _details in failures
        ]


def wait_for(
    client: Client,
    refs: Iterable[Ref],
    timeout: float,
    *,
    progress: Callable[[str], None] | None = None,
    on_failure: Callable[[WaitError], Collection[Ref]] | None = None,
) -> float:
    """Wait until all are ready, at most `timeout` seconds; return the seconds it took.

    One request a kind and namespace for each look, every 1 to 3 s. progress is told every 15 s what is missing
    and what Jobs at work said last.
    Raises WaitError as soon as one object has failed (a failed Job, a crashing pod, a refused route …) or at the end of
    the time, naming each object that is not ready, the reason and its last warning events.
    on_failure: is given such an error instead, and all that has not failed is waited for, but for the references that
    it returns.
    """
    return _Wait(client, sorted(set(refs)), timeout, progress or (lambda text: None), on_failure).run()


class _Wait:
    def __init__(
        self,
        client: Client,
        refs: list[Ref],
        timeout: float,
        progress: Callable[[str], None],
        on_failure: Callable[[WaitError], Collection[Ref]] | None = None,
    ) -> None:
        self.client = client
        self.on_failure = on_failure
        self.remaining: dict[Ref, Verdict] = {ref: Verdict(WAITING, "not looked at yet") for ref in refs}
        self.timeout = timeout
        self.progress = progress
        self.live: dict[Ref, dict[str, Any]] = {}
        self.pods: dict[str, list[dict[str, Any]]] = {}
        self.replica_sets: dict[str, list[dict[str, Any]]] = {}
        self.failing_since: dict[Ref, float] = {}
        self.crashed: dict[Ref, dict[tuple[str, str], str]] = defaultdict(dict)
        self.late_binding: dict[str, bool] = {}
        self.first = True
        self.late: set[Ref] = set()

    def run(self) -> float:
        began = told = time.monotonic()
        pause = _FIRST_PAUSE
        with ThreadPoolExecutor(THREADS, thread_name_prefix="llmfleet-wait") as pool:
            while self.remaining:
                failed = self._look(pool)
                now = time.monotonic()
                if failed or (self.remaining and now - began > self.timeout):
                    self._tell(failed, now - began)
                    continue
                if not self.remaining:
                    break
                if now - told >= _PROGRESS_EVERY:
                    told = now
                    self.progress(self._waiting_text(now - began))
                    jobs = [(ref.name, self._pods(ref)) for ref in self.remaining if ref.kind == "Job"]
                    for line in said_by(self.client, pool, jobs):
                        self.progress(line)
                time.sleep(min(pause, max(began + self.timeout - now, 0.05)))
                pause = min(pause * 1.3, _LONGEST_PAUSE)
        return round(time.monotonic() - began, 3)

    def _tell(self, failed: list[Ref], seconds: float) -> None:
        """Raise the error for what has failed (at the end of the time: for all that remains), or hand it over."""
        error = self._error(failed, seconds)
        if self.on_failure is None:
            raise error
        for ref in {*(failed or self.remaining), *self.on_failure(error)}:
            self.remaining.pop(ref, None)

    def _look(self, pool: ThreadPoolExecutor) -> list[Ref]:
        """Judge all that remain; drop the ready ones and return those that have failed for good."""
        groups: dict[tuple[str, str, str], list[Ref]] = defaultdict(list)
        for ref in self.remaining:
            groups[(ref.api_version, ref.kind, ref.namespace)].append(ref)
        found: dict[Ref, dict[str, Any]] = {}
        for part in pool.map(self._read, groups.values()):
            found.update(part)
        self.live = found
        verdicts = {ref: self._judge(ref, found.get(ref)) for ref in self.remaining}
        self.first = False
        self._look_at_pods(pool, verdicts)
        now = time.monotonic()
        failed = []
        for ref, judged in verdicts.items():
            if judged.state == READY:
                del self.remaining[ref]
                continue
            self.remaining[ref] = judged
            if judged.state != FAILING:
                self.failing_since.pop(ref, None)
            elif now - self.failing_since.setdefault(ref, now) >= judged.grace:
                failed.append(ref)
        return failed

    def _read(self, refs: list[Ref]) -> dict[Ref, dict[str, Any]]:
        first = refs[0]
        try:
            resource = self.client.discovery.resource(first.api_version, first.kind)
        except UnknownKind:
            self.client.discovery.refresh()
            return {}
        if len(refs) == 1:
            obj = self.client.find(resource.path(first.namespace or None, first.name))
            return {first: {**obj, "apiVersion": first.api_version, "kind": first.kind}} if obj else {}
        brief = not has_rule(first.api_version, first.kind)
        listed = self.client.list(resource, first.namespace or None, metadata_only=brief)
        by_name = {obj["metadata"]["name"]: obj for obj in listed}
        return {ref: by_name[ref.name] for ref in refs if ref.name in by_name}

    def _judge(self, ref: Ref, obj: dict[str, Any] | None) -> Verdict:
        if obj is None:
            return Verdict(FAILING, "does not exist", _ABSENT_GRACE)
        judged = verdict(obj)
        if ref.kind == "Deployment":
            # A deadline that had passed before this wait says nothing about it: the cause may be gone by now. The
            # condition stays until the rollout gets on, also when there is a new one to be rolled out.
            if self.first and deadline_passed(obj):
                self.late.add(ref)
            if ref in self.late and DEADLINE in judged.reason:
                return Verdict(WAITING, judged.reason)
        if ref.kind == "PersistentVolumeClaim" and judged.state == WAITING and self._binds_at_first_use(obj):
            return Verdict(READY, "binds when its first pod comes")
        return judged

    def _binds_at_first_use(self, claim: dict[str, Any]) -> bool:
        spec = claim.get("spec") or {}
        name = spec.get("storageClassName")
        if spec.get("volumeName") or not name:
            return False
        if name not in self.late_binding:
            resource = self.client.discovery.resource("storage.k8s.io/v1", "StorageClass")
            found = self.client.find(resource.path(None, name)) or {}
            self.late_binding[name] = found.get("volumeBindingMode") == "WaitForFirstConsumer"
        return self.late_binding[name]

    def _look_at_pods(self, pool: ThreadPoolExecutor, verdicts: dict[Ref, Verdict]) -> None:
        """Turn a workload that waits into a failing one when its pods cannot come up."""
        workloads = [ref for ref, judged in verdicts.items() if judged.state == WAITING and ref.kind in _WORKLOADS]
        namespaces = sorted({ref.namespace for ref in workloads})
        with_sets = sorted({ref.namespace for ref in workloads if ref.kind == "Deployment"})
        self.pods = dict(zip(namespaces, pool.map(lambda n: self.client.list(PODS, n), namespaces), strict=True))
        sets = pool.map(lambda n: self.client.list(REPLICA_SETS, n), with_sets)
        self.replica_sets = dict(zip(with_sets, sets, strict=True))
        for ref in workloads:
            pods = self._pods(ref)
            found = trouble(pods, crashes_count=ref.kind != "Job")
            if found:
                verdicts[ref] = found[0]
            elif ref.kind == "LeaderWorkerSet":
                self.crashed[ref].update(crashes(pods))
                verdicts[ref] = regrouped(self.crashed[ref]) or verdicts[ref]

    def _pods(self, ref: Ref) -> list[dict[str, Any]]:
        obj = self.live.get(ref)
        if obj is None or ref.kind not in _WORKLOADS:
            return []
        if ref.namespace not in self.pods:
            self.pods[ref.namespace] = self.client.list(PODS, ref.namespace)
        if ref.kind == "Deployment" and ref.namespace not in self.replica_sets:
            self.replica_sets[ref.namespace] = self.client.list(REPLICA_SETS, ref.namespace)
        return pods_of(obj, self.pods[ref.namespace], self.replica_sets.get(ref.namespace, []))

    def _waiting_text(self, seconds: float) -> str:
        shown = [f"{ref} ({judged.reason})" for ref, judged in list(self.remaining.items())[:4]]
        more = len(self.remaining) - len(shown)
        text = ", ".join(shown) + (f" and {more} more" if more > 0 else "")
        return f"waiting for {text}: {seconds:.0f} s of {self.timeout:.0f} s"

    def _error(self, failed: list[Ref], seconds: float) -> WaitError:
        """Return the error for what has failed, or, at the end of the time, for all that is not ready."""
        told = failed or list(self.remaining)
        pods = {ref: self._pods(ref) for ref in told}
        events = events_of(self.client, [((ref.namespace, ref.name), found) for ref, found in pods.items()])
        lines, failures = [], []
        for ref in told:
            reason = self.remaining[ref].reason
            known = [line for line in unready(pods[ref])[:3] if line not in reason]
            details = [*known, *details_of(self.client, (ref.namespace, ref.name), pods[ref], events)]
            lines.append(f"{ref}: {reason}" + "".join(f"\n  {line}" for line in details))
            failures.append((ref, reason, details))
        if failed:
            head = f"failed after {seconds:.0f} s:"
            others = [str(ref) for ref in self.remaining if ref not in failed]
            if others:
                lines.append(f"not ready at that time either: {', '.join(others)}")
        else:
            head = f"not ready after {self.timeout:.0f} s:"
        return WaitError("\n".join([head, *lines]), failures)
