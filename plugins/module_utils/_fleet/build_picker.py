# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint picker of a model: chooses the replica of each request, and its share of canaries.

Two pickers serve side by side. Upstream's leader election leaves all but one unready, so that a Deployment would never
be available; without it each picker knows the prefixes that it has sent itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_availability import spread_constraints
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_picker_policies import network_policies
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_picker_routing import route_policies
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import model_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_workload import replica_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import (
    MODEL_PORT,
    PICKER_HEALTH_PORT,
    PICKER_METRICS_PORT,
    PICKER_PORT,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pod_security import container_context, pod_context
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

POOL_API, REWRITE_API = "inference.networking.k8s.io", "inference.networking.x-k8s.io"
REPLICAS = 2
# Seconds that a picker goes on after it was told to end: so long do proxies take to hear of it.
LEAVE_SECONDS = 15
# How much each judgement of a replica counts.
SCORERS = {"queue-scorer": 2, "kv-cache-utilization-scorer": 2, "prefix-cache-scorer": 3}


def add_pickers(build: Builder) -> None:
    """Add the picker of every model that has one."""
    for model in build.fleet.models:
        if not model.picked:
            continue
        labels = model_labels(model, "picker")
        for manifest in _objects(build, model, labels):
            build.add("models", "models", manifest, labels)


def _objects(build: Builder, model: Model, pods: Mapping[str, str]) -> list[Manifest]:
    namespace = build.fleet.names.models_namespace
    metadata = {"name": model.picker, "namespace": namespace}
    of_model = {"name": model.name, "namespace": namespace}
    objects = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": False},
        *_reader(metadata),
        *network_policies(build, model, pods),
        _deployment(build, model, metadata, pods),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata,
            "spec": {
                "maxUnavailable": 1,
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
                "selector": {"matchLabels": dict(pods)},
            },
        },
        _service(metadata, pods),
        _pool(model, of_model),
    ]
    if model.get("gateway.canaries"):
        objects.append(_rewrite(model, of_model))
    return [*objects, *route_policies(model, of_model)]


