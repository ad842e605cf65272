# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm releases that are ours: read from the records that Helm keeps, and from our own marks.

Helm keeps a Secret for each revision of a release. Ours carry the ownership labels, which can only be set once Helm
has ended; so a mark is made before Helm begins, a ConfigMap with these labels beside the release. A release that a
killed run left half installed is recognised by its mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import is_ours, selector
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import (
    CLUSTER_LABEL,
    LAYER_LABEL,
    ownership_labels,
)

RELEASE_LABEL = "llmfleet.io/release"
SECRETS = Resource("", "v1", "Secret", "secrets", True)
_CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
PENDING = frozenset({"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"})
_GOOD = frozenset({"deployed", "superseded"})


@dataclass(frozen=True)
class Revision:
    """One record of Helm. changed: when Helm wrote it last (seconds since the epoch). secret: the record's metadata."""

    number: int
    status: str
    changed: float
    secret: dict[str, Any]

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels of the record."""
        return dict(self.secret.get("labels") or {})


def revisions(client: Client, namespace: str, name: str) -> list[Revision]:
    """Return what Helm has on record of a release, oldest first; empty when there is no such release."""
    records = client.list(SECRETS, namespace, label_selector=f"owner=helm,name={name}", metadata_only=True)
    return sorted((_revision(record) for record in records), key=lambda revision: revision.number)


def _revision(record: dict[str, Any]) -> Revision:
    labels = record["metadata"].get("labels") or {}
    number, status = int(labels.get("version") or 0), str(labels.get("status") or "")
    changed = float(labels.get("modifiedAt") or labels.get("createdAt") or 0)
    return Revision(number, status, changed, record["metadata"])


def last_good(found: list[Revision]) -> int | None:
    """Return the newest revision that was deployed, None when there was none."""
    return max((revision.number for revision in found if revision.status in _GOOD), default=None)


def helm_releases(client: Client, cluster: str) -> list[dict[str, str]]:
    """Return our Helm releases [{name, namespace, layer, revision, status}], each by its newest revision.

    Ours are those with our labels (or annotations of these keys) on a record, and those with a mark. Only metadata is
    read.
    """
    newest: dict[tuple[str, str], Revision] = {}
    ours: dict[tuple[str, str], str] = {}
    marks = _marks(client, cluster)
    for record in client.list(SECRETS, label_selector="owner=helm", metadata_only=True):
        labels = record["metadata"].get("labels") or {}
        key = (str(record["metadata"]["namespace"]), str(labels.get("name")))
        revision = _revision(record)
        if key not in newest or revision.number > newest[key].number:
            newest[key] = revision
        if is_ours(record, cluster):
            both = {**(record["metadata"].get("annotations") or {}), **labels}
            ours[key] = str(both.get(LAYER_LABEL) or "")
        elif key in marks:
            ours.setdefault(key, marks[key])
    return [
        {
            "name": name,
            "namespace": namespace,
            "layer": layer,
            "revision": str(newest[(namespace, name)].number),
            "status": newest[(namespace, name)].status,
        }
        for (namespace, name), layer in sorted(ours.items())
    ]


def _marks(client: Client, cluster: str) -> dict[tuple[str, str], str]:
    """Return our marks: (namespace, release) -> layer."""
    listed = client.list(_CONFIG_MAPS, label_selector=f"{selector(cluster)},{RELEASE_LABEL}", metadata_only=True)
    return {
        (item["metadata"]["namespace"], item["metadata"]["labels"][RELEASE_LABEL]): item["metadata"]["labels"].get(
            LAYER_LABEL, ""
        )
        for item in listed
    }


def mark_release(client: Client, cluster: str, layer: str, namespace: str, name: str, *, check: bool = False) -> bool:
    """Make the mark of a release, before Helm makes anything; return whether it was missing. Raises ClusterError."""
    mark = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"llmfleet-release-{name}", "namespace": namespace, "labels": {RELEASE_LABEL: name}},
    }
    return apply(client, [mark], cluster, layer, check=check).changed


def refuse_foreign_release(client: Client, cluster: str, namespace: str, name: str) -> str:
    """Return why a release of this name cannot be ours, "" when it is ours or does not exist."""
    found = revisions(client, namespace, name)
    if not found or any(is_ours({"metadata": revision.secret}, cluster) for revision in found):
        return ""
    owners = {revision.labels.get(CLUSTER_LABEL) for revision in found} - {None}
    if not owners and (namespace, name) in _marks(client, cluster):
        return ""
    whose = f"belongs to the cluster named {sorted(map(str, owners))[0]!r}" if owners else "was not made by llmfleet"
    return f"Helm release {namespace}/{name} exists already and {whose}; left alone"


def own_release(client: Client, cluster: str, layer: str, namespace: str, name: str, *, check: bool = False) -> bool:
    """Label the newest revision of a release as ours; return whether it lacked the labels.

    Helm carries the labels of a revision on to the next one. A release that does not exist is an error, but for check
    mode, where it is one that would be made. Raises ClusterError.
    """
    found = revisions(client, namespace, name)
    if not found:
        if check:
            return True
        raise ClusterError(f"Helm release {namespace}/{name} does not exist")
    newest = found[-1]
    owner = newest.labels.get(CLUSTER_LABEL)
    if owner not in (None, cluster):
        raise ClusterError(f"Helm release {namespace}/{name} belongs to the cluster named {owner!r}; left alone")
    wanted = ownership_labels(cluster, layer)
    if all(newest.labels.get(key) == value for key, value in wanted.items()):
        return False
    secret = str(newest.secret["name"])
    metadata = {"name": secret, "namespace": namespace, "labels": wanted}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    client.apply(SECRETS.path(namespace, secret), body, dry_run=check, force=True)
    return True
