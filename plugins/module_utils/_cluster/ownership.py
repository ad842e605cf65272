# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a cluster is ours: read from ownership labels on everything the API server serves, never from variables."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import THREADS, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import (
    CLUSTER_LABEL,
    LAYER_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
)

# Made by controllers as copies with their parents' labels but without an owner, or kept for an hour only.
_SHADOWS = frozenset({("", "endpoints"), ("", "events"), ("events.k8s.io", "events"), ("", "componentstatuses")})


@dataclass(frozen=True)
class Owned:
    """An object that carries our labels and has no owner of its own; deleting: its deletion is under way."""

    resource: Resource
    namespace: str
    name: str
    layer: str
    uid: str
    finalizers: tuple[str, ...] = ()
    deleting: bool = False

    @property
    def path(self) -> str:
        """Return the URL path of the object."""
        return self.resource.path(self.namespace or None, self.name)

    def __str__(self) -> str:
        """Return "Kind namespace/name"."""
        return f"{self.resource.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    def summary(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "api_version": self.resource.api_version,
            "kind": self.resource.kind,
            "namespace": self.namespace,
            "name": self.name,
            "finalizers": list(self.finalizers),
            "deleting": self.deleting,
        }


def selector(cluster: str, layer: str | None = None) -> str:
    """Return the label selector of what is ours in a cluster (in one layer)."""
    parts = [f"{MANAGED_BY_LABEL}={MANAGED_BY}", f"{CLUSTER_LABEL}={cluster}"]
    if layer:
        parts.append(f"{LAYER_LABEL}={layer}")
    return ",".join(parts)


def deletable(client: Client) -> list[Resource]:
    """Return each resource that can be listed and deleted, once, in the preferred version."""
    return [
        resource
        for resource in client.discovery.preferred()
        if {"list", "delete"} <= resource.verbs and (resource.group, resource.plural) not in _SHADOWS
    ]


def read_owned(
    client: Client,
    cluster: str,
    layer: str | None = None,
    labels: str = "",
    resources: Collection[Resource] | None = None,
) -> list[Owned]:
    """Return everything of ours: one list of metadata for each resource that the API server has, concurrently.

    labels: further requirements for the label selector, each with a comma before it. resources: only these. What goes
    with an owner or a Helm release is left out. A kind that is gone meanwhile is fine. Raises ClusterError when a kind
    cannot be listed: a teardown that cannot see everything must not pretend to.
    """
    wanted = selector(cluster, layer) + labels
    looked_at = deletable(client) if resources is None else resources

    def one(resource: Resource) -> list[Owned]:
        try:
            listed = client.list(resource, label_selector=wanted, metadata_only=True)
        except ApiError as error:
            if error.status in (404, 405):
                return []
            raise ClusterError(f"{resource.plural} of {resource.api_version} cannot be listed: {error}") from None
        return [_owned(resource, obj) for obj in listed if not _goes_otherwise(obj)]

    with ThreadPoolExecutor(THREADS, thread_name_prefix="llmfleet-owned") as pool:
        return [found for part in pool.map(one, looked_at) for found in part]


def _goes_otherwise(obj: dict[str, Any]) -> bool:
    """Tell whether an object goes with its owner, or with its Helm release: the record of one is for Helm to delete."""
    metadata = obj["metadata"]
    record = (metadata.get("labels") or {}).get("owner") == "helm" and metadata["name"].startswith("sh.helm.release.")
    return record or bool(metadata.get("ownerReferences"))


def _owned(resource: Resource, obj: dict[str, Any]) -> Owned:
    metadata = obj["metadata"]
    return Owned(
        resource,
        str(metadata.get("namespace") or ""),
        str(metadata["name"]),
        str((metadata.get("labels") or {}).get(LAYER_LABEL) or ""),
        str(metadata["uid"]),
        tuple(metadata.get("finalizers") or ()),
        bool(metadata.get("deletionTimestamp")),
    )


def is_ours(obj: dict[str, Any], cluster: str) -> bool:
    """Tell whether an object carries the ownership labels (or annotations) of this cluster."""
    metadata = obj.get("metadata") or {}
    for marks in (metadata.get("labels") or {}, metadata.get("annotations") or {}):
        if marks.get(CLUSTER_LABEL) == cluster and marks.get(MANAGED_BY_LABEL, MANAGED_BY) == MANAGED_BY:
            return True
    return False
