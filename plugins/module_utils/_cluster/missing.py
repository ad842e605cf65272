# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that the fleet needs and the API server does not serve: found before the first write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Discovery

# Groups of kinds whose definitions come with a chart that the platform installs.
_BROUGHT_BY = {"envoy-gateway": ("gateway.networking.k8s.io", "gateway.envoyproxy.io"), "keda": ("keda.sh",)}
# What to do where a group is missing.
_ADVICE = {
    "keda.sh": "a cluster with KEDA 2.21 or later, or fixed replicas (scaling.max equal to scaling.min, no schedule)",
    "monitoring.coreos.com": (
        "a cluster with prometheus-operator's definitions, or llmfleet_monitoring: victoria_metrics or none"
    ),
    "operator.victoriametrics.com": (
        "a cluster with VictoriaMetrics' operator, or llmfleet_monitoring: prometheus_operator or none"
    ),
    "leaderworkerset.x-k8s.io": "a cluster with LeaderWorkerSet, or gpu.nodes: 1",
    **dict.fromkeys(
        ("inference.networking.k8s.io", "inference.networking.x-k8s.io"),
        "a cluster with the definitions of the Gateway API inference extension 1.5, or models without "
        "gateway.endpoint_picker and gateway.canaries",
    ),
    "karpenter.sh": "a cluster with Karpenter, or pools with static: true",
    "karpenter.k8s.aws": "a cluster with Karpenter for AWS, or pools with static: true",
}
_SHOWN = 3


def missing_kinds(
    discovery: Discovery, objects: Iterable[Mapping[str, Any]], charts: Iterable[Mapping[str, Any]]
) -> list[str]:
    """Return a line for each kind of these objects that is not served, and that none of the charts brings.

    charts: {name} of each release that the platform installs. Raises ClusterError.
    """
    brought = {group for chart in charts for group in _BROUGHT_BY.get(str(chart["name"]), ())}
    missing: dict[tuple[str, str], list[str]] = defaultdict(list)
    for obj in objects:
        key = str(obj["apiVersion"]), str(obj["kind"])
        if _group(key[0]) not in brought and not discovery.has(*key):
            missing[key].append(str(obj["metadata"]["name"]))
    return [_told(discovery, *key, names) for key, names in missing.items()]


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


def _told(discovery: Discovery, api_version: str, kind: str, names: list[str]) -> str:
    group = _group(api_version)
    others = sorted({item.api_version for item in discovery.resources() if (item.group, item.kind) == (group, kind)})
    found = f" (it serves {', '.join(others)})" if others else ""
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    accepted = _ADVICE.get(group, f"a cluster that serves {api_version}")
    return f"{kind} ({api_version}): the cluster does not serve it{found}; wanted for {shown}; accepted: {accepted}"
