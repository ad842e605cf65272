# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What watches a model: a scrape of its engines and its alert rules, in the kinds of the monitoring that is there."""

from __future__ import annotations

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.alert_rules import alert_rules
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import model_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model

# llmfleet_monitoring -> apiVersion, kind of a scrape, kind of rules. Their specs are alike as far as we use them.
KINDS = {
    "prometheus_operator": ("monitoring.coreos.com/v1", "PodMonitor", "PrometheusRule"),
    "victoria_metrics": ("operator.victoriametrics.com/v1beta1", "VMPodScrape", "VMRule"),
}
# A scrape may not take longer than the time to the next one.
SCRAPE_TIMEOUT = 10


def add_monitoring(build: Builder) -> None:
    """Add what watches every model; nothing where there is no monitoring."""
    kinds = KINDS.get(build.fleet.platform["monitoring"])
    if kinds is None:
        return
    api_version, scrape, rules = kinds
    for model in build.fleet.models:
        _add(
            build,
            model,
            {"apiVersion": api_version, "kind": scrape, "spec": _scrape(model, "inference", "http")},
            model.name,
        )
        if model.picked:
            picker = {"apiVersion": api_version, "kind": scrape, "spec": _scrape(model, "picker", "metrics")}
            _add(build, model, picker, model.picker, "picker")
        if model.get("alerts.enabled"):
            groups = [{"name": model.name, "rules": alert_rules(build, model)}]
            _add(build, model, {"apiVersion": api_version, "kind": rules, "spec": {"groups": groups}}, model.name)


def _add(build: Builder, model: Model, manifest: Manifest, name: str, component: str = "inference") -> None:
    # The scraper chooses its objects by labels of its own, which may not displace ours.
    labels = {**build.fleet.platform["monitoring_labels"], **model_labels(model, component)}
    metadata = {"name": name, "namespace": build.fleet.names.models_namespace}
    build.add("models", "models", {**manifest, "metadata": metadata}, labels)


def _scrape(model: Model, component: str, port: str) -> Manifest:
    interval = duration.seconds(model.get("metrics_interval"))
    endpoint = {
        "port": port,
        "path": "/metrics",
        "interval": f"{interval}s",
        "scrapeTimeout": f"{min(SCRAPE_TIMEOUT, interval)}s",
    }
    selector = {"matchLabels": model_labels(model, component)}
    return {"selector": selector, "podMetricsEndpoints": [endpoint]}
