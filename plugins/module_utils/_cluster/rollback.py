# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release that does not become ready is taken back: its Deployment gets the pods of the last one that served.

What is applied again is the pod template alone; all else of the object, and all other objects, stay as described. The
next run finds the difference and tries the description again: the run that has taken something back has failed, and
so does every one after it until the description can be served. LeaderWorkerSets are never taken back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import FIELD_MANAGER, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import Item
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import REPLICA_SETS
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.readiness import READY, verdict
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.revisions import (
    SERVED_LABEL,
    available,
    last_served,
    marked,
    present,
    releases,
    revision,
    template_of,
    without_defaults,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.settle import Settler, told
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.tried import tried
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.wait import Ref, WaitError, wait_for

DEPLOYMENT, GROUPS = "Deployment", "LeaderWorkerSet"
MERGE = "application/merge-patch+json"


@dataclass
class Failure:
    """An object that did not become ready.

    details: lines of its pods, last words, events. attempt: in what the release that failed differs from the one that
    it went back to. back: revision that it went back to, 0 when it did not. going: pods of that one that served all
    along. serves: whether it serves now. outcome: what became of it, as a sentence without its subject.
    """

    ref: Ref
    reason: str
    details: list[str]
    attempt: list[str] = field(default_factory=list)
    back: int = 0
    going: int = 0
    serves: bool = False
    outcome: str = ""

    def text(self) -> str:
        """Return the report: what, why, what was tried, what became of it."""
        lines = [f"{self.ref}: {self.reason}", *(f"tried: {line}" for line in self.attempt), *self.details]
        return "\n  ".join([*lines, *([f"it {self.outcome}"] if self.outcome else [])])

    def summary(self) -> dict[str, Any]:
        """Return what the task's result says of it."""
        told_of = {"reason": self.reason, "revision": self.back, "serves": self.serves, "tried": self.attempt}
        return {**self.named(), **told_of}

    def named(self) -> dict[str, str]:
        """Return {kind, namespace, name}."""
        return {"kind": self.ref.kind, "namespace": self.ref.namespace, "name": self.ref.name}


@dataclass
class Outcome:
    """What a wait has found: what failed, of how many objects."""

    failures: list[Failure]
    total: int

    def result(self) -> dict[str, Any]:
        """Return what the task's result has more; nothing when nothing failed."""
        if not self.failures:
            return {}
        head = f"{len(self.failures)} of {self.total} objects did not become ready; the others were waited for:"
        back = [failure.summary() for failure in self.failures if failure.back]
        return {
            "failed": True,
            "msg": "\n".join([head, *(failure.text() for failure in self.failures)]),
            "not_ready": [{**failure.named(), "reason": failure.reason} for failure in self.failures],
            "rolled_back": back,
            **({"changed": True} if back else {}),
        }


def wait_or_roll_back(
    client: Client, cluster: str, items: Iterable[Item], timeout: float, progress: Callable[[str], None] | None = None
) -> Outcome:
    """Wait for all that was applied; take back each Deployment whose release fails, and go on waiting for the rest.

    items: of an apply, with the live objects as they were before it. timeout: seconds for the wait, and once more for
    what was taken back to serve again. Raises ClusterError when the cluster cannot be read.
    """
    return _Rollout(client, cluster, list(items), timeout, progress or (lambda text: None)).run()


class _Rollout:
    def __init__(
        self, client: Client, cluster: str, items: list[Item], timeout: float, progress: Callable[[str], None]
    ) -> None:
        self.client = client
        self.cluster = cluster
        self.items = {Ref.of(item.desired): item for item in items}
        self.timeout = timeout
        self.progress = progress
        self.failures: dict[Ref, Failure] = {}
        # What was gone back to and is not ready either: in words.
        self.unsettled: dict[Ref, str] = {}

    def run(self) -> Outcome:
        wait_for(self.client, self.items, self.timeout, progress=self.progress, on_failure=self._failed)
        deployments = [ref for ref in self.items if _is_deployment(ref)]
        self._mark([ref for ref in deployments if ref not in self.failures])
        back = [ref for ref, failure in self.failures.items() if failure.back]
        if back:
            for ref in back:
                self.failures[ref].serves = True
            wait_for(self.client, back, self.timeout, progress=self.progress, on_failure=self._still_fails)
            self._mark([ref for ref in back if ref not in self.unsettled])
            for ref in back:
                self._tell_outcome(self.failures[ref])
        return Outcome([self.failures[ref] for ref in sorted(self.failures)], len(self.items))

    def _failed(self, error: WaitError) -> Collection[Ref]:
        """Take back what can be taken back; return what is of no use without those that cannot."""
        useless: list[Ref] = []
        for ref, reason, details in error.failures:
            failure = self.failures[ref] = Failure(ref, reason, details)
            if ref.kind == GROUPS:
                failure.outcome = f"is left as it is: a {GROUPS} is not rolled back"
            elif _is_deployment(ref):
                try:
                    self._take_back(self.items[ref], failure)
                except ClusterError as trouble:
                    failure.outcome = f"could not be taken back: {told(trouble, self.items[ref])}"
            else:
                continue
            self.progress(f"{ref}: {reason}; it {failure.outcome}; the rest is waited for")
            if not failure.back:
                useless += [other for other in self.items if (other.namespace, other.name) == (ref.namespace, ref.name)]
        return useless

    def _take_back(self, item: Item, failure: Failure) -> None:
        live = self.client.find(item.path)
        if live is None:
            return
        own = releases(live, self.client.list(REPLICA_SETS, item.namespace))
        failed = present(live, own)
        if failed is None:
            failure.outcome = "is left as it is: its controller has made nothing of it yet"
            return
        if marked(failed):
            failure.outcome = "is left as it is: this very release has served before, so the cause lies elsewhere"
            return
        served = last_served(own, failed, _complete(item.live))
        if served is None:
            failure.outcome = "is left as it is: no release of it has served before"
            return
        failure.attempt = tried(template_of(served), template_of(failed))
        template = without_defaults(template_of(served), item.desired["spec"]["template"], template_of(live))
        earlier = Item({**item.desired, "spec": {**item.desired["spec"], "template": template}}, item.resource, live)
        failure.going = available(served)
        Settler(self.client, self.cluster, time.monotonic() + self.timeout).settle(earlier)
        failure.back = revision(served)
        failure.outcome = f"goes back to revision {failure.back}, the last release that served"
        item.note = f"failed, went back to revision {failure.back}"

    def _still_fails(self, error: WaitError) -> Collection[Ref]:
        for ref, reason, details in error.failures:
            failure = self.failures[ref]
            live = self.client.find(self.items[ref].path) or {}
            serving = (live.get("status") or {}).get("availableReplicas", 0)
            failure.serves = serving > 0
            how = f"serves with {serving} replicas only" if serving else "does not serve yet"
            self.unsettled[ref] = "\n    ".join([f"{how}: {reason}", *details])
        return ()

    def _tell_outcome(self, failure: Failure) -> None:
        how = self.unsettled.get(failure.ref) or ("still serves" if failure.going else "serves again")
        failure.outcome = f"went back to revision {failure.back}, the last release that served, which {how}"

    def _mark(self, refs: Collection[Ref]) -> None:
        """Label the releases of these Deployments that serve now, where that is not known yet: at most a write each."""
        names = {(ref.namespace, ref.name) for ref in refs}
        for namespace in sorted({ref.namespace for ref in refs}):
            for rs in self.client.list(REPLICA_SETS, namespace):
                if available(rs) and not marked(rs) and not names.isdisjoint(_owners(rs)):
                    self._label(rs)

    def _label(self, replica_set: Mapping[str, Any]) -> None:
        metadata = replica_set["metadata"]
        body = {"metadata": {"uid": metadata["uid"], "labels": {SERVED_LABEL: "true"}}}
        path = REPLICA_SETS.path(metadata["namespace"], metadata["name"])
        try:
            self.client.request("PATCH", path, query={"fieldManager": FIELD_MANAGER}, body=body, content_type=MERGE)
        except ApiError as error:
            if error.status not in (404, 409):  # it is gone, or another one has its name
                raise


def _is_deployment(ref: Ref) -> bool:
    return (ref.api_version, ref.kind) == ("apps/v1", DEPLOYMENT)


def _owners(replica_set: Mapping[str, Any]) -> set[tuple[str, str]]:
    metadata = replica_set["metadata"]
    owners = (o for o in metadata.get("ownerReferences") or [] if o.get("controller") and o.get("kind") == DEPLOYMENT)
    return {(str(metadata.get("namespace") or ""), str(owner.get("name"))) for owner in owners}


def _complete(live: Mapping[str, Any] | None) -> int:
    """Return the revision of a Deployment, as it was found, that served with all its pods; else 0."""
    if live is None or verdict(live).state != READY or not (live.get("status") or {}).get("availableReplicas"):
        return 0
    return revision(live)
