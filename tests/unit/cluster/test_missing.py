# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that a cluster does not serve, from its discovery documents."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Discovery
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.missing import missing_kinds

ENVOY = [{"name": "envoy-gateway"}]


def cluster(*served: tuple[str, str, str]) -> Discovery:
    """A cluster that serves core Pods and these kinds: (group, version, kind)."""

    def group(name: str, version: str, kind: str) -> dict[str, Any]:
        resource = {"resource": f"{kind.lower()}s", "responseKind": {"kind": kind}, "scope": "Namespaced"}
        return {"metadata": {"name": name}, "versions": [{"version": version, "resources": [resource]}]}

    def get(path: str, accept: str) -> dict[str, Any]:
        items = [group("", "v1", "Pod")] if path == "/api" else [group(*item) for item in served]
        return {"kind": "APIGroupDiscoveryList", "items": items}

    return Discovery(get)


def obj(api_version: str, kind: str, name: str = "qwen") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}


def test_a_line_for_each_kind_with_what_to_do() -> None:
    objects = [
        obj("v1", "Pod"),
        *(obj("keda.sh/v1alpha1", "ScaledObject", name) for name in "abcde"),
        obj("monitoring.coreos.com/v1", "PodMonitor"),
        obj("monitoring.coreos.com/v1", "PrometheusRule"),
        obj("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet"),
        obj("example.com/v1", "Thing"),
    ]
    scaled, scrape, rules, several, thing = missing_kinds(cluster(), objects, ENVOY)
    assert scaled == (
        "ScaledObject (keda.sh/v1alpha1): the cluster does not serve it; wanted for a, b, c and 2 more; accepted: "
        "a cluster with KEDA 2.21 or later, or fixed replicas (scaling.max equal to scaling.min, no schedule)"
    )
    for line in (scrape, rules):
        assert "llmfleet_monitoring: victoria_metrics or none" in line
    assert "gpu.nodes: 1" in several
    assert thing.endswith("accepted: a cluster that serves example.com/v1")


def test_what_is_served_and_what_a_chart_brings_is_not_missing() -> None:
    gateway = obj("gateway.networking.k8s.io/v1", "Gateway")
    served = ("keda.sh", "v1alpha1", "ScaledObject")
    objects = [gateway, obj("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy"), obj("keda.sh/v1alpha1", "ScaledObject")]
    assert missing_kinds(cluster(served), objects, ENVOY) == []
    (line,) = missing_kinds(cluster(served), [gateway], [])
    assert line.startswith("Gateway (gateway.networking.k8s.io/v1): the cluster does not serve it; wanted for qwen")


def test_another_version_is_named() -> None:
    (line,) = missing_kinds(cluster(("keda.sh", "v2", "ScaledObject")), [obj("keda.sh/v1alpha1", "ScaledObject")], [])
    assert "does not serve it (it serves keda.sh/v2)" in line
