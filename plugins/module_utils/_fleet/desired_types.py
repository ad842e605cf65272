# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet wants, as data: Kubernetes objects, AWS resources and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import applyset
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

Manifest = dict[str, Any]
COMPONENTS = (
    "namespaces",
    "s3_files",
    "pod_identity",
    "efs_csi_driver",
    "gpu_nodes",
    "secrets",
    "envoy_gateway",
    "weights",
    "models",
)
# Those whose objects come and go with the description: each is an ApplySet in every layer that it has objects in.
SETS = ("namespaces", "gpu_nodes", "envoy_gateway", "weights", "models")


@dataclass
class Desired:
    """objects: {layer, component, object}; aws: {name, layer, resource, properties}; charts: {name, layer, …}."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    aws: list[dict[str, Any]] = field(default_factory=list)
    charts: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The three lists as JSON can carry them."""
        return {"objects": self.objects, "aws": self.aws, "charts": self.charts}


@dataclass(frozen=True)
class Builder:
    """Collects what is wanted. known: what is known of the cloud, by '<kind>/<name>'."""

    fleet: Fleet
    known: Mapping[str, str]
    desired: Desired

    def id_of(self, kind: str, name: str) -> str:
        """The id of what only the cloud knows, 'pending:<kind>/<name>' as long as it is unknown."""
        return self.known.get(f"{kind}/{name}") or f"pending:{kind}/{name}"

    def add(self, layer: str, component: str, manifest: Manifest, labels: Mapping[str, str] | None = None) -> None:
        """Add a Kubernetes object with the labels of its owner and of its ApplySet, which win."""
        metadata = dict(manifest["metadata"])
        metadata["labels"] = {
            **metadata.get("labels", {}),
            **(labels or {}),
            **ownership_labels(self.fleet.names.cluster, layer),
        }
        if component in SETS and not applyset.is_parent(manifest):
            metadata["labels"][applyset.MEMBER_LABEL] = applyset.identifier(*self._set(layer, component))
        self.desired.objects.append(
            {"layer": layer, "component": component, "object": {**manifest, "metadata": metadata}}
        )

    def add_parents(self) -> None:
        """Add the parents of the ApplySets, each before its members but after their namespace.

        Those of pools and models have one also without members: the last of them may have gone.
        """
        members: dict[tuple[str, str], list[Manifest]] = {("nodes", "gpu_nodes"): [], ("models", "models"): []}
        for entry in self.desired.objects:
            if entry["component"] in SETS:
                members.setdefault((entry["layer"], entry["component"]), []).append(entry["object"])
        wanted = self.desired.objects
        self.desired.objects = []
        for entry in wanted:
            place = (entry["layer"], entry["component"])
            if place in members and entry["object"]["kind"] != "Namespace":
                self._add_parent(*place, members.pop(place))
            self.desired.objects.append(entry)
        for place, found in members.items():
            self._add_parent(*place, found)

    def _add_parent(self, layer: str, component: str, members: list[Manifest]) -> None:
        self.add(layer, component, applyset.parent(*self._set(layer, component), members))

    def _set(self, layer: str, component: str) -> tuple[str, str]:
        """Name and namespace of the parent of a set."""
        names = self.fleet.names
        namespace = names.gateway_namespace if layer == "gateway" else names.models_namespace
        return applyset.parent_name(layer, component), namespace

    def add_aws(
        self, layer: str, component: str, resource: str, name: str, properties: Mapping[str, Any], tags: bool = True
    ) -> None:
        """Add an AWS resource; properties are the parameters of its module. tags: whether the module takes them."""
        owned = {"tags": ownership_labels(self.fleet.names.cluster, layer)} if tags else {}
        self.desired.aws.append(
            {
                "name": name,
                "layer": layer,
                "component": component,
                "resource": resource,
                "properties": {**properties, **owned},
            }
        )
