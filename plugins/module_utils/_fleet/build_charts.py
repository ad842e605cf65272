# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Helm charts that the platform installs, with their values."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_gateway import CONTROLLER
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import (
    CLUSTER_LABEL,
    LAYER_LABEL,
    ownership_labels,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

CSI_CONTROLLER_ACCOUNT = "efs-csi-controller-sa"
CSI_NODE_ACCOUNT = "efs-csi-node-sa"
# Of the driver, by part, whoever installs it.
CSI_RESOURCES: dict[str, dict[str, dict[str, str]]] = {
    "controller": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
    # About 12 MiB a mount and 30 MiB each that is being made: at 256Mi it was seen to be killed.
    "node": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
}


def add_charts(build: Builder) -> None:
    """Add Envoy Gateway, and the storage driver when its chart is asked for."""
    names, platform = build.fleet.names, build.fleet.platform
    _add(build, "gateway", "envoy-gateway", names.gateway_namespace, platform["envoy_gateway_chart"], _envoy(build))
    if platform["efs_csi_driver"] == "chart":
        _add(build, "storage", "aws-efs-csi-driver", "kube-system", platform["efs_csi_driver_chart"], _csi(build))


def _add(build: Builder, layer: str, name: str, namespace: str, override: str | None, values: dict[str, Any]) -> None:
    """Add a release. An override that is a folder or a file has the version that it has."""
    card = versions().charts[name]
    entry = {
        "name": name,
        "layer": layer,
        "release": name,
        "namespace": namespace,
        "repository": "" if override else card.repository,
        "chart": override or card.chart,
        "version": card.version if override is None or override.startswith("oci://") else "",
        "values": values,
    }
    build.desired.charts.append(entry)


def _labels(build: Builder, layer: str) -> dict[str, str]:
    """Ownership of what a chart makes; managed-by stays Helm's, which refuses to adopt anything else."""
    owned = ownership_labels(build.fleet.names.cluster, layer)
    return {key: owned[key] for key in (CLUSTER_LABEL, LAYER_LABEL)}


def _envoy(build: Builder) -> dict[str, Any]:
    return {
        "commonLabels": _labels(build, "gateway"),
        "config": {
            "envoyGateway": {
                "gateway": {"controllerName": CONTROLLER},
                "provider": {"type": "Kubernetes"},
                "logging": {"level": {"default": "info"}},
            }
        },
        "deployment": {
            "envoyGateway": {"resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}}
        },
        # It tells proxies their zone, for routing that we do not use, by a webhook on every pod.
        "topologyInjector": {"enabled": False},
    }


def _csi(build: Builder) -> dict[str, Any]:
    seccomp = {"seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "controller": {
            "serviceAccount": {"create": True, "name": CSI_CONTROLLER_ACCOUNT},
            "podSecurityContext": seccomp,
            "resources": CSI_RESOURCES["controller"],
            # Volumes are written by us; nothing is provisioned.
            "tags": ownership_labels(build.fleet.names.cluster, "storage"),
        },
        "node": {
            "serviceAccount": {"create": True, "name": CSI_NODE_ACCOUNT},
            "resources": CSI_RESOURCES["node"],
        },
        "storageClasses": [],
    }
