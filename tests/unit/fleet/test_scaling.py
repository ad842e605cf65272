# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaling of a model: when there is a scaler, what it asks for, and the text of every query."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_scaling import is_scaled
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.series import Series, quoted

Object = dict[str, Any]
ROOT = Path(__file__).resolve().parents[3]
HOURS = {"start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "timezone": "Europe/Paris", "replicas": 2}


@pytest.fixture
def objects(variables: Any, fleet_of: Any) -> Callable[..., dict[str, Object]]:
    """Objects by 'kind/name' of a fleet whose model has these values below scaling."""

    def run(**scaling: Any) -> dict[str, Object]:
        variables["llmfleet_models"][0]["scaling"] = scaling
        found = [entry["object"] for entry in desired(fleet_of(variables), {}).objects]
        return {f"{item['kind']}/{item['metadata']['name']}": item for item in found}

    return run


def _spec(found: dict[str, Object], name: str = "qwen") -> Object:
    return found[f"ScaledObject/{name}"]["spec"]  # type: ignore[no-any-return]


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_fixed_replicas_need_no_scaler(replicas: int, objects: Any) -> None:
    found = objects(min=replicas, max=replicas)
    assert found["Deployment/qwen"]["spec"]["replicas"] == replicas
    assert "ScaledObject/qwen" not in found


@pytest.mark.parametrize("scaling", [{}, {"min": 1, "max": 2}, {"min": 2, "max": 2, "schedule": [HOURS]}])
def test_a_scaler_owns_the_replicas(scaling: Any, objects: Any, fleet_of: Any, variables: Any) -> None:
    found = objects(**scaling)
    assert "replicas" not in found["Deployment/qwen"]["spec"]
    assert _spec(found)["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "qwen"}
    assert is_scaled(fleet_of(variables).models[0])
    labels = found["ScaledObject/qwen"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/name"] == "qwen" and labels["llmfleet.io/layer"] == "models"


def test_what_the_scaler_is_told(objects: Any) -> None:
    spec = _spec(objects(min=2, max=5, polling_interval=20, scale_down_after=120))
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 5)
    assert (spec["pollingInterval"], spec["cooldownPeriod"]) == (20, 120)
    assert spec["fallback"] == {"failureThreshold": 3, "replicas": 2, "behavior": "currentReplicasIfHigher"}
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    up, down = behavior["scaleUp"], behavior["scaleDown"]
    assert up["stabilizationWindowSeconds"] == 0
    assert up["policies"] == [{"type": "Percent", "value": 100, "periodSeconds": 15}]
    assert down["stabilizationWindowSeconds"] == 120
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


def test_the_fallback_keeps_one_replica_at_least(objects: Any) -> None:
    assert _spec(objects(min=1, max=2))["fallback"]["replicas"] == 1


def test_triggers(variables: Any, objects: Any) -> None:
    variables["llmfleet_models"][0]["engine"] = {"max_sequences": 32}
    variables["llmfleet_prometheus_url"] = "http://vmsingle.o11y.svc:8428/prometheus/"
    spec = _spec(objects(max=4, running_target=0.5, kv_cache_target=0.65, waiting_target=3, schedule=[HOURS]))
    *load, hours = spec["triggers"]
    assert [(t["name"], t["metadata"]["threshold"]) for t in load] == [
        ("running", "16"),
        ("waiting", "3"),
        ("kv-cache", "0.65"),
    ]
    for trigger, metric in zip(
        load, ("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"), strict=True
    ):
        assert (trigger["type"], trigger["metricType"]) == ("prometheus", "AverageValue")
        assert trigger["metadata"]["ignoreNullValues"] == "false"
        assert trigger["metadata"]["serverAddress"] == "http://vmsingle.o11y.svc:8428/prometheus"
        assert f"vllm:{metric}{{" in trigger["metadata"]["query"]
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert hours == {
        "type": "cron",
        "metricType": "AverageValue",
        "metadata": {
            "start": "0 8 * * 1-5",
            "end": "0 18 * * 1-5",
            "timezone": "Europe/Paris",
            "desiredReplicas": "2",
        },
    }


def test_the_most_replicas_can_be_reached_by_each_trigger(objects: Any) -> None:
    # Full replicas: 64 running, a full cache; and a queue of what they cannot take.
    for trigger, full in zip(_spec(objects(max=3))["triggers"], (64, 100, 1.0), strict=True):
        load = 3 * full
        assert math.ceil(load / float(trigger["metadata"]["threshold"])) >= 3


@pytest.mark.parametrize(("share", "threshold"), [(1, "64"), (0.7, "44.8"), (1 / 3, "21.333"), (1e-9, "0.001")])
def test_a_target_is_a_number_that_keda_can_hand_on(share: float, threshold: str, objects: Any) -> None:
    assert _spec(objects(running_target=share))["triggers"][0]["metadata"]["threshold"] == threshold


QUERY = (
    '(sum(vllm:num_requests_running{namespace="NS",model_name="NAME"}) unless on() '
    '(max(min_over_time(kube_deployment_status_replicas_ready{namespace="NS",deployment="NAME"}[2m])) > '
    'count(vllm:num_requests_running{namespace="NS",model_name="NAME"}))) '
    'or on() (max(kube_deployment_spec_replicas{namespace="NS",deployment="NAME"}) == 0) '
    'or on() (max(max_over_time(kube_deployment_status_replicas_ready{namespace="NS",deployment="NAME"}[601s])) == 0)'
)


@pytest.mark.parametrize("name", ["qwen", "a", "sum", "unless-on", "a--b-0", "inf", "x" * 40])
def test_the_text_of_a_query(name: str, variables: Any, objects: Any) -> None:
    variables["llmfleet_models"][0]["name"] = name
    variables["llmfleet_models_namespace"] = "by"
    variables["llmfleet_models"][0]["startup"] = {"budget": "10m1s"}
    trigger = _spec(objects(), name)["triggers"][0]
    assert trigger["metadata"]["query"] == QUERY.replace("NAME", name).replace("NS", "by")


def test_a_query_names_one_model_of_one_namespace(variables: Any, objects: Any) -> None:
    for trigger in _spec(objects())["triggers"]:
        query = trigger["metadata"]["query"]
        selectors = query.count("{")
        assert selectors == query.count('{namespace="llm",') and "=~" not in query
        assert selectors == query.count('model_name="qwen"') + query.count('deployment="qwen"')


def test_replicas_of_several_nodes_are_counted_by_their_leaders() -> None:
    series = Series("llm", "big", several_nodes=True)
    assert series.ready == 'kube_statefulset_status_replicas_ready{namespace="llm",statefulset="big"}'
    assert series.wanted == 'kube_statefulset_replicas{namespace="llm",statefulset="big"}'
    assert series.ready in series.load("vllm:num_requests_waiting", 900)
    assert series.pods("up") == 'up{namespace="llm",pod=~"big-[0-9]+(-[0-9]+)?"}'


@pytest.mark.parametrize(
    ("text", "wanted"), [("a", '"a"'), ('a"b', r'"a\"b"'), ("a\\b", r'"a\\b"'), ("a\nb", r'"a\nb"'), ("{}", '"{}"')]
)
def test_quoted(text: str, wanted: str) -> None:
    assert quoted(text) == wanted


IDLE = [
    ({"scaling": {"min": 1, "max": 1, "running_target": 0.5}}, "prometheus_operator", ["scaling.running_target"]),
    ({"scaling": {"min": 1, "max": 1, "waiting_target": 5}}, "prometheus_operator", []),
    ({"scaling": {"min": 1, "max": 1, "waiting_target": 5}}, "none", ["scaling.waiting_target"]),
    ({"scaling": {"min": 2, "max": 3, "schedule": [HOURS]}}, "victoria_metrics", ["scaling.schedule"]),
    ({"scaling": {"min": 1, "max": 3, "schedule": [HOURS]}}, "victoria_metrics", []),
    ({}, "none", ["scaling.max"]),
    ({"metrics_interval": "1m"}, "none", ["metrics_interval", "scaling.max"]),
    ({"metrics_interval": "5m"}, "prometheus_operator", ["metrics_interval"]),
    ({"metrics_interval": "5m", "scaling": {"max": 1}}, "prometheus_operator", []),
    ({"alerts": {"extra_rules": [{"alert": "A", "expr": "1"}]}}, "none", ["alerts.extra_rules", "scaling.max"]),
    (
        {"alerts": {"enabled": False, "extra_rules": [{"alert": "A", "expr": "1"}]}},
        "prometheus_operator",
        ["alerts.extra_rules"],
    ),
]


@pytest.mark.parametrize(("change", "monitoring", "paths"), IDLE)
def test_what_drives_nothing_is_told(change: Any, monitoring: str, paths: Any, variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0] |= change
    variables["llmfleet_monitoring"] = monitoring
    warnings = [line for line in fleet_of(variables).warnings if line.startswith("llmfleet_models[0] (qwen).")]
    assert [line.split("(qwen).")[1].split(": got ")[0] for line in warnings] == paths


def _inventory(fleet_of: Any, host: str) -> tuple[set[str], tuple[str, ...]]:
    """The kinds of an inventory's objects, and its warnings."""
    variables: dict[str, Any] = {}
    for path in sorted((ROOT / "inventories" / host).rglob("host_vars/*/*.yml")):
        variables |= yaml.safe_load(path.read_text(encoding="utf-8").replace("{{ lab_state }}", "/lab"))
    fleet = fleet_of(variables)
    return {entry["object"]["kind"] for entry in desired(fleet, {}).objects}, fleet.warnings


def test_the_example_scales_and_the_lab_does_without_keda_and_monitoring(fleet_of: Any) -> None:
    ours = {"ScaledObject", "PodMonitor", "PrometheusRule"}
    kinds, warnings = _inventory(fleet_of, "example")
    assert kinds >= ours and warnings == ()
    kinds, warnings = _inventory(fleet_of, "lab")
    assert not kinds & ours and warnings == ()