def _reader(metadata: Mapping[str, str]) -> list[Manifest]:
    """What a picker may read, of its namespace; it writes nothing."""
    watched = (("", ["pods"]), (POOL_API, ["inferencepools"]))
    rewrites = (REWRITE_API, ["inferenceobjectives", "inferencemodelrewrites"])
    rules = [
        {"apiGroups": [group], "resources": kinds, "verbs": ["get", "list", "watch"]}
        for group, kinds in (*watched, rewrites)
    ]
    api = "rbac.authorization.k8s.io"
    name, namespace = metadata["name"], metadata["namespace"]
    return [
        {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": dict(metadata), "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": "RoleBinding",
            "metadata": dict(metadata),
            "roleRef": {"apiGroup": api, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        },
    ]


def picker_config(model: Model) -> dict[str, Any]:
    """How replicas are judged: what waits, how full the cache is, whose cache has the prompt, who has the adapter."""
    scorers = SCORERS | ({"lora-affinity-scorer": 1} if model.adapters else {})
    return {
        "apiVersion": f"{REWRITE_API}/v1alpha1",
        "kind": "EndpointPickerConfig",
        "plugins": [
            *({"type": scorer} for scorer in scorers),
            {"type": "metrics-data-source", "parameters": {"scheme": "http", "path": "/metrics"}},
            {"type": "core-metrics-extractor"},
        ],
        "schedulingProfiles": [
            {
                "name": "default",
                "plugins": [{"pluginRef": scorer, "weight": weight} for scorer, weight in scorers.items()],
            }
        ],
    }


def picker_args(build: Builder, model: Model) -> list[str]:
    """Arguments of the picker. Its configuration is one of them, so that a change of it rolls the pods."""
    return [
        f"--pool-name={model.name}",
        f"--pool-namespace={build.fleet.names.models_namespace}",
        f"--pool-group={POOL_API}",
        f"--grpc-port={PICKER_PORT}",
        f"--grpc-health-port={PICKER_HEALTH_PORT}",
        f"--metrics-port={PICKER_METRICS_PORT}",
        # Network policies close both: asking for tokens would take rights over the whole cluster.
        "--secure-serving=false",
        "--metrics-endpoint-auth=false",
        "--enable-pprof=false",
        "--tracing=false",
        f"--config-text={json.dumps(picker_config(model), separators=(',', ':'))}",
    ]


def _deployment(build: Builder, model: Model, metadata: Mapping[str, str], pods: Mapping[str, str]) -> Manifest:
    health = {"grpc": {"port": PICKER_HEALTH_PORT}}
    container = {
        "name": "picker",
        "image": build.fleet.platform["endpoint_picker_image"] or versions().images["endpoint-picker"],
        "imagePullPolicy": "IfNotPresent",
        "args": picker_args(build, model),
        "ports": [
            {"name": "grpc", "containerPort": PICKER_PORT, "protocol": "TCP"},
            {"name": "health", "containerPort": PICKER_HEALTH_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": PICKER_METRICS_PORT, "protocol": "TCP"},
        ],
        # It is ready, and alive, once it has read its pool.
        "readinessProbe": {**health, "periodSeconds": 2, "failureThreshold": 3},
        "livenessProbe": {**health, "initialDelaySeconds": 30, "periodSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}},
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": container_context(),
    }
    owned = ownership_labels(build.fleet.names.cluster, "models")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": dict(metadata),
        "spec": {
            "replicas": REPLICAS,
            "revisionHistoryLimit": 3,
            "selector": {"matchLabels": dict(pods)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {
                "metadata": {"labels": {**pods, **owned}},
                "spec": {
                    "serviceAccountName": metadata["name"],
                    "automountServiceAccountToken": True,
                    "enableServiceLinks": False,
                    "securityContext": pod_context(),
                    # Streams that a picker has begun end with their requests.
                    "terminationGracePeriodSeconds": LEAVE_SECONDS + model.timeout_seconds,
                    "topologySpreadConstraints": spread_constraints(pods),
                    "containers": [container],
                },
            },
        },
    }


def _service(metadata: Mapping[str, str], pods: Mapping[str, str]) -> Manifest:
    port = {"name": "grpc", "port": PICKER_PORT, "targetPort": "grpc", "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": dict(metadata),
        "spec": {
            "type": "ClusterIP",
            "selector": dict(pods),
            "ports": [{**port, "appProtocol": "kubernetes.io/h2c"}],
        },
    }


def _pool(model: Model, metadata: Mapping[str, str]) -> Manifest:
    picker = {"group": "", "kind": "Service", "name": model.picker, "port": {"number": PICKER_PORT}}
    return {
        "apiVersion": f"{POOL_API}/v1",
        "kind": "InferencePool",
        "metadata": dict(metadata),
        "spec": {
            "selector": {"matchLabels": replica_labels(model)},
            "targetPorts": [{"number": MODEL_PORT}],
            "endpointPickerRef": {**picker, "failureMode": "FailClose"},
        },
    }


def _rewrite(model: Model, metadata: Mapping[str, str]) -> Manifest:
    """Requests for the base by name are shared out; those that name an adapter match nothing and stay as they are."""
    canaries = model.get("gateway.canaries")
    rest = 100 - sum(canary["weight"] for canary in canaries)
    shares = [(model.name, rest), *((canary["adapter"], canary["weight"]) for canary in canaries)]
    return {
        "apiVersion": f"{REWRITE_API}/v1alpha2",
        "kind": "InferenceModelRewrite",
        "metadata": dict(metadata),
        "spec": {
            "poolRef": {"group": POOL_API, "kind": "InferencePool", "name": model.name},
            "rules": [
                {
                    "matches": [{"model": {"type": "Exact", "value": model.name}}],
                    "targets": [{"modelRewrite": name, "weight": weight} for name, weight in shares],
                }
            ],
        },
    }
