# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body-based router of the Gateway API inference extension: it tells the proxy which model a body names.

It holds a body in memory while it reads it, and knows no limit for that itself.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_availability import spread_constraints
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import BODY_ROUTER, MODEL_HEADER
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pod_security import container_context, pod_context
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

BODY_ROUTER_PODS = {"app.kubernetes.io/name": BODY_ROUTER, "app.kubernetes.io/component": "body-router"}
BODY_ROUTER_PORT = 9004
_HEALTH_PORT, _METRICS_PORT = 9005, 9090
_PLUGIN = json.dumps({"fieldName": "model", "headerName": MODEL_HEADER}, separators=(",", ":"))
# Seconds in which proxies learn that a router leaves, before it does.
_LEAVING = 5


def body_router(build: Builder) -> list[Manifest]:
    """Its account, Deployment, Service and, when there are several, disruption budget."""
    metadata = {"name": BODY_ROUTER, "namespace": build.fleet.names.gateway_namespace}
    port = {"name": "grpc", "port": BODY_ROUTER_PORT, "targetPort": "grpc", "appProtocol": "kubernetes.io/h2c"}
    found: list[Manifest] = [
        # It asks the API server for nothing, but does not start without a token of its own.
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, "automountServiceAccountToken": True},
        _deployment(build, metadata),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"type": "ClusterIP", "selector": BODY_ROUTER_PODS, "ports": [{**port, "protocol": "TCP"}]},
        },
    ]
    if build.fleet.platform["envoy_replicas"] > 1:
        spec = {"maxUnavailable": 1, "selector": {"matchLabels": BODY_ROUTER_PODS}}
        found.append({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec})
    return found


def _deployment(build: Builder, metadata: dict[str, str]) -> Manifest:
    replicas = build.fleet.platform["envoy_replicas"]
    pod: dict[str, Any] = {
        "serviceAccountName": BODY_ROUTER,
        "securityContext": pod_context(),
        "containers": [_container(build)],
        "terminationGracePeriodSeconds": _LEAVING + 25,
    }
    if replicas > 1:
        pod["topologySpreadConstraints"] = spread_constraints(BODY_ROUTER_PODS)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": BODY_ROUTER_PODS},
            # Without a router every request fails: a new one serves before an old one leaves.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {"metadata": {"labels": BODY_ROUTER_PODS}, "spec": pod},
        },
    }


def _container(build: Builder) -> dict[str, Any]:
    probe = {"grpc": {"port": _HEALTH_PORT}, "periodSeconds": 5}
    return {
        "name": "body-router",
        "image": build.fleet.platform["body_router_image"] or versions().images["body-router"],
        "args": [
            "--streaming",
            "--secure-serving=false",
            "--tracing=false",
            "--enable-pprof=false",
            # Closed by the namespace's network policies.
            "--metrics-endpoint-auth=false",
            f"--grpc-port={BODY_ROUTER_PORT}",
            f"--grpc-health-port={_HEALTH_PORT}",
            f"--metrics-port={_METRICS_PORT}",
            f"--plugin=body-field-to-header:model-extractor:{_PLUGIN}",
            "--v=1",
        ],
        "ports": [
            {"name": "grpc", "containerPort": BODY_ROUTER_PORT, "protocol": "TCP"},
            {"name": "health", "containerPort": _HEALTH_PORT, "protocol": "TCP"},
            {"name": "metrics", "containerPort": _METRICS_PORT, "protocol": "TCP"},
        ],
        "readinessProbe": probe,
        "livenessProbe": {**probe, "periodSeconds": 10},
        "lifecycle": {"preStop": {"sleep": {"seconds": _LEAVING}}},
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": container_context(),
    }
