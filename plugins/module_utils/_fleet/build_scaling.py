# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes the number of a model's replicas: a ScaledObject of KEDA where the description does not fix it.

Targets are absolute, a replica, of sums over the replicas (AverageValue): the sum over the target is what is wanted,
so that the maximum can be reached, and the same load asks for the same replicas however many there are.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import model_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.series import Series

# Failed readings in a row (one each 15 s) before the number of replicas is held by the fallback.
FAILURES = 3
# KEDA hands targets on in thousandths.
LEAST_TARGET = 0.001


def is_scaled(model: Model) -> bool:
    """Whether something else than the description decides how many replicas there are at a time."""
    least, most = model.get("scaling.min"), model.get("scaling.max")
    return bool(most > least or least == 0 or model.get("scaling.schedule"))


def replicas(model: Model) -> dict[str, int]:
    """The replicas of a workload as a part of its spec: none where the scaler owns them."""
    return {} if is_scaled(model) else {"replicas": model.get("scaling.min")}


def add_scaling(build: Builder) -> None:
    """Add the scaler of every model that is scaled."""
    for model in build.fleet.models:
        if is_scaled(model):
            build.add("models", "models", _scaled_object(build, model), model_labels(model, "inference"))


def _scaled_object(build: Builder, model: Model) -> Manifest:
    scaling = model.fields["scaling"]
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": model.name, "namespace": build.fleet.names.models_namespace},
        "spec": {
            "scaleTargetRef": _target(model),
            "minReplicaCount": scaling["min"],
            "maxReplicaCount": scaling["max"],
            "pollingInterval": scaling["polling_interval"],
            "cooldownPeriod": scaling["scale_down_after"],
            # Metrics that fail take no replica away: those that are there stay, and at least one.
            "fallback": {
                "failureThreshold": FAILURES,
                "replicas": max(1, scaling["min"]),
                "behavior": "currentReplicasIfHigher",
            },
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(scaling["scale_down_after"])}},
            "triggers": [*_load_triggers(build, model), *(_hours(hours) for hours in scaling["schedule"])],
        },
    }


def _target(model: Model) -> dict[str, str]:
    if model.get("gpu.nodes") > 1:
        return {"apiVersion": "leaderworkerset.x-k8s.io/v1", "kind": "LeaderWorkerSet", "name": model.name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": model.name}


def _behavior(scale_down_after: int) -> dict[str, Any]:
    """Up at once, at most double a step; down one replica a minute, by the most that was asked for meanwhile."""
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": scale_down_after,
            "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
        },
    }


def _load_triggers(build: Builder, model: Model) -> list[dict[str, Any]]:
    running = model.get("scaling.running_target") * model.get("engine.max_sequences")
    targets = (
        ("running", "vllm:num_requests_running", running),
        ("waiting", "vllm:num_requests_waiting", model.get("scaling.waiting_target")),
        ("kv-cache", "vllm:kv_cache_usage_perc", model.get("scaling.kv_cache_target")),
    )
    series, start = Series.of(build, model), duration.seconds(model.get("startup.budget"))
    return [
        {
            "type": "prometheus",
            "name": name,
            "metricType": "AverageValue",
            "metadata": {
                "serverAddress": str(build.fleet.platform["prometheus_url"]).rstrip("/"),
                "query": series.load(metric, start),
                "threshold": _threshold(target),
                # An empty answer is an error, not 0: a lost scrape would read as no load.
                "ignoreNullValues": "false",
            },
        }
        for name, metric, target in targets
    ]


def _threshold(target: float) -> str:
    return f"{max(LEAST_TARGET, target):.3f}".rstrip("0").rstrip(".")


def _hours(hours: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "cron",
        "metricType": "AverageValue",
        "metadata": {
            "start": hours["start"],
            "end": hours["end"],
            "timezone": hours["timezone"],
            "desiredReplicas": str(hours["replicas"]),
        },
    }
