# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take away the members of an ApplySet that are ours and no longer wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import Item
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import diff_entry
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import Owned, read_owned
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.teardown import delete_all
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.applyset import (
    ID_LABEL,
    KINDS,
    MEMBER_LABEL,
    group_kind,
    is_parent,
    kinds_of,
    kinds_text,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.chosen import of_models_selector

# What holds data or other objects is never taken away because a list got shorter: that is what remove is for.
_NEVER = frozenset({"Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"})


@dataclass
class Pruned:
    """objects: what was (in check mode: would be) deleted, each {kind, namespace, name}; diffs: their diff entries."""

    objects: list[dict[str, str]] = field(default_factory=list)
    diffs: list[dict[str, str]] = field(default_factory=list)


def parent_among(objects: Iterable[Any]) -> Mapping[str, Any]:
    """Return the parent of the ApplySet that objects are. Raises ClusterError when there is not exactly one."""
    found = [obj for obj in objects if isinstance(obj, Mapping) and is_parent(obj)]
    if len(found) != 1:
        raise ClusterError(
            f"prune: got objects with {len(found)} parents of an ApplySet (label {ID_LABEL}); accepted: one, whose "
            "members they are"
        )
    return found[0]


def prune(
    client: Client,
    cluster: str,
    parent: Mapping[str, Any],
    items: list[Item],
    *,
    only: Sequence[str] | None = None,
    check: bool,
    timeout: float,
) -> Pruned:
    """Delete the members of a set that are ours and not among `items`, wait until they are gone, narrow the parent.

    parent: as given to apply, with the kinds that are wanted. items: what apply dealt with, the parent among it.
    only: names of models; then nothing is deleted but what is theirs, and the parent stays as wide as it is.
    Namespaces, CRDs, volumes and claims always stay. Raises ClusterError, RemovalError.
    """
    wanted = {_key(item.desired) for item in items}
    (applied,) = (item for item in items if is_parent(item.desired))
    kinds = kinds_of(applied.desired) | kinds_of(applied.live)
    resources = [r for r in client.discovery.preferred() if _group_kind(r.group, r.kind) in kinds]
    label = f",{MEMBER_LABEL}={parent['metadata']['labels'][ID_LABEL]}{of_models_selector(only)}"
    stale = [
        obj for obj in read_owned(client, cluster, labels=label, resources=resources) if _owned_key(obj) not in wanted
    ]
    going = [obj for obj in stale if obj.resource.kind not in _NEVER]
    result = Pruned(
        [{"kind": obj.resource.kind, "namespace": obj.namespace, "name": obj.name} for obj in going],
        [diff_entry(_seen(obj), None) for obj in going],
    )
    if check:
        return result
    if going:
        delete_all(client, cluster, going, timeout=timeout)
    if only is not None:
        return result
    staying = {_owned_key(obj)[0] for obj in stale if obj.resource.kind in _NEVER}
    narrow = kinds_text(kinds_of(parent) | staying)
    annotations = applied.desired["metadata"]["annotations"]
    if annotations[KINDS] != narrow:
        annotations[KINDS] = narrow
        applied.after = client.apply(applied.path, applied.desired, dry_run=False, force=False)
        applied.action = "configured" if applied.action == "unchanged" else applied.action
    return result


def _seen(obj: Owned) -> dict[str, Any]:
    """Return what the diff shows of an object that goes: its name, nothing of its content."""
    metadata = {"name": obj.name, **({"namespace": obj.namespace} if obj.namespace else {})}
    return {"apiVersion": obj.resource.api_version, "kind": obj.resource.kind, "metadata": metadata}


def _group_kind(group: str, kind: str) -> str:
    return f"{kind}.{group}" if group else kind


def _owned_key(obj: Owned) -> tuple[str, str, str]:
    return _group_kind(obj.resource.group, obj.resource.kind), obj.namespace, obj.name


def _key(obj: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = obj["metadata"]
    return group_kind(obj), str(metadata.get("namespace") or ""), str(metadata["name"])
