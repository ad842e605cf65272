# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply of many objects: in waves, concurrently, and without any write for what is already as desired."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_futures
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import (
    CRD,
    CRDS,
    LAST,
    PARENTS,
    Item,
    prepare,
    wave,
    widen,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError, UnknownKind
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import diff_entry
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.settle import SETTLING, Settler, told
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.wait import Ref, WaitError, wait_for
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.applyset import is_parent
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import AFTER
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import (
    CLUSTER_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
)

# From this many absent objects of a kind on, one list of names is cheaper than a GET each.
_FEW = 3
# Seconds from the beginning of an apply in which a kind that is not served yet is asked for again.
_DISCOVERY_LAG = 6.0


@dataclass
class ApplyResult:
    """items in the order of the waves; seconds that it took."""

    items: list[Item] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def changed(self) -> bool:
        """Tell whether anything was (in check mode: would be) written."""
        return any(item.action not in ("", "unchanged") for item in self.items)

    def summary(self) -> list[dict[str, str]]:
        """Return [{kind, namespace, name, action, note}] of what was dealt with."""
        return [item.summary() for item in self.items if item.action]

    def counts(self) -> dict[str, int]:
        """Return how many objects were created, configured, replaced and unchanged."""
        found = dict.fromkeys(("created", "configured", "replaced", "unchanged"), 0)
        for item in self.items:
            if item.action:
                found[item.action] += 1
        return found

    def diffs(self) -> list[dict[str, str]]:
        """Return the Ansible diff entries of what changed."""
        return [
            diff_entry(item.live, item.after or item.desired)
            for item in self.items
            if item.action not in ("", "unchanged")
        ]


class ApplyError(ClusterError):
    """Some objects could not be applied: the text has one line for each; result holds what was done."""

    def __init__(self, errors: list[str], result: ApplyResult) -> None:
        """Take a line for each object that failed."""
        super().__init__("\n".join(errors))
        self.result = result


def apply(
    client: Client,
    objects: list[Any],
    cluster: str,
    layer: str,
    *,
    check: bool = False,
    force_conflicts: bool = False,
    adopt: bool = False,
    replace: Collection[str] = (),
    timeout: float = 300.0,
    progress: Callable[[str], None] | None = None,
    diffs: bool = True,
) -> ApplyResult:
    """Make the cluster hold these objects, with our ownership labels; write only where something differs.

    objects: plain Kubernetes objects. cluster, layer: go into the labels. check: server dry runs only.
    force_conflicts: take fields that other managers have set also while adopting (of ours they are always taken back,
    and named in the note). adopt: a Namespace that exists and is not ours becomes ours;
    any other such object is refused. replace: kinds deleted and made again where the server calls a field immutable.
    timeout: seconds for what must finish in between (a deletion under way, a CRD being established).
    diffs: whether the result's diffs() will be asked for; without them far less is read and kept.
    Raises ApplyError (with the partial result), ClusterError.
    """
    began = time.monotonic()
    settler = Settler(client, cluster, began + timeout, check, force_conflicts, adopt, replace, keep=diffs)
    job = _Apply(settler, progress or (lambda text: None))
    items = prepare(objects, cluster, layer)
    result = ApplyResult(sorted(items, key=lambda item: wave(item.desired)))
    try:
        job.run(result)
    finally:
        result.seconds = round(time.monotonic() - began, 3)
    return result


class _Apply:
    def __init__(self, settler: Settler, progress: Callable[[str], None]) -> None:
        self.settler = settler
        self.client = settler.client
        self.check = settler.check
        self.progress = progress
        self.patient_until = time.monotonic() + _DISCOVERY_LAG

    def run(self, result: ApplyResult) -> None:
        """Deal with the waves in order; check mode goes on after errors, to show all of them."""
        errors: list[str] = []
        for number in range(LAST + 1):
            batch = [item for item in result.items if wave(item.desired) == number]
            self._find(batch)
            if number == PARENTS:
                for item in batch:
                    widen(item)
            if number == LAST:
                self._wait_before(batch)
            self._each([item for item in batch if not item.error and not item.action], self.settler.settle)
            errors.extend(f"{item.title}: {item.error}" for item in batch if item.error)
            if errors and not self.check:
                break
            made = [item for item in batch if item.action in ("created", "configured", "replaced")]
            self.settler.new_namespaces |= {
                item.name for item in made if item.kind == "Namespace" and item.action == "created"
            }
            if number == CRDS and made and not self.check:
                self._establish(made)
        if errors:
            raise ApplyError(errors, result)

    def _wait_before(self, batch: list[Item]) -> None:
        """Wait for the Deployments that what is new in a batch comes after; without them it is not applied."""
        waiting: dict[Ref, list[Item]] = defaultdict(list)
        for item in batch:
            if item.live is None and not item.error and not item.action and not self.check:
                name = item.desired["metadata"]["annotations"][AFTER]
                waiting[Ref("apps/v1", "Deployment", item.namespace or "", name)].append(item)

        def failed(error: WaitError) -> Collection[Ref]:
            for ref, reason, details in error.failures:
                for item in waiting[ref]:
                    item.error = "\n  ".join([f"not applied, as {ref} is not ready: {reason}", *details])
            return ()

        if waiting:
            left = max(self.settler.deadline - time.monotonic(), 5.0)
            wait_for(self.client, waiting, left, progress=self.progress, on_failure=failed)

    def _establish(self, crds: list[Item]) -> None:
        """Wait until the CRDs are established and discovery has their kinds."""
        refs = [Ref(item.api_version, CRD, "", item.name) for item in crds]
        wait_for(self.client, refs, max(self.settler.deadline - time.monotonic(), 5.0), progress=self.progress)
        specs = [item.desired["spec"] for item in crds]
        self.settler.new_kinds |= {
            (f"{spec['group']}/{version['name']}", str(spec["names"]["kind"]))
            for spec in specs
            for version in spec["versions"]
            if version.get("served", True)
        }
        until = time.monotonic() + SETTLING
        while True:
            self.client.discovery.refresh()
            if all(self.client.discovery.has(*pair) for pair in self.settler.new_kinds) or time.monotonic() > until:
                return
            time.sleep(0.3)

    def _each(self, items: list[Item], step: Callable[[Item], None]) -> None:
        """Run a step for each item in threads; a ClusterError becomes the item's error."""

        def guarded(item: Item) -> None:
            try:
                step(item)
            except ClusterError as error:
                item.error = told(error, item)

        if not items:
            return
        with ThreadPoolExecutor(self.client.streams, thread_name_prefix="llmfleet-apply") as pool:
            running = {pool.submit(guarded, item): item for item in items}
            pending = set(running)
            while pending:
                done, pending = wait_futures(pending, timeout=15.0)
                for future in done:
                    future.result()
                if pending:
                    names = sorted(running[future].title for future in pending)
                    self.progress(f"applying: {len(names)} to go: {', '.join(names[:5])}")

    def _resource(self, item: Item) -> Resource:
        """Return an item's resource; a kind whose CRD a chart has just made may take seconds to show."""
        while True:
            try:
                return self.client.discovery.resource(item.api_version, item.kind)
            except UnknownKind:
                if self.check or time.monotonic() > self.patient_until:
                    raise
            time.sleep(1.0)
            self.client.discovery.refresh()

    def _find(self, batch: list[Item]) -> None:
        """Fill resource and live of each item with as few requests as possible."""
        groups: dict[tuple[Resource, str | None], list[Item]] = defaultdict(list)
        for item in batch:
            try:
                resource = self._resource(item)
            except UnknownKind as error:
                if not self.check:
                    item.error = str(error)
                else:
                    item.action, item.note = "created", "not validated: its CRD does not exist yet"
                continue
            if resource.namespaced != bool(item.namespace):
                item.error = (
                    "metadata.namespace is missing: the kind lives in namespaces"
                    if resource.namespaced
                    else f"metadata.namespace: got {item.namespace!r}; the kind lives in no namespace"
                )
                continue
            item.resource = resource
            if self.check and item.namespace in self.settler.new_namespaces:
                item.action, item.note = "created", f"not validated: namespace {item.namespace} does not exist yet"
                continue
            groups[(resource, item.namespace)].append(item)
        heads = [group[0] for group in groups.values()]
        self._each(heads, lambda head: self._read(groups[(_known(head), head.namespace)]))
        for head in heads:
            if head.error:
                for item in groups[(_known(head), head.namespace)]:
                    item.error = head.error

    def _read(self, group: list[Item]) -> None:
        """Read the live objects of one kind and namespace: one list of ours, and a look for others of our names."""
        resource, namespace = _known(group[0]), group[0].namespace
        absent = group
        if len(group) > 1:
            selector = f"{MANAGED_BY_LABEL}={MANAGED_BY},{CLUSTER_LABEL}={self.settler.cluster}"
            wanted = {item.name: item for item in group}

            def look(live: dict[str, Any]) -> tuple[Item, dict[str, Any] | None] | None:
                item = wanted.get(live["metadata"]["name"])
                if item is None:
                    return None
                # What a parent is to hold is known only when it was read.
                done = not is_parent(item.desired) and self.settler.as_desired(item, live)
                return item, None if done else live

            # Most are as desired: they are told while their list is read, and never kept.
            for item, live in self.client.each(resource, namespace, look, label_selector=selector):
                item.live = live
                item.action = "unchanged" if live is None else ""
            absent = [item for item in group if item.live is None and not item.action]
            if len(absent) > _FEW:
                names = {o["metadata"]["name"] for o in self.client.list(resource, namespace, metadata_only=True)}
                absent = [item for item in absent if item.name in names]
        for item in absent:
            item.live = self.client.find(item.path)


def _known(item: Item) -> Resource:
    if item.resource is None:
        raise ClusterError(f"{item.title}: its resource is not known")
    return item.resource
