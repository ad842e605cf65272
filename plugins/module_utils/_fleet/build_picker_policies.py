# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a picker may talk to, and that the replicas of its model answer it.

What the proxies may ask, and that all may ask for names, is in the policies of the namespaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_namespaces import ANYWHERE, API_SERVER_PORTS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_workload import replica_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import (
    ENVOY_PODS,
    MODEL_PORT,
    PICKER_METRICS_PORT,
    PICKER_PORT,
)


def network_policies(build: Builder, model: Model, pods: Mapping[str, str]) -> list[Manifest]:
    """The policies of a picker and of what it asks. pods: labels of the pickers."""
    envoy = {**_namespace(build.fleet.names.gateway_namespace), "podSelector": {"matchLabels": ENVOY_PODS}}
    ingress: list[dict[str, Any]] = [{"from": [envoy], "ports": _ports(PICKER_PORT)}]
    if build.fleet.platform["monitoring"] != "none":
        scraper = _namespace(build.fleet.platform["monitoring_namespace"])
        ingress.append({"from": [scraper], "ports": _ports(PICKER_METRICS_PORT)})
    replicas = replica_labels(model)
    egress = [
        {"to": [{"podSelector": {"matchLabels": replicas}}], "ports": _ports(MODEL_PORT)},
        {"to": ANYWHERE, "ports": _ports(*API_SERVER_PORTS)},
    ]
    asked = [{"from": [{"podSelector": {"matchLabels": dict(pods)}}], "ports": _ports(MODEL_PORT)}]
    return [
        _policy(build, model.picker, pods, {"ingress": ingress, "egress": egress}),
        _policy(build, f"{model.picker}-to-model", replicas, {"ingress": asked}),
    ]


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _ports(*numbers: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": number} for number in numbers]


def _policy(build: Builder, name: str, pods: Mapping[str, str], rules: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": build.fleet.names.models_namespace},
        "spec": {
            "podSelector": {"matchLabels": dict(pods)},
            "policyTypes": [direction.capitalize() for direction in rules],
            **rules,
        },
    }
