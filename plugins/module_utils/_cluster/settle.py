# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One object of an apply: compare it, dry-run it where in doubt, write it where it differs, refuse what is not ours."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import FIELD_MANAGER, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import VOLUME, Item
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.fields import (
    difference,
    owned_fields,
    owned_paths,
    same,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.handover import given_up, hand_over
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import comparable, is_secret, secret_values
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import is_ours
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.readiness import FAILING, verdict
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.applyset import is_parent
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import (
    CLUSTER_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
)

_IMMUTABLE = re.compile(r"immutable|updates to .+ forbidden|may not be (changed|updated)", re.I | re.S)
CLAIM = "PersistentVolumeClaim"
# How long a namespace or a CRD that was just made may be unknown to another replica of the API server, in seconds.
SETTLING = 20.0


@dataclass
class Settler:
    """How objects are settled; the options are those of apply.apply.

    deadline: time.monotonic() at which a deletion under way is no longer waited for. keep: what an object is after its
    write is wanted (for diffs), which costs more than to know that it was written. new_namespaces, new_kinds
    ((apiVersion, kind)): what this apply has made, and which may therefore be unknown for a moment.
    """

    client: Client
    cluster: str
    deadline: float
    check: bool = False
    force: bool = False
    adopt: bool = False
    replace: Collection[str] = ()
    keep: bool = True
    new_namespaces: set[str] = field(default_factory=set)
    new_kinds: set[tuple[str, str]] = field(default_factory=set)

    def as_desired(self, item: Item, live: dict[str, Any]) -> bool:
        """Tell whether a live object is ours and surely as desired: then there is nothing to do and nothing to ask."""
        if live["metadata"].get("deletionTimestamp") or not self._ours(live) or _failed_job(live):
            return False
        owned = owned_fields(live, FIELD_MANAGER)
        return owned is not None and difference(owned, item.desired, live) is None

    def settle(self, item: Item) -> None:
        """Bring one object, whose live state was read, to what is desired; sets its action, after and note.

        Raises ClusterError.
        """
        self._settle(item)
        # Of a thousand models, the objects as the server has them would fill the memory.
        if not self.keep or item.action == "unchanged":
            item.after = None
            # The kinds that a parent names, and the release that a Deployment had, are asked for later.
            if not is_parent(item.desired) and item.kind != "Deployment":
                item.live = None

    def _settle(self, item: Item) -> None:
        live = item.live
        if live is not None and live["metadata"].get("deletionTimestamp"):
            if self.check:
                item.action, item.note = "created", "not validated: the present one is still being deleted"
                return
            if item.kind == VOLUME and VOLUME in self.replace:  # left so by a run that was killed while replacing it
                self._delete_claim((live.get("spec") or {}).get("claimRef") or {})
            self._until_gone(item)
            live = item.live = None
        if live is None:
            item.after = self._send(item, dry_run=self.check, whole=self.keep)
            item.action = item.action or "created"
            return
        self._refuse_foreign(item, live)
        if _failed_job(live):  # applied again, it is meant to be run again: it would never do so by itself
            item.after = self._replaced(item)
            item.note = "it had failed"
            return
        if self.as_desired(item, live):
            item.action = "unchanged"
            return
        after = self._send(item, dry_run=True)
        if item.action:
            item.after = after
            return
        if _unchanged(live, after):
            item.action = "unchanged"
            return
        replicas = given_up(live, item.desired)
        if self.check and replicas is not None:
            after["spec"]["replicas"] = replicas
        if not self.check:
            if replicas is not None:
                hand_over(self.client, item.path, item.desired, replicas)
            after = self._send(item, dry_run=False, whole=self.keep)
        item.after = after
        item.action = item.action or "configured"

    def _ours(self, live: dict[str, Any]) -> bool:
        labels = live["metadata"].get("labels") or {}
        return labels.get(MANAGED_BY_LABEL) == MANAGED_BY and labels.get(CLUSTER_LABEL) == self.cluster

    def _refuse_foreign(self, item: Item, live: dict[str, Any]) -> None:
        if self._ours(live):
            return
        owner = (live["metadata"].get("labels") or {}).get(CLUSTER_LABEL)
        if item.kind == "Namespace" and self.adopt and owner in (None, self.cluster):
            return
        whose = f"it belongs to the cluster named {owner!r}" if owner else "it was not made by llmfleet"
        hint = "; adopt: true takes a Namespace over" if item.kind == "Namespace" and not owner else ""
        raise ClusterError(
            f"exists already and {whose} (labels {MANAGED_BY_LABEL} and {CLUSTER_LABEL}); left alone{hint}"
        )

    def _send(self, item: Item, *, dry_run: bool, whole: bool = True) -> dict[str, Any]:
        """Apply one object and return what the server answers; sets item.action where that already decides it.

        whole: false when nobody reads the answer.
        """
        force, brief = self.force or item.force, not (whole or dry_run)
        until = time.monotonic() + SETTLING
        while True:
            try:
                return self.client.apply(item.path, item.desired, dry_run=dry_run, force=force, metadata_only=brief)
            except ApiError as error:
                if error.conflicts and not force:
                    self._take_back(item, error)
                    force = item.force
                    continue
                if self._passing(error, item) and time.monotonic() < until:
                    time.sleep(0.5)
                    continue
                if item.live is not None and item.kind in self.replace and _IMMUTABLE.search(error.message):
                    return self._replaced(item)
                if dry_run:
                    return self._unvalidated(item, error)
                raise

    def _take_back(self, item: Item, error: ApiError) -> None:
        """Decide about fields that another manager has set: of an object that is ours they are ours, and taken back.

        The note names them and their manager. Fields of an object that is only being taken over stay: raises the error.
        """
        if item.live is None or not is_ours(item.live, self.cluster):
            raise error
        ours = set(owned_paths(owned_fields(item.live, FIELD_MANAGER) or {}))
        taken = [f"{path} from {manager}" for manager, path in error.conflicts if path not in ours]
        item.force = True
        if taken:
            item.note = f"took back {', '.join(taken)}"

    def _passing(self, error: ApiError, item: Item) -> bool:
        """Tell whether an error goes away by itself within seconds: a race, or a replica that lags behind."""
        if error.status == 409 and not error.conflicts:
            return True
        if self.check or error.status != 404:
            return False
        return item.namespace in self.new_namespaces or (item.api_version, item.kind) in self.new_kinds

    def _unvalidated(self, item: Item, error: ApiError) -> dict[str, Any]:
        """Go on where a dry run cannot tell; raise what it did find wrong."""
        if "does not support dry run" in error.message:
            if self.check:
                item.action = "created" if item.live is None else "configured"
                item.note = "not validated: an admission webhook refuses dry runs"
                return item.desired
            after = self._send(item, dry_run=False)
            item.action = "unchanged" if item.live is not None and _unchanged(item.live, after) else "configured"
            return after
        if error.status == 404 and self.check and item.namespace and item.live is None:
            item.action, item.note = "created", f"not validated: namespace {item.namespace} does not exist yet"
            return item.desired
        raise error

    def _replaced(self, item: Item) -> dict[str, Any]:
        item.action = "replaced"
        if self.check:
            item.note = "not validated: the present one is deleted first"
            return item.desired
        live = item.live or {}
        if item.kind == VOLUME:
            self._delete_claim((live.get("spec") or {}).get("claimRef") or {})
        self.client.delete(item.path, uid=live["metadata"]["uid"], propagation="Foreground")
        self._until_gone(item)
        return self.client.apply(item.path, item.desired)

    def _delete_claim(self, bound: dict[str, Any]) -> None:
        """Delete the claim that a volume is bound to: as long as there is one, the volume stays."""
        if not bound:
            return
        path = self.client.discovery.resource("v1", CLAIM).path(bound["namespace"], bound["name"])
        title = f"{CLAIM} {bound['namespace']}/{bound['name']}"
        claim = self.client.find(path)
        if claim is None:
            return
        if CLAIM not in self.replace or not is_ours(claim, self.cluster):
            raise ClusterError(f"is bound to {title}, which is not ours to replace")
        self.client.delete(path, uid=claim["metadata"]["uid"])
        self._wait_until_gone(path, claim["metadata"]["uid"], f"{title} ")

    def _until_gone(self, item: Item) -> None:
        self._wait_until_gone(item.path, (item.live or {})["metadata"]["uid"])

    def _wait_until_gone(self, path: str, uid: str, title: str = "") -> None:
        while True:
            present = self.client.find(path)
            if present is None or present["metadata"]["uid"] != uid:
                return
            if time.monotonic() > self.deadline:
                held = ", ".join(present["metadata"].get("finalizers") or []) or "none"
                raise ClusterError(f"{title}is still being deleted; its finalizers: {held}")
            time.sleep(1.0)


def _failed_job(live: dict[str, Any]) -> bool:
    """Tell whether this is a Job that has failed for good."""
    return live.get("kind") == "Job" and verdict(live).state == FAILING


def _unchanged(live: dict[str, Any], after: dict[str, Any]) -> bool:
    """Equal in all that we compare, and in what we own of it."""
    return same(comparable(live), comparable(after)) and same(
        owned_fields(live, FIELD_MANAGER), owned_fields(after, FIELD_MANAGER)
    )


def told(error: ClusterError, item: Item) -> str:
    """Return the error's text: conflicts with their managers' names, a Secret's faults without any value."""
    if not isinstance(error, ApiError):
        return str(error)
    if error.conflicts:
        fields = ", ".join(f"{path} is managed by {manager}" for manager, path in error.conflicts)
        return f"conflict: {fields}; left alone (force_conflicts: true takes these fields over)"
    if is_secret(item.desired) and any(value in error.message for value in secret_values(item.desired)):
        fields = ", ".join(sorted({cause.get("field", "?") for cause in error.causes})) or "no field named"
        return f"refused by the API server: {error.reason or 'error'} (HTTP {error.status}; {fields})"
    return str(error)
