# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How requests find a model: its route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import GATEWAY, MODEL_HEADER, MODEL_PORT


def route(build: Builder, model: Model, metadata: Mapping[str, str], is_default: bool) -> Manifest:
    """The route of a model and its adapters by the header that names one of them.

    The first routed model of the fleet also answers requests without the header: they carry the name in their body
    only, and nothing reads it there yet.
    """
    path = {"type": "PathPrefix", "value": "/v1/"}
    to_model = {
        "backendRefs": [{"group": "", "kind": "Service", "name": model.name, "port": MODEL_PORT, "weight": 1}],
        "timeouts": {"request": model.get("gateway.timeout")},
    }
    rules: list[dict[str, Any]] = []
    for name in (model.name, *(adapter.name for adapter in model.adapters)):
        header = {"type": "Exact", "name": MODEL_HEADER, "value": name}
        rules.append({"matches": [{"path": path, "headers": [header]}], **to_model})
    if is_default:
        rules.append({"matches": [{"path": path}], **to_model})
    gateway = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY,
        "namespace": build.fleet.names.gateway_namespace,
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": dict(metadata),
        "spec": {"parentRefs": [gateway], "rules": rules},
    }
