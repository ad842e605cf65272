# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform's one gateway on Envoy Gateway, and the Secret of its client keys, without the keys.

The header that names a model is not taken from clients' requests yet: until the model is read from the body, it is
how a client names any model but the first. The client id is taken, because only the gateway may say who asks.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_availability import spread_constraints
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import (
    CLIENT_ID_HEADER,
    ENVOY_PODS,
    GATEWAY,
    GATEWAY_CLASS,
    GATEWAY_PORT,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
_API, _ENVOY_API = "gateway.networking.k8s.io", "gateway.envoyproxy.io"


def add_gateway(build: Builder) -> None:
    """Add class, proxy settings, gateway, the keys' policy and the clients' policy, and the Secret."""
    names = build.fleet.names
    for manifest in (
        {
            "apiVersion": f"{_API}/v1",
            "kind": "GatewayClass",
            "metadata": {"name": GATEWAY_CLASS},
            "spec": {"controllerName": CONTROLLER},
        },
        _proxy(build),
        _gateway(build),
        _policy(
            build,
            "SecurityPolicy",
            {
                "apiKeyAuth": {
                    "credentialRefs": [{"group": "", "kind": "Secret", "name": names.api_keys_secret}],
                    "extractFrom": [{"headers": ["Authorization"]}],
                    "forwardClientIDHeader": CLIENT_ID_HEADER,
                    # The engine never sees a key.
                    "sanitize": True,
                }
            },
        ),
        _policy(build, "ClientTrafficPolicy", {"headers": {"earlyRequestHeaders": {"remove": [CLIENT_ID_HEADER]}}}),
    ):
        build.add("gateway", "envoy_gateway", manifest)
    build.add(
        "gateway",
        "secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": names.api_keys_secret, "namespace": names.gateway_namespace},
            "type": "Opaque",
        },
    )


def _metadata(build: Builder) -> dict[str, str]:
    return {"name": GATEWAY, "namespace": build.fleet.names.gateway_namespace}


def _policy(build: Builder, kind: str, spec: dict[str, Any]) -> Manifest:
    """A policy of Envoy Gateway on the gateway."""
    return {
        "apiVersion": f"{_ENVOY_API}/v1alpha1",
        "kind": kind,
        "metadata": _metadata(build),
        "spec": {"targetRefs": [{"group": _API, "kind": "Gateway", "name": GATEWAY}], **spec},
    }


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
            "shutdown": {"drainTimeout": _longest_timeout(build)},
        },
    }


def _longest_timeout(build: Builder) -> str:
    """The longest time that a request to a routed model may take, as its description has it; a minute without any."""
    routed = [model for model in build.fleet.models if model.routed]
    longest = max(routed, key=lambda model: model.timeout_seconds, default=None)
    return "60s" if longest is None else str(longest.get("gateway.timeout"))


def _gateway(build: Builder) -> Manifest:
    from_models = {
        "from": "Selector",
        "selector": {"matchLabels": {"kubernetes.io/metadata.name": build.fleet.names.models_namespace}},
    }
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "Gateway",
        "metadata": _metadata(build),
        "spec": {
            "gatewayClassName": GATEWAY_CLASS,
            "infrastructure": {"parametersRef": {"group": _ENVOY_API, "kind": "EnvoyProxy", "name": GATEWAY}},
            "listeners": [
                {
                    "name": "http",
                    "protocol": "HTTP",
                    "port": GATEWAY_PORT,
                    "allowedRoutes": {"namespaces": from_models},
                }
            ],
        },
    }
