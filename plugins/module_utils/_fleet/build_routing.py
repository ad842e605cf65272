# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How requests find a model: its route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import (
    GATEWAY,
    MODEL_HEADER,
    MODEL_PORT,
    MODELS_LISTENER,
)


def route(build: Builder, model: Model, metadata: Mapping[str, str]) -> Manifest:
    """The route of a model and its adapters, on the gateway's second listener, by the header that names one of them."""
    to_model = {
        "backendRefs": [{"group": "", "kind": "Service", "name": model.name, "port": MODEL_PORT, "weight": 1}],
        "timeouts": {"request": model.get("gateway.timeout")},
    }
    rules: list[dict[str, Any]] = []
    for name in model.served_names:
        match = {
            "path": {"type": "PathPrefix", "value": "/v1/"},
            "headers": [{"type": "Exact", "name": MODEL_HEADER, "value": name}],
        }
        rules.append({"matches": [match], **to_model})
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": dict(metadata),
        "spec": {"parentRefs": [listener(build, MODELS_LISTENER)], "rules": rules},
    }


def listener(build: Builder, name: str) -> dict[str, Any]:
    """The reference of a route to one listener of the gateway."""
    return {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY,
        "namespace": build.fleet.names.gateway_namespace,
        "sectionName": name,
    }
