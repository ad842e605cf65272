# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What watches a model: its scrape and its alert rules, in each kind of monitoring."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired

Object = dict[str, Any]
EXTRA = {"alert": "Mine", "expr": "vector(1) > 0", "for": "1h1m1s"}
ALERTS = [
    "LLMFleetColdStartOverBudget",
    "LLMFleetNoReplicaReady",
    "LLMFleetRestarts",
    "LLMFleetQueueWaiting",
    "LLMFleetKVCacheFull",
    "LLMFleetPreemptions",
    "LLMFleetErrors",
    "LLMFleetAborts",
    "LLMFleetEngineNotHeard",
    "LLMFleetKubeStateMetricsMissing",
    "LLMFleetScalingInactive",
]


@pytest.fixture
def objects(variables: Any, fleet_of: Any) -> Callable[..., dict[str, Object]]:
    """Objects of monitoring by kind, of a fleet whose model has these fields."""

    def run(**fields: Any) -> dict[str, Object]:
        variables["llmfleet_models"][0] |= fields
        found = [entry["object"] for entry in desired(fleet_of(variables), {}).objects]
        groups = ("monitoring.coreos.com/", "operator.victoriametrics.com/")
        return {item["kind"]: item for item in found if item["apiVersion"].startswith(groups)}

    return run


def _rules(found: dict[str, Object], kind: str = "PrometheusRule") -> dict[str, Object]:
    (group,) = found[kind]["spec"]["groups"]
    assert group["name"] == "qwen"
    return {rule["alert"]: rule for rule in group["rules"]}


@pytest.mark.parametrize(
    ("monitoring", "api_version", "kinds"),
    [
        (None, "monitoring.coreos.com/v1", ["PodMonitor", "PrometheusRule"]),
        ("prometheus_operator", "monitoring.coreos.com/v1", ["PodMonitor", "PrometheusRule"]),
        ("victoria_metrics", "operator.victoriametrics.com/v1beta1", ["VMPodScrape", "VMRule"]),
        ("none", "", []),
    ],
)
def test_kinds(monitoring: str | None, api_version: str, kinds: list[str], variables: Any, objects: Any) -> None:
    variables["llmfleet_monitoring"] = monitoring
    variables["llmfleet_monitoring_labels"] = {"release": "kps"}
    found = objects()
    assert list(found) == kinds
    for item in found.values():
        assert item["apiVersion"] == api_version
        assert (item["metadata"]["name"], item["metadata"]["namespace"]) == ("qwen", "llm")
        labels = item["metadata"]["labels"]
        assert labels["release"] == "kps" and labels["app.kubernetes.io/name"] == "qwen"


@pytest.mark.parametrize(
    ("interval", "written", "timeout"), [("30s", "30s", "10s"), ("5s", "5s", "5s"), ("1s1m", "61s", "10s")]
)
def test_scrape(interval: str, written: str, timeout: str, variables: Any, fleet_of: Any, objects: Any) -> None:
    spec = objects(metrics_interval=interval)["PodMonitor"]["spec"]
    assert spec["podMetricsEndpoints"] == [
        {"port": "http", "path": "/metrics", "interval": written, "scrapeTimeout": timeout}
    ]
    everything = [entry["object"] for entry in desired(fleet_of(variables), {}).objects]
    namespace = objects()["PodMonitor"]["metadata"]["namespace"]
    workloads = [item for item in everything if item["metadata"].get("namespace") == namespace]
    (deployment,) = [item for item in workloads if item["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]
    assert spec["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert "http" in [port["name"] for port in pod["spec"]["containers"][0]["ports"]]
    # Fetchers have no metrics.
    for job in (item for item in everything if item["kind"] == "Job"):
        assert not spec["selector"]["matchLabels"].items() <= job["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("monitoring", "kind"), [("prometheus_operator", "PrometheusRule"), ("victoria_metrics", "VMRule")]
)
def test_rules(monitoring: str, kind: str, variables: Any, objects: Any) -> None:
    variables["llmfleet_monitoring"] = monitoring
    rules = _rules(objects(alerts={"extra_rules": [EXTRA]}), kind)
    assert list(rules) == [*ALERTS, "Mine"]
    for name in ALERTS:
        rule = rules[name]
        assert rule["labels"]["namespace"] == "llm" and rule["labels"]["model"] == "qwen"
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert re.fullmatch(r"[0-9]+s", rule["for"])
        # Texts, not links to pages; nothing that a template engine would take for its own.
        text = " ".join(rule["annotations"].values())
        assert set(rule["annotations"]) == {"summary", "runbook"} and "http" not in text and "{{" not in text
    # Those of the user as they are, but for a duration that Prometheus would refuse.
    assert rules["Mine"] == {"alert": "Mine", "expr": "vector(1) > 0", "for": "3661s"}


@pytest.mark.parametrize("name", ["qwen", "a", "sum", "unless-on", "x" * 40])
def test_every_selector_names_namespace_and_model(name: str, variables: Any, objects: Any) -> None:
    variables["llmfleet_models_namespace"] = "on"
    spec = objects(name=name)["PrometheusRule"]["spec"]
    for rule in spec["groups"][0]["rules"]:
        selectors = re.findall(r"[a-z][a-z_:]+\{([^}]*(?:\{5\})?[^}]*)\}", rule["expr"])
        assert selectors, rule["alert"]
        for selector in selectors:
            assert selector.startswith('namespace="on",')
            assert re.search(
                rf'(model_name|deployment)="{name}"|pod=~"{name}-\[|horizontalpodautoscaler="keda-hpa-{name}"', selector
            )


def test_pods_of_a_model_whose_name_begins_alike_are_others(objects: Any) -> None:
    expr = _rules(objects())["LLMFleetColdStartOverBudget"]["expr"]
    (form,) = set(re.findall(r'pod=~"([^"]+)"', expr))
    assert re.fullmatch(form, "qwen-6c8f9d7b5-x2k4z")
    for other in ("qwen-coder-6c8f9d7b5-x2k4z", "qwen-weights-0123456789-x2k4z", "qwen2-6c8f9d7b5-x2k4z", "qwen"):
        assert not re.fullmatch(form, other)


def test_what_the_description_says_is_in_the_rules(objects: Any) -> None:
    rules = _rules(objects(startup={"budget": "10m"}, scaling={"min": 1, "max": 2, "waiting_target": 5}))
    assert rules["LLMFleetColdStartOverBudget"]["for"] == "600s"
    assert "offset 600s" in rules["LLMFleetNoReplicaReady"]["expr"]
    assert rules["LLMFleetQueueWaiting"]["expr"].endswith("> 5")


def test_a_model_that_is_not_scaled_has_no_rule_about_its_scaler(objects: Any) -> None:
    rules = _rules(objects(scaling={"min": 1, "max": 1}))
    assert list(rules) == [name for name in ALERTS if name != "LLMFleetScalingInactive"]


def test_no_alerts(objects: Any) -> None:
    assert list(objects(alerts={"enabled": False})) == ["PodMonitor"]
