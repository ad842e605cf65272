# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alert rules of a model: each can fire, names the namespace, and says in words what to do."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_scaling import is_scaled
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.series import Series

Rule = dict[str, Any]
FINISHED = "vllm:request_success_total"


def alert_rules(build: Builder, model: Model) -> list[Rule]:
    """Return the rules of a model, those of the description last."""
    series = Series.of(build, model)
    rules = [
        *_replica_rules(series, duration.seconds(model.get("startup.budget"))),
        *_load_rules(series, model.get("scaling.waiting_target")),
        *_request_rules(series),
        *_metric_rules(series, is_scaled(model)),
    ]
    for rule in rules:
        rule["labels"] |= {"namespace": series.namespace, "model": model.name}
    return [*rules, *(_extra(rule) for rule in model.get("alerts.extra_rules"))]


def _rule(alert: str, expr: str, seconds: int, severity: str, summary: str, runbook: str) -> Rule:
    """Return a rule. seconds: how long expr must hold; runbook: what to look at and what to do."""
    return {
        "alert": alert,
        "expr": expr,
        "for": f"{seconds}s",
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "runbook": runbook},
    }


def _extra(rule: Rule) -> Rule:
    """A rule of the description, its duration in the form that Prometheus takes."""
    found = {key: value for key, value in rule.items() if value not in (None, {})}
    if rule["for"] is not None:
        found["for"] = f"{duration.seconds(rule['for'])}s"
    return found


def _replica_rules(series: Series, budget: int) -> list[Rule]:
    name, wanted, ready = series.model, series.wanted, series.ready
    not_ready = series.pods("kube_pod_status_ready", ',condition="true"')
    living = series.pods("kube_pod_status_phase", ',phase=~"Pending|Running"')
    leaving = series.pods("kube_pod_deletion_timestamp")
    restarts = series.pods("kube_pod_container_status_restarts_total", ',container="vllm"')
    served = f"max(max_over_time({ready}[1h])) > 0"
    never = f"max({wanted} offset {budget}s) > 0 and max(max_over_time({ready}[{budget}s])) == 0"
    return [
        _rule(
            "LLMFleetColdStartOverBudget",
            f"(max by (pod) ({not_ready}) == 0) and on (pod) ({living} == 1) unless on (pod) {leaving}",
            budget,
            "warning",
            f"A pod of {name} has not become ready within startup.budget ({budget} s)",
            "Describe the pod. Pending: the pool has no node to give (limit, quota, capacity of the zone). Running: "
            "read the log of the container vllm; raise startup.budget if the engine is only slow.",
        ),
        _rule(
            "LLMFleetNoReplicaReady",
            f"max({wanted}) > 0 and max({ready}) == 0 and on() (({served}) or ({never}))",
            120,
            "critical",
            f"{name} has replicas that are wanted and none that is ready",
            "Nobody is answered. Look at the pods of the model, their events and the log of the container vllm. A "
            "change that was just rolled out can be taken back in the inventory and applied again.",
        ),
        _rule(
            "LLMFleetRestarts",
            f"max by (pod) (increase({restarts}[1h])) > 2",
            0,
            "warning",
            f"The engine of {name} has restarted more than twice within an hour",
            "Read the log of the container before it (kubectl logs --previous). OOMKilled: raise "
            "resources.limits.memory. Out of GPU memory: lower engine.context_length, engine.max_sequences or "
            "engine.gpu_memory_utilization.",
        ),
    ]


def _load_rules(series: Series, waiting_target: int) -> list[Rule]:
    name = series.model
    preempted, finished = series.engine("vllm:num_preemptions_total"), series.engine(FINISHED)
    return [
        _rule(
            "LLMFleetQueueWaiting",
            f"avg({series.engine('vllm:num_requests_waiting')}) > {waiting_target}",
            600,
            "warning",
            f"More than {waiting_target} requests a replica have been waiting for {name} for 10 minutes",
            "Scaling had the time to answer. Compare the replicas with scaling.max, and look for pods that wait for a "
            "node; raise scaling.max or the limit of the pool.",
        ),
        _rule(
            "LLMFleetKVCacheFull",
            f"max({series.engine('vllm:kv_cache_usage_perc')}) > 0.95",
            600,
            "warning",
            f"The KV cache of a replica of {name} is full",
            "New requests wait and running ones are preempted. Lower scaling.kv_cache_target or engine.max_sequences, "
            "or raise scaling.max.",
        ),
        _rule(
            "LLMFleetPreemptions",
            f"sum(rate({preempted}[15m])) / sum(rate({finished}[15m])) > 0.1",
            900,
            "warning",
            f"{name} preempts more than one request in ten",
            "Preempted requests are computed again. Lower engine.max_sequences, or give the KV cache more memory with "
            "engine.gpu_memory_utilization.",
        ),
    ]


def _request_rules(series: Series) -> list[Rule]:
    name = series.model
    finished = f"sum(rate({series.engine(FINISHED)}[10m]))"

    def share(reason: str) -> str:
        matcher = f',finished_reason="{reason}"'
        return f"sum(rate({series.engine(FINISHED, matcher)}[10m])) / {finished}"

    return [
        _rule(
            "LLMFleetErrors",
            f"{share('error')} > 0.05",
            300,
            "critical",
            f"More than 5% of the requests to {name} end with an error of the engine",
            "Clients got a 500. Read the log of the container vllm of each replica; delete the pod of one that does "
            "not recover.",
        ),
        _rule(
            "LLMFleetAborts",
            f"{share('abort')} > 0.25",
            900,
            "warning",
            f"More than a quarter of the requests to {name} are aborted",
            "Aborted means that the client, or the gateway's timeout, went away first; it is no failure of the engine. "
            "Compare the time to the first token and gateway.timeout with what clients wait for.",
        ),
    ]


def _metric_rules(series: Series, scaled: bool) -> list[Rule]:
    """Rules about what the others, and the scaler, stand on."""
    name = series.model
    heard = series.engine("vllm:num_requests_running")
    holds = "; while it is so, the scaler takes no replica away and adds none" if scaled else ""
    rules = [
        _rule(
            "LLMFleetEngineNotHeard",
            f"max(min_over_time({series.ready}[5m])) > (count({heard}) or on() vector(0))",
            300,
            "warning",
            f"Replicas of {name} are ready and their metrics are missing{holds}",
            "Look at the scraper's targets of the model: a NetworkPolicy, a selector of the scraper that does not "
            "choose the model's scrape object (llmfleet_monitoring_labels), or a scrape that takes too long.",
        ),
        _rule(
            "LLMFleetKubeStateMetricsMissing",
            f"absent({series.wanted})",
            900,
            "warning",
            f"Nothing is known of the replicas of {name}: rules about pods and replicas cannot fire",
            "Run kube-state-metrics and have it scraped with honorLabels, so that its namespace labels are kept.",
        ),
    ]
    if scaled:
        hpa = f'namespace="{series.namespace}",horizontalpodautoscaler="keda-hpa-{name}"'
        condition = f'kube_horizontalpodautoscaler_status_condition{{{hpa},condition="ScalingActive",status="false"}}'
        rules.append(
            _rule(
                "LLMFleetScalingInactive",
                f"max({condition}) == 1 and on() max({series.wanted}) > 0",
                600,
                "warning",
                f"The scaler of {name} gets no metrics",
                "Describe the ScaledObject and its HorizontalPodAutoscaler. Look at the pods of KEDA, and whether its "
                "operator reaches llmfleet_prometheus_url.",
            )
        )
    return rules
