# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicies of one model. They only add to the rules of the namespace, which all models have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import MODEL_PORT


def policies(model: Model, namespace: str, pods: Mapping[str, str]) -> list[Manifest]:
    """The policies of a model; pods: labels of its pods."""
    found = []
    ingress, egress = model.get("network.extra_ingress"), model.get("network.extra_egress")
    rules: dict[str, Any] = {}
    if ingress:
        rules["ingress"] = [{"from": ingress, "ports": [{"protocol": "TCP", "port": MODEL_PORT}]}]
    if egress:
        rules["egress"] = [{"to": egress}]
    if rules:
        found.append(_policy(f"{model.name}-extra", namespace, pods, rules))
    if model.nodes > 1:
        # NCCL and the engine's message queues take whatever ports are free.
        group = [{"podSelector": {"matchLabels": dict(pods)}}]
        found.append(
            _policy(f"{model.name}-group", namespace, pods, {"ingress": [{"from": group}], "egress": [{"to": group}]})
        )
    return found


def _policy(name: str, namespace: str, pods: Mapping[str, str], rules: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "podSelector": {"matchLabels": dict(pods)},
            "policyTypes": [direction.capitalize() for direction in rules],
            **rules,
        },
    }
