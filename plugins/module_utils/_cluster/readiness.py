# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When is an object ready, and when will it never be? One rule a kind, from the object alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import workloads
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.conditions import (
    DEADLINE,
    FAILING,
    GRACE,
    OK,
    READY,
    WAITING,
    Rule,
    Verdict,
    conditions_of,
    find,
    per_parent,
    status_of,
    text_of,
    wants,
)

__all__ = ["DEADLINE", "FAILING", "READY", "WAITING", "Verdict", "has_rule", "verdict"]


def verdict(obj: Mapping[str, Any]) -> Verdict:
    """Judge one object (with apiVersion and kind). Kinds without a rule are ready when they exist."""
    if (obj.get("metadata") or {}).get("deletionTimestamp"):
        return Verdict(FAILING, "is being deleted", GRACE)
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    rule = _RULES.get((group, str(obj.get("kind"))))
    return rule(obj) if rule else OK


def has_rule(api_version: str, kind: str) -> bool:
    """Tell whether more than the existence of such an object is looked at."""
    return (api_version.rpartition("/")[0], kind) in _RULES


def _phase(ready: tuple[str, ...], failed: tuple[str, ...]) -> Rule:
    def rule(obj: Mapping[str, Any]) -> Verdict:
        phase = status_of(obj).get("phase") or "Pending"
        if phase in ready:
            return OK
        return Verdict(
            FAILING if phase in failed else WAITING, f"phase {phase} {status_of(obj).get('message') or ''}".strip()
        )

    return rule


def _service(obj: Mapping[str, Any]) -> Verdict:
    if (obj.get("spec") or {}).get("type") != "LoadBalancer" or (status_of(obj).get("loadBalancer") or {}).get(
        "ingress"
    ):
        return OK
    return Verdict(WAITING, "no load balancer address yet")


def _crd(obj: Mapping[str, Any]) -> Verdict:
    names = find(status_of(obj).get("conditions"), "NamesAccepted")
    if names and names.get("status") == "False":
        return Verdict(FAILING, text_of(names), 5.0)
    return conditions_of({}, status_of(obj).get("conditions"), ("Established",), GRACE)


def _scaled_object(obj: Mapping[str, Any]) -> Verdict:
    """Want Ready, and readings: KEDA calls an object ready also while its fallback stands in for a failing trigger."""
    found = wants("Ready", grace=90.0)(obj)
    fallback = find(status_of(obj).get("conditions"), "Fallback")
    if found.state == READY and fallback and fallback.get("status") == "True":
        # Metrics may come with the first replica, which may take long to start.
        failing = [
            name for name, health in (status_of(obj).get("health") or {}).items() if health.get("status") == "Failing"
        ]
        return Verdict(WAITING, f"{text_of(fallback)}: {', '.join(failing)}")
    return found


def _monitor(obj: Mapping[str, Any]) -> Verdict:
    """Ready when it exists, but for a Prometheus that has refused it: not every operator writes a status."""
    for binding in status_of(obj).get("bindings") or []:
        accepted = find(binding.get("conditions"), "Accepted")
        if accepted and accepted.get("status") == "False":
            return Verdict(FAILING, f"{binding.get('name')}: {text_of(accepted)}", GRACE)
    return OK


def _victoria(obj: Mapping[str, Any]) -> Verdict:
    """Ready when it exists, but for an operator that has failed with it."""
    status = status_of(obj)
    if status.get("updateStatus") == "failed":
        return Verdict(FAILING, f"failed {status.get('reason') or ''}".strip()[:300], GRACE)
    return OK


_RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("batch", "Job"): workloads.job,
    ("", "Pod"): workloads.pod,
    ("", "Service"): _service,
    ("", "Namespace"): _phase(("Active",), ()),
    ("", "PersistentVolume"): _phase(("Available", "Bound"), ("Failed",)),
    ("", "PersistentVolumeClaim"): _phase(("Bound",), ("Lost",)),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("apiregistration.k8s.io", "APIService"): wants("Available", grace=120.0),
    ("gateway.networking.k8s.io", "GatewayClass"): wants("Accepted"),
    ("gateway.networking.k8s.io", "Gateway"): wants("Accepted", "Programmed", grace=90.0),
    ("gateway.networking.k8s.io", "HTTPRoute"): per_parent("parents", "Accepted", "ResolvedRefs"),
    ("gateway.networking.k8s.io", "GRPCRoute"): per_parent("parents", "Accepted", "ResolvedRefs"),
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "SecurityPolicy"): per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "ClientTrafficPolicy"): per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "BackendTrafficPolicy"): per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "EnvoyExtensionPolicy"): per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "EnvoyPatchPolicy"): per_parent("ancestors", "Accepted", "Programmed"),
    ("gateway.envoyproxy.io", "Backend"): wants("Accepted"),
    ("aigateway.envoyproxy.io", "AIGatewayRoute"): wants("Accepted"),
    ("aigateway.envoyproxy.io", "AIServiceBackend"): wants("Accepted"),
    ("aigateway.envoyproxy.io", "BackendSecurityPolicy"): wants("Accepted"),
    ("karpenter.sh", "NodePool"): wants("Ready", grace=90.0),
    ("karpenter.k8s.aws", "EC2NodeClass"): wants("Ready", grace=90.0),
    ("keda.sh", "ScaledObject"): _scaled_object,
    ("keda.sh", "ScaledJob"): wants("Ready", grace=90.0),
    ("monitoring.coreos.com", "PodMonitor"): _monitor,
    ("monitoring.coreos.com", "PrometheusRule"): _monitor,
    ("operator.victoriametrics.com", "VMPodScrape"): _victoria,
    ("operator.victoriametrics.com", "VMRule"): _victoria,
    ("cert-manager.io", "Certificate"): wants("Ready", grace=180.0),
    ("cert-manager.io", "Issuer"): wants("Ready", grace=90.0),
    ("cert-manager.io", "ClusterIssuer"): wants("Ready", grace=90.0),
    ("external-secrets.io", "ExternalSecret"): wants("Ready", grace=60.0),
    ("external-secrets.io", "SecretStore"): wants("Ready", grace=60.0),
    ("external-secrets.io", "ClusterSecretStore"): wants("Ready", grace=60.0),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): workloads.leader_worker_set,
}
