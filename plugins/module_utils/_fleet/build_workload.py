# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs a model: a Deployment, or a LeaderWorkerSet when one replica takes several nodes."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_availability import pod_annotations
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_pod import (
    grace_seconds,
    leader_pod,
    serving_pod,
    worker_pod,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_scaling import replicas
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import model_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

# The label by which the LeaderWorkerSet controller numbers the pods of a group; 0 is the leader.
WORKER_INDEX_LABEL = "leaderworkerset.sigs.k8s.io/worker-index"


def pod_labels(model: Model) -> dict[str, str]:
    """Labels that all serving pods of a model have, and no others."""
    return model_labels(model, "inference")


def replica_labels(model: Model) -> dict[str, str]:
    """Labels that the pods which answer requests have, one a replica, and no others."""
    return pod_labels(model) | ({WORKER_INDEX_LABEL: "0"} if model.nodes > 1 else {})


def workload(build: Builder, model: Model, metadata: dict[str, str]) -> Manifest:
    """The workload of a model."""
    kind = _leader_worker_set if model.nodes > 1 else _deployment
    return kind(build, model, metadata)


def _deployment(build: Builder, model: Model, metadata: dict[str, str]) -> Manifest:
    # A new replica serves before an old one goes.
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            **replicas(model),
            "revisionHistoryLimit": 3,
            # Longer than an old replica drains, which may have the GPU, a node comes and the engine starts: the rollout
            # would be called failed before.
            "progressDeadlineSeconds": grace_seconds(model) + 1200 + duration.seconds(model.get("startup.budget")),
            "selector": {"matchLabels": pod_labels(model)},
            "strategy": rolling if model.get("rollout.strategy") == "rolling" else {"type": "Recreate"},
            "template": _template(build, model, serving_pod(build, model, replica_labels(model))),
        },
    }


def _leader_worker_set(build: Builder, model: Model, metadata: dict[str, str]) -> Manifest:
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": metadata,
        "spec": {
            **replicas(model),
            # The ranks of a group look for each other from the start.
            "startupPolicy": "LeaderCreated",
            # The Service has the name that the controller would give to a common headless one.
            "networkConfig": {"subdomainPolicy": "UniquePerReplica"},
            "rolloutStrategy": {
                "type": "RollingUpdate",
                "rollingUpdateConfiguration": {"partition": 0, "maxSurge": 1, "maxUnavailable": 0},
            },
            "leaderWorkerTemplate": {
                "size": model.nodes,
                # A rank that starts anew cannot join ranks that run.
                "restartPolicy": "RecreateGroupOnPodRestart",
                "leaderTemplate": _template(build, model, leader_pod(build, model, replica_labels(model))),
                "workerTemplate": _template(build, model, worker_pod(build, model)),
            },
        },
    }


def _template(build: Builder, model: Model, pod: dict[str, Any]) -> dict[str, Any]:
    owned = ownership_labels(build.fleet.names.cluster, "models")
    # The platform's own keys come last: the description refuses them, and they win in any case.
    metadata: dict[str, Any] = {"labels": {**model.get("labels"), **pod_labels(model), **owned}}
    annotations = pod_annotations(model)
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": pod}
