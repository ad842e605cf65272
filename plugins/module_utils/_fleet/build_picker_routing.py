# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leads the requests of a model's route to its picker, and to the replica that it has picked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import AFTER, PICKED_HEADER, PICKER_PORT


def route_policies(model: Model, metadata: Mapping[str, str]) -> list[Manifest]:
    """The two policies of Envoy Gateway on the route of a model, applied once the picker is ready."""
    mode = {"body": "FullDuplexStreamed"}
    picker = {
        "backendRefs": [{"group": "", "kind": "Service", "name": model.picker, "port": PICKER_PORT}],
        # Envoy takes nothing else with bodies that stream both ways.
        "failOpen": False,
        "processingMode": {"request": mode, "response": mode},
    }
    picked = {"extractFrom": [{"header": PICKED_HEADER}]}
    balance = {"type": "LeastRequest", "endpointOverride": picked}
    return [
        _policy("EnvoyExtensionPolicy", model, metadata, {"extProc": [picker]}),
        _policy("BackendTrafficPolicy", model, metadata, {"mergeType": "StrategicMerge", "loadBalancer": balance}),
    ]


def _policy(kind: str, model: Model, metadata: Mapping[str, str], spec: dict[str, Any]) -> Manifest:
    route = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": model.name}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": kind,
        "metadata": {**metadata, "annotations": {AFTER: model.picker}},
        "spec": {"targetRefs": [route], **spec},
    }
