# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take away what is ours, stage by stage, and say what hangs. Finalizers are never stripped here."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import THREADS, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import Owned
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.plan import (
    AFTER_CHARTS,
    BEFORE_CHARTS,
    STAGES,
    foreign_in_namespace,
    instances,
    make_plan,
    stage_of,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import PODS

PARTS = {"before_charts": BEFORE_CHARTS, "after_charts": AFTER_CHARTS, "all": STAGES}
# Owners that are gone only when what they own is gone: their pods, their nodes.
_FOREGROUND = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "NodePool", "LeaderWorkerSet"}
)
# What controllers make for an object without an owner reference, and take away by themselves: (kind's group, plural,
# label selector). It costs money (nodes, load balancers), so the wait goes on until it is gone too.
_GATEWAY = "gateway.envoyproxy.io/owning-gateway"
_FOLLOWERS: dict[tuple[str, str], list[tuple[str, str, str]]] = {
    ("gateway.networking.k8s.io", "Gateway"): [
        ("", "services", f"{_GATEWAY}-name={{name}},{_GATEWAY}-namespace={{namespace}}"),
        ("apps", "deployments", f"{_GATEWAY}-name={{name}},{_GATEWAY}-namespace={{namespace}}"),
    ],
    ("karpenter.sh", "NodePool"): [
        ("karpenter.sh", "nodeclaims", "karpenter.sh/nodepool={name}"),
        ("", "nodes", "karpenter.sh/nodepool={name}"),
    ],
}
_PROGRESS_EVERY = 15.0


@dataclass
class Removal:
    """What a removal did: removed and kept as plain data ({kind, namespace, name}, kept with a reason), seconds."""

    removed: list[dict[str, str]] = field(default_factory=list)
    kept: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0


class RemovalError(ClusterError):
    """Something did not go within the time: the text names each such object with its finalizers and conditions."""

    def __init__(self, message: str, removal: Removal, hanging: list[dict[str, Any]]) -> None:
        """Take the message, what was done, and what hangs [{kind, namespace, name, finalizers, conditions}]."""
        super().__init__(message)
        self.removal = removal
        self.hanging = hanging


