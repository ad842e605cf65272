# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's one gateway on Envoy Gateway: its proxies, its two listeners, the Secrets of keys, without the keys.

What a listener runs on a request is decided by the first route that matches. The name of the model is known only when
the body was read: so one listener reads it, and asks the other, where each model has routes and policies of its own.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_availability import spread_constraints
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_body_router import body_router
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_front import front
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import (
    CLIENTS_LISTENER,
    ENVOY_PODS,
    GATEWAY,
    GATEWAY_CLASS,
    GATEWAY_PORT,
    MODELS_LISTENER,
    MODELS_LISTENER_PORT,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
_API, _ENVOY_API = "gateway.networking.k8s.io", "gateway.envoyproxy.io"


def add_gateway(build: Builder) -> None:
    """Add class, proxy settings, gateway, what its listeners do, and the Secrets."""
    names = build.fleet.names
    gateway_class = {
        "apiVersion": f"{_API}/v1",
        "kind": "GatewayClass",
        "metadata": {"name": GATEWAY_CLASS},
        "spec": {"controllerName": CONTROLLER},
    }
    for manifest in (gateway_class, _proxy(build), *body_router(build), _gateway(build), *front(build)):
        build.add("gateway", "envoy_gateway", manifest)
    for name in (names.api_keys_secret, names.hop_secret):
        secret = {"metadata": {"name": name, "namespace": names.gateway_namespace}, "type": "Opaque"}
        build.add("gateway", "secrets", {"apiVersion": "v1", "kind": "Secret", **secret})


def _metadata(build: Builder) -> dict[str, str]:
    return {"name": GATEWAY, "namespace": build.fleet.names.gateway_namespace}


def _proxy(build: Builder) -> Manifest:
    deployment: dict[str, Any] = {
        "replicas": build.fleet.platform["envoy_replicas"],
        "container": {
            "image": build.fleet.platform["envoy_image"] or versions().images["envoy"],
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
        "pod": {"securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}},
    }
    kubernetes: dict[str, Any] = {
        "envoyDeployment": deployment,
        "envoyService": {"name": build.fleet.names.gateway_service, "type": "ClusterIP"},
    }
    if build.fleet.platform["envoy_replicas"] > 1:
        deployment["pod"]["topologySpreadConstraints"] = spread_constraints(ENVOY_PODS)
        kubernetes["envoyPDB"] = {"maxUnavailable": 1}
    return {
        "apiVersion": f"{_ENVOY_API}/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": _metadata(build),
        "spec": {
            "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
            # A proxy that ends goes on with what it has begun for as long as a request may take. It waits for its
            # connections, not for the time: one without any ends after seconds.
            "shutdown": {"drainTimeout": build.fleet.longest_timeout},
        },
    }


def _gateway(build: Builder) -> Manifest:
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "Gateway",
        "metadata": _metadata(build),
        "spec": {
            "gatewayClassName": GATEWAY_CLASS,
            "infrastructure": {"parametersRef": {"group": _ENVOY_API, "kind": "EnvoyProxy", "name": GATEWAY}},
            "listeners": [
                _listener(CLIENTS_LISTENER, GATEWAY_PORT, {"from": "Same"}),
                _listener(MODELS_LISTENER, MODELS_LISTENER_PORT, _from_models(build)),
            ],
        },
    }


def _listener(name: str, port: int, namespaces: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "protocol": "HTTP", "port": port, "allowedRoutes": {"namespaces": namespaces}}


def _from_models(build: Builder) -> dict[str, Any]:
    """Routes of models, and the gateway's own for names that no model has."""
    names = build.fleet.names
    where = sorted({names.models_namespace, names.gateway_namespace})
    expression = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": where}
    return {"from": "Selector", "selector": {"matchExpressions": [expression]}}
