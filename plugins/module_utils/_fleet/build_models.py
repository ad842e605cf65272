# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model consists of: the list of its objects."""

from __future__ import annotations

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_availability import budget
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_policy import policies
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_routing import route
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import model_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_workload import (
    pod_labels,
    replica_labels,
    workload,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import MODEL_PORT


def add_models(build: Builder) -> None:
    """Add the objects of every model."""
    for model in build.fleet.models:
        labels = model_labels(model, "inference")
        for manifest in _objects(build, model):
            build.add("models", "models", manifest, labels)


def _objects(build: Builder, model: Model) -> list[Manifest]:
    namespace = build.fleet.names.models_namespace
    metadata = {"name": model.name, "namespace": namespace}
    objects: list[Manifest] = [
        _account(metadata),
        *policies(model, namespace, pod_labels(model)),
        workload(build, model, metadata),
        _service(model, metadata),
        *budget(model, metadata, pod_labels(model)),
    ]
    if model.routed:
        objects.append(route(build, model, metadata))
    return objects


def _account(metadata: dict[str, str]) -> Manifest:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False}


def _service(model: Model, metadata: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {
            "type": "ClusterIP",
            "selector": replica_labels(model),
            "ports": [{"name": "http", "port": MODEL_PORT, "targetPort": "http", "protocol": "TCP"}],
        },
    }
