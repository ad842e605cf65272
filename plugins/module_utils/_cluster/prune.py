# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take away objects of a layer that are ours and no longer wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import diff_entry
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import Owned, read_owned
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.teardown import delete_all

# What holds data or other objects is never taken away because a list got shorter: that is what remove is for.
_NEVER = frozenset({"Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"})


def prune(
    client: Client,
    cluster: str,
    layer: str,
    keep: list[dict[str, Any]],
    *,
    labels: Mapping[str, str] | None = None,
    check: bool = False,
    timeout: float = 300.0,
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Delete our objects of a layer (that carry all these labels) but for `keep`; wait until they are gone.

    Returns ([{kind, namespace, name}], diff entries). Namespaces, CRDs, volumes and claims always stay. Raises
    ClusterError, RemovalError.
    """
    for key, value in (labels or {}).items():
        if not isinstance(value, str):
            raise ClusterError(f"prune_labels[{key}]: got {value!r}; accepted: text")
    wanted = {_key(obj) for obj in keep}
    extra = "".join(f",{key}={value}" for key, value in (labels or {}).items())
    going = [
        obj
        for obj in read_owned(client, cluster, layer, extra)
        if obj.resource.kind not in _NEVER
        and (obj.resource.group, obj.resource.kind, obj.namespace, obj.name) not in wanted
    ]
    if not going:
        return [], []
    diffs = [diff_entry(_seen(obj), None) for obj in going]
    if not check:
        delete_all(client, cluster, going, timeout=timeout)
    named = [{"kind": obj.resource.kind, "namespace": obj.namespace, "name": obj.name} for obj in going]
    return named, diffs


def _seen(obj: Owned) -> dict[str, Any]:
    """Return what the diff shows of an object that goes: its name, nothing of its content."""
    metadata = {"name": obj.name, **({"namespace": obj.namespace} if obj.namespace else {})}
    return {"apiVersion": obj.resource.api_version, "kind": obj.resource.kind, "metadata": metadata}


def _key(obj: Mapping[str, Any]) -> tuple[str, str, str, str]:
    metadata = obj["metadata"]
    group = str(obj["apiVersion"]).rpartition("/")[0]
    return group, str(obj["kind"]), str(metadata.get("namespace") or ""), str(metadata["name"])
