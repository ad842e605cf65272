# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Namespaces with Pod Security labels, and what may talk to what in them.

NetworkPolicies only add up: the default-deny of a namespace takes everything away, each other one gives one thing back.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_body_router import (
    BODY_ROUTER_PODS,
    BODY_ROUTER_PORT,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import (
    ENVOY_PODS,
    GATEWAY_PORT,
    MODEL_PORT,
    MODELS_LISTENER_PORT,
    PICKER_PORT,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pod_security import RESTRICTED_LABELS

ANYWHERE: list[dict[str, Any]] = [{"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}]
# The agent of EKS Pod Identity listens on the node at these addresses.
POD_IDENTITY: list[dict[str, Any]] = [
    {"ipBlock": {"cidr": "169.254.170.23/32"}},
    {"ipBlock": {"cidr": "fd00:ec2::23/128"}},
]
# EKS answers on 443; API servers elsewhere on 6443. No policy can name the API server itself.
API_SERVER_PORTS = (443, 6443)
CONTROLLER_PODS = {"control-plane": "envoy-gateway"}
XDS_PORTS = (18000, 18001, 18002)


def _ports(*numbers: int, protocol: str = "TCP") -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": number} for number in dict.fromkeys(numbers)]


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _in(namespace: str, pods: dict[str, str]) -> list[dict[str, Any]]:
    return [{**_namespace(namespace), "podSelector": {"matchLabels": pods}}]


def _pods(pods: dict[str, str]) -> list[dict[str, Any]]:
    """Pods of the policy's own namespace."""
    return [{"podSelector": {"matchLabels": pods}}]


def add_namespaces(build: Builder) -> None:
    """Add both namespaces and their policies."""
    names = build.fleet.names
    for layer, namespace in (("storage", names.models_namespace), ("gateway", names.gateway_namespace)):
        build.add(
            layer,
            "namespaces",
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": namespace, "labels": dict(RESTRICTED_LABELS)},
            },
        )
        _policy(build, layer, namespace, "default-deny", {}, ingress=[], egress=[])
        dns = _in("kube-system", {"k8s-app": "kube-dns"})
        # CoreDNS may listen on a high port behind its Service: without a port, policies that see pods let it through.
        ports = [*_ports(53, protocol="UDP"), *_ports(53)]
        _policy(build, layer, namespace, "allow-dns", {}, egress=[{"to": dns, "ports": ports}])
    _models_policies(build)
    _gateway_policies(build)


def _models_policies(build: Builder) -> None:
    names = build.fleet.names
    envoy = _in(names.gateway_namespace, ENVOY_PODS)
    _policy(
        build,
        "storage",
        names.models_namespace,
        "allow-gateway-to-models",
        {"app.kubernetes.io/part-of": "llmfleet", "app.kubernetes.io/component": "inference"},
        ingress=[{"from": envoy, "ports": _ports(MODEL_PORT)}],
    )
    if build.fleet.platform["monitoring"] != "none":
        _policy(
            build,
            "storage",
            names.models_namespace,
            "allow-scraper-to-models",
            {"app.kubernetes.io/part-of": "llmfleet", "app.kubernetes.io/component": "inference"},
            # Scrapers name their pods differently: any pod of their namespace.
            ingress=[{"from": [_namespace(build.fleet.platform["monitoring_namespace"])], "ports": _ports(MODEL_PORT)}],
        )
    # The hub is asked by way of the proxy, where there is one.
    hub = urlsplit(str(build.fleet.platform["weights_proxy"] or build.fleet.platform["weights_hub_endpoint"]))
    hub_port = hub.port or (443 if hub.scheme == "https" else 80)
    _policy(
        build,
        "storage",
        names.models_namespace,
        "allow-fetcher-to-hub-and-s3",
        {"app.kubernetes.io/part-of": "llmfleet", "app.kubernetes.io/component": "weights"},
        egress=[
            {"to": ANYWHERE, "ports": _ports(443, hub_port)},
            {"to": POD_IDENTITY, "ports": _ports(80)},
        ],
    )


def _gateway_policies(build: Builder) -> None:
    names = build.fleet.names
    _policy(
        build,
        "gateway",
        names.gateway_namespace,
        "allow-envoy",
        ENVOY_PODS,
        # Any pod of the cluster may ask; the keys decide whether it is answered. The models' listener is asked by
        # proxies only.
        ingress=[
            {"from": [{"namespaceSelector": {}}], "ports": _ports(GATEWAY_PORT)},
            {"from": _pods(ENVOY_PODS), "ports": _ports(MODELS_LISTENER_PORT)},
        ],
        egress=[
            {"to": _pods(ENVOY_PODS), "ports": _ports(MODELS_LISTENER_PORT)},
            {"to": _pods(BODY_ROUTER_PODS), "ports": _ports(BODY_ROUTER_PORT)},
            {"to": _in(names.models_namespace, {"app.kubernetes.io/part-of": "llmfleet"}), "ports": _ports(MODEL_PORT)},
            {
                "to": _in(names.models_namespace, {"app.kubernetes.io/component": "picker"}),
                "ports": _ports(PICKER_PORT),
            },
            {"to": _pods(CONTROLLER_PODS), "ports": _ports(*XDS_PORTS)},
        ],
    )
    _policy(
        build,
        "gateway",
        names.gateway_namespace,
        "allow-body-router",
        BODY_ROUTER_PODS,
        ingress=[{"from": _pods(ENVOY_PODS), "ports": _ports(BODY_ROUTER_PORT)}],
    )
    _policy(
        build,
        "gateway",
        names.gateway_namespace,
        "allow-controller",
        CONTROLLER_PODS,
        ingress=[{"from": _pods(ENVOY_PODS), "ports": _ports(*XDS_PORTS)}],
        egress=[{"to": ANYWHERE, "ports": _ports(*API_SERVER_PORTS)}],
    )
    _policy(
        build,
        "gateway",
        names.gateway_namespace,
        "allow-certificates-job",
        {"app": "certgen"},
        egress=[{"to": ANYWHERE, "ports": _ports(*API_SERVER_PORTS)}],
    )


def _policy(
    build: Builder,
    layer: str,
    namespace: str,
    name: str,
    pods: dict[str, str],
    ingress: list[dict[str, Any]] | None = None,
    egress: list[dict[str, Any]] | None = None,
) -> None:
    """Add a policy; a direction that is None is left to the others, an empty list gives nothing."""
    spec: dict[str, Any] = {"podSelector": {"matchLabels": pods} if pods else {}, "policyTypes": []}
    for direction, rules in (("Ingress", ingress), ("Egress", egress)):
        if rules is not None:
            spec["policyTypes"].append(direction)
            if rules:
                spec[direction.lower()] = rules
    build.add(
        layer,
        "namespaces",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        },
    )
