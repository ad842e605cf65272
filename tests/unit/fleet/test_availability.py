# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spread of replicas, rules of the network of one model, routes of adapters, room for offloaded KV cache."""

from __future__ import annotations

from typing import Any

import pytest

Object = dict[str, Any]
ADAPTER = {"name": "sql", "repository": "o/sql", "revision": "a" * 40}


def _model(variables: Any) -> Object:
    return variables["llmfleet_models"][0]  # type: ignore[no-any-return]


def _pod(found: dict[str, Object]) -> Object:
    return found["Deployment/qwen"]["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def test_replicas_spread_where_there_can_be_several(variables: Any, objects: Any) -> None:
    found = objects()
    constraints = _pod(found)["topologySpreadConstraints"]
    assert [item["topologyKey"] for item in constraints] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    for item in constraints:
        assert item["whenUnsatisfiable"] == "ScheduleAnyway" and item["maxSkew"] == 1
        assert item["labelSelector"] == found["Deployment/qwen"]["spec"]["selector"]
    _model(variables)["scaling"] = {"min": 1, "max": 1}
    assert "topologySpreadConstraints" not in _pod(objects())


def test_extra_rules_of_the_network(variables: Any, objects: Any) -> None:
    assert "NetworkPolicy/qwen-extra" not in objects()
    peer, block = {"podSelector": {"matchLabels": {"app": "x"}}}, {"ipBlock": {"cidr": "10.0.0.0/8"}}
    _model(variables)["network"] = {"extra_ingress": [peer]}
    found = objects()
    spec = found["NetworkPolicy/qwen-extra"]["spec"]
    assert spec["podSelector"] == found["Deployment/qwen"]["spec"]["selector"]
    # What is not named stays as the other policies say.
    assert spec["policyTypes"] == ["Ingress"] and "egress" not in spec
    assert spec["ingress"] == [{"from": [peer], "ports": [{"protocol": "TCP", "port": 8000}]}]
    _model(variables)["network"] = {"extra_egress": [block, peer]}
    spec = objects()["NetworkPolicy/qwen-extra"]["spec"]
    assert spec["policyTypes"] == ["Egress"] and spec["egress"] == [{"to": [block, peer]}] and "ingress" not in spec
    _model(variables)["network"] = {"extra_ingress": [peer], "extra_egress": [block]}
    assert objects()["NetworkPolicy/qwen-extra"]["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_extra_rules_replace_none(variables: Any, fleet_of: Any) -> None:
    from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired

    def policies() -> dict[str, Object]:
        entries = [entry["object"] for entry in desired(fleet_of(variables), {}).objects]
        return {item["metadata"]["name"]: item for item in entries if item["kind"] == "NetworkPolicy"}

    before = policies()
    _model(variables)["network"] = {"extra_ingress": [{"podSelector": {}}], "extra_egress": [{"podSelector": {}}]}
    after = policies()
    assert after.pop("qwen-extra") and after == before


def test_a_route_by_the_name_of_each_adapter(variables: Any, objects: Any) -> None:
    _model(variables)["adapters"] = [ADAPTER, {**ADAPTER, "name": "css"}]
    rules = objects()["HTTPRoute/qwen"]["spec"]["rules"]
    headers = [rule["matches"][0]["headers"] for rule in rules]
    assert [each[0]["value"] for each in headers] == ["qwen", "sql", "css"]
    assert all(rule["backendRefs"] == rules[0]["backendRefs"] for rule in rules)
    assert all(rule["timeouts"] == {"request": "600s"} for rule in rules)


@pytest.mark.parametrize(("offload", "count", "size"), [(0, 1, "2Gi"), (8, 1, "10Gi"), (8, 4, "16Gi")])
def test_offloaded_kv_cache_has_room_in_shared_memory(
    offload: int, count: int, size: str, variables: Any, objects: Any
) -> None:
    _model(variables)["engine"] = {"kv_offload_gib": offload}
    _model(variables)["gpu"] = {"pool": "lab", "count": count}
    (shared,) = [volume["emptyDir"] for volume in _pod(objects())["volumes"] if volume["name"] == "shm"]
    assert shared == {"medium": "Memory", "sizeLimit": size}