def remove(
    client: Client,
    cluster: str,
    layer: str,
    *,
    part: str = "all",
    timeout: float = 600.0,
    foreign_content: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Removal:
    """Delete our objects of one layer, each stage only when the one before is gone.

    part: before_charts (what the layer's controllers must finish), after_charts (settings, CRDs, namespaces), all.
    timeout: seconds for all of it. foreign_content: delete our namespaces and CRDs also when others' objects go with
    them; else these are kept, with the reason. Raises RemovalError, ClusterError.
    """
    job = _Removal(client, cluster, timeout, foreign_content, progress or (lambda text: None))
    began = time.monotonic()
    try:
        for step in make_plan(client, cluster, layer):
            for stage in PARTS[part]:
                job.stage(step.stages.get(stage, []))
    finally:
        job.result.seconds = round(time.monotonic() - began, 3)
    return job.result


def delete_all(
    client: Client, cluster: str, objects: list[Owned], *, timeout: float, foreign_content: bool = False
) -> None:
    """Delete these objects, stage by stage, and wait until they are gone. Raises RemovalError, ClusterError."""
    job = _Removal(client, cluster, timeout, foreign_content, lambda text: None)
    for stage in STAGES:
        job.stage([obj for obj in objects if stage_of(obj.resource) == stage])


class _Removal:
    def __init__(
        self, client: Client, cluster: str, timeout: float, foreign: bool, progress: Callable[[str], None]
    ) -> None:
        self.client = client
        self.cluster = cluster
        self.timeout = timeout
        self.deadline = time.monotonic() + timeout
        self.foreign = foreign
        self.progress = progress
        self.result = Removal()

    def stage(self, objects: list[Owned]) -> None:
        """Delete the objects of one stage at once and wait until they, and what follows them, are gone."""
        going = [obj for obj in objects if not self._kept(obj)]
        if not going:
            return
        with ThreadPoolExecutor(THREADS, thread_name_prefix="llmfleet-remove") as pool:
            list(pool.map(self._delete, going))
            self._until_gone(pool, going)
        self.result.removed.extend(_named(obj) for obj in going)
        if any(obj.resource.kind == "CustomResourceDefinition" for obj in going):
            self.client.discovery.refresh()

    def _kept(self, obj: Owned) -> bool:
        """Decide about what takes other objects along: a namespace, a CRD."""
        if self.foreign or obj.deleting:
            return False
        if obj.resource.kind == "Namespace":
            held = foreign_in_namespace(self.client, self.cluster, obj.name)
        elif obj.resource.kind == "CustomResourceDefinition":
            held = instances(self.client, obj)
        else:
            return False
        if held:
            more = f" and {len(held) - 5} more" if len(held) > 5 else ""
            self.result.kept.append({**_named(obj), "reason": f"still holds {', '.join(held[:5])}{more}"})
        return bool(held)

    def _delete(self, obj: Owned) -> None:
        if obj.deleting:
            return
        propagation = "Foreground" if obj.resource.kind in _FOREGROUND else "Background"
        try:
            self.client.delete(obj.path, uid=obj.uid, propagation=propagation)
        except ApiError as error:
            raise ClusterError(f"{obj} cannot be deleted: {error}") from None

    def _until_gone(self, pool: ThreadPoolExecutor, going: list[Owned]) -> None:
        left, told, pause = going, time.monotonic(), 0.3
        while left:
            left = self._left(pool, left)
            followers = [] if left else self._followers(pool, going)
            now = time.monotonic()
            if not left and not followers:
                return
            names = [str(obj) for obj in left] or followers
            if now > self.deadline:
                error = self._hanging(left, followers)
                if error is not None:
                    raise error
                return
            if now - told >= _PROGRESS_EVERY:
                told = now
                self.progress(f"waiting until gone: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}")
            time.sleep(pause)
            pause = min(pause * 1.5, 3.0)
            left = left or going[:1]  # only followers are left: look again

    def _left(self, pool: ThreadPoolExecutor, objects: list[Owned]) -> list[Owned]:
        """Return which of the objects still exist: one list of metadata a kind and namespace."""
        groups: dict[tuple[Resource, str], list[Owned]] = defaultdict(list)
        for obj in objects:
            groups[(obj.resource, obj.namespace)].append(obj)

        def look(key: tuple[Resource, str]) -> list[Owned]:
            resource, namespace = key
            try:
                if len(groups[key]) == 1:
                    found = self.client.find(groups[key][0].path)
                    uids = {found["metadata"]["uid"]} if found else set()
                else:
                    listed = self.client.list(resource, namespace or None, metadata_only=True)
                    uids = {item["metadata"]["uid"] for item in listed}
            except ApiError as error:
                if error.status == 404:  # the kind itself is gone
                    return []
                raise
            return [obj for obj in groups[key] if obj.uid in uids]

        return [obj for part in pool.map(look, groups) for obj in part]

    def _followers(self, pool: ThreadPoolExecutor, going: Collection[Owned]) -> list[str]:
        questions = []
        for obj in going:
            for group, plural, labels in _FOLLOWERS.get((obj.resource.group, obj.resource.kind), []):
                resource = self.client.discovery.by_plural(group, plural)
                if resource is not None:
                    questions.append((resource, labels.format(name=obj.name, namespace=obj.namespace)))

        def look(question: tuple[Resource, str]) -> list[str]:
            resource, labels = question
            try:
                listed = self.client.list(resource, label_selector=labels, metadata_only=True)
            except ApiError as error:
                if error.status == 404:
                    return []
                raise
            return [f"{resource.kind} {item['metadata']['name']}" for item in listed]

        return [name for part in pool.map(look, questions) for name in part]

    def _hanging(self, left: list[Owned], followers: list[str]) -> RemovalError | None:
        """Return the error for what is still there; None when it went at the last moment."""
        lines, hanging = [], []
        for obj in left:
            live = self.client.find(obj.path)
            if live is None:
                continue
            metadata = live["metadata"]
            conditions = [
                f"{c.get('type')}={c.get('status')} {c.get('reason') or ''} {str(c.get('message') or '')[:300]}".strip()
                for c in ((live.get("status") or {}).get("conditions") or [])
            ]
            finalizers = metadata.get("finalizers") or []
            if obj.resource.kind == "PersistentVolumeClaim":
                conditions.extend(self._users(obj))
            hanging.append({**_named(obj), "finalizers": finalizers, "conditions": conditions})
            since = metadata.get("deletionTimestamp") or "not marked for deletion"
            lines.append(f"{obj}: deleting since {since}; finalizers: {', '.join(finalizers) or 'none'}")
            lines.extend(f"  {condition}" for condition in conditions)
        lines.extend(f"{name}: its controller has not taken it away" for name in followers)
        for follower in followers:
            kind, _sep, name = follower.partition(" ")
            hanging.append({"kind": kind, "namespace": "", "name": name, "finalizers": [], "conditions": []})
        head = f"still there after {self.timeout:.0f} s; nothing was forced:"
        return RemovalError("\n".join([head, *lines]), self.result, hanging) if hanging else None

    def _users(self, claim: Owned) -> list[str]:
        """Return the pods that keep a claim in use."""
        found = []
        for pod in self.client.list(PODS, claim.namespace):
            for volume in (pod.get("spec") or {}).get("volumes") or []:
                if (volume.get("persistentVolumeClaim") or {}).get("claimName") == claim.name:
                    found.append(f"used by pod {pod['metadata']['name']} ({(pod.get('status') or {}).get('phase')})")
        return found


def _named(obj: Owned) -> dict[str, str]:
    return {"kind": obj.resource.kind, "namespace": obj.namespace, "name": obj.name}
