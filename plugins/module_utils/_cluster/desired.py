# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of one apply: checked for form before the first request, labelled as ours, sorted into waves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import (
    describe,
    encoded_secret,
    without_nulls,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.applyset import KINDS, is_parent, kinds_of, kinds_text
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import AFTER
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

CRD = "CustomResourceDefinition"
VOLUME = "PersistentVolume"
NAMESPACES, PARENTS, CRDS, VOLUMES, FOUNDATIONS, REST, LAST = range(7)
# What workloads ask for the moment they start: pods that come first are refused and retried slowly.
_FOUNDATIONS = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CSIDriver",
        "LimitRange",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "PriorityClass",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "RuntimeClass",
        "Secret",
        "ServiceAccount",
        "StorageClass",
    }
)


@dataclass
class Item:
    """One object on its way.

    action: created, configured, replaced or unchanged. note: what was not validated, or was taken back from others.
    force: take fields that other managers have set.
    """

    desired: dict[str, Any]
    resource: Resource | None = None
    live: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    action: str = ""
    note: str = ""
    force: bool = False
    error: str = ""

    @property
    def api_version(self) -> str:
        """Return the object's apiVersion."""
        return str(self.desired["apiVersion"])

    @property
    def kind(self) -> str:
        """Return the object's kind."""
        return str(self.desired["kind"])

    @property
    def name(self) -> str:
        """Return the object's name."""
        return str(self.desired["metadata"]["name"])

    @property
    def namespace(self) -> str | None:
        """Return the object's namespace, None when it names none."""
        value = self.desired["metadata"].get("namespace")
        return str(value) if value else None

    @property
    def title(self) -> str:
        """Return "Kind namespace/name"."""
        return describe(self.desired)

    @property
    def path(self) -> str:
        """Return the URL path of the object; its resource must be known."""
        if self.resource is None:
            raise ClusterError(f"{self.title}: its resource is not known")
        return self.resource.path(self.namespace, self.name)

    def summary(self) -> dict[str, str]:
        """Return what the task's result says of the object."""
        found = {"kind": self.kind, "namespace": self.namespace or "", "name": self.name, "action": self.action}
        if self.note:
            found["note"] = self.note
        return found


def wave(obj: Mapping[str, Any]) -> int:
    """Return in which of the waves an object is applied."""
    kind = obj["kind"]
    if kind == "Namespace":
        return NAMESPACES
    if is_parent(obj):  # it names the kinds of its members before there are any
        return PARENTS
    if kind == CRD:
        return CRDS
    if kind == VOLUME:  # one that is replaced takes its claim along, which is made again in the next wave
        return VOLUMES
    if (obj["metadata"].get("annotations") or {}).get(AFTER):
        return LAST
    return FOUNDATIONS if kind in _FOUNDATIONS else REST


def widen(parent: Item) -> None:
    """Let a parent go on naming the kinds that it names already, until no member of theirs is left."""
    annotations = parent.desired["metadata"]["annotations"]
    annotations[KINDS] = kinds_text(kinds_of(parent.desired) | kinds_of(parent.live))


def prepare(objects: list[Any], cluster: str, layer: str) -> list[Item]:
    """Return the objects as items: kinds of List unfolded, nulls, status and stringData resolved, ownership labels set.

    Raises ClusterError with every fault of form at once, one line each: objects[3]: got …; accepted: ….
    """
    try:
        labels = ownership_labels(cluster, layer)
    except ValueError as error:
        raise ClusterError(str(error)) from None
    items: list[Item] = []
    faults: list[str] = []
    seen: dict[tuple[str, str, str, str], str] = {}
    for place, obj in _flat(objects):
        fault = _fault(obj)
        if fault:
            faults.append(f"{place}: {fault}")
            continue
        desired = without_nulls({key: value for key, value in encoded_secret(obj).items() if key != "status"})
        metadata = {key: value for key, value in desired["metadata"].items() if key != "managedFields"}
        desired["metadata"] = {**metadata, "labels": {**(metadata.get("labels") or {}), **labels}}
        item = Item(desired)
        group = item.api_version.rpartition("/")[0]
        key = (group, item.kind, item.namespace or "", item.name)
        if key in seen:
            faults.append(f"{place}: {item.title} is already at {seen[key]}; accepted: each object once")
        seen[key] = place
        items.append(item)
    if faults:
        raise ClusterError("\n".join(faults))
    return items


def _flat(objects: list[Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for index, obj in enumerate(objects):
        place = f"objects[{index}]"
        if isinstance(obj, Mapping) and obj.get("kind") == "List" and isinstance(obj.get("items"), list):
            found.extend((f"{place}.items[{at}]", item) for at, item in enumerate(obj["items"]))
        else:
            found.append((place, obj))
    return found


def _fault(obj: Any) -> str | None:
    if not isinstance(obj, dict):
        return f"got a {type(obj).__name__}; accepted: a Kubernetes object"
    for key in ("apiVersion", "kind"):
        if not isinstance(obj.get(key), str) or not obj[key]:
            example = "apps/v1" if key == "apiVersion" else "Deployment"
            return f"{key}: got {obj.get(key)!r}; accepted: text such as {example}"
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        return f"{obj['kind']}: metadata.name is missing; accepted: a fixed name"
    for key in ("labels", "annotations"):
        values = metadata.get(key) or {}
        wrong = [k for k, v in values.items() if not isinstance(v, str)] if isinstance(values, dict) else ["?"]
        if wrong:
            return f"{describe(obj)}: metadata.{key}[{wrong[0]}]: accepted: text (quote it)"
    return None
