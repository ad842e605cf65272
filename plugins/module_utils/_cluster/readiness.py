# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When is an object ready, and when will it never be? One rule a kind, from the object alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DEADLINE = "ProgressDeadlineExceeded"
READY, WAITING, FAILING = "ready", "waiting", "failing"
# A controller may say no while what an object refers to is still being made.
_GRACE = 45.0


@dataclass(frozen=True)
class Verdict:
    """state: ready, waiting or failing; a failing object counts as failed once it has been so for `grace` seconds."""

    state: str
    reason: str = ""
    grace: float = 0.0


_OK = Verdict(READY)
Rule = Callable[[Mapping[str, Any]], Verdict]


def verdict(obj: Mapping[str, Any]) -> Verdict:
    """Judge one object (with apiVersion and kind). Kinds without a rule are ready when they exist."""
    if (obj.get("metadata") or {}).get("deletionTimestamp"):
        return Verdict(FAILING, "is being deleted", _GRACE)
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    rule = _RULES.get((group, str(obj.get("kind"))))
    return rule(obj) if rule else _OK


def has_rule(api_version: str, kind: str) -> bool:
    """Tell whether more than the existence of such an object is looked at."""
    return (api_version.rpartition("/")[0], kind) in _RULES


def _status(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return obj.get("status") or {}


def _seen(obj: Mapping[str, Any], observed: Any) -> bool:
    """Tell whether a status is about the present spec; a status that does not say counts as such."""
    generation = (obj.get("metadata") or {}).get("generation")
    return observed is None or generation is None or observed >= generation


def _find(conditions: Any, kind: str) -> Mapping[str, Any] | None:
    return next((c for c in conditions or [] if c.get("type") == kind), None)


def _text(condition: Mapping[str, Any]) -> str:
    parts = [f"{condition.get('type')}={condition.get('status')}", condition.get("reason"), condition.get("message")]
    return " ".join(str(part)[:300] for part in parts if part)


def _conditions(obj: Mapping[str, Any], conditions: Any, wanted: tuple[str, ...], grace: float) -> Verdict:
    """Want all these conditions True for the present generation; False is failing, except while it is only pending."""
    for kind in wanted:
        condition = _find(conditions, kind)
        if condition is None:
            return Verdict(WAITING, f"no condition {kind} yet")
        if not _seen(obj, condition.get("observedGeneration")):
            return Verdict(WAITING, f"{kind} is about an earlier generation")
        if condition.get("status") == "True":
            continue
        pending = condition.get("status") == "Unknown" or condition.get("reason") in ("Pending", "AddressNotAssigned")
        return Verdict(WAITING if pending else FAILING, _text(condition), grace)
    return _OK


def _wants(*wanted: str, grace: float = _GRACE) -> Rule:
    def rule(obj: Mapping[str, Any]) -> Verdict:
        status = _status(obj)
        if not _seen(obj, status.get("observedGeneration")):
            return Verdict(WAITING, "its controller has not seen the present generation yet")
        return _conditions(obj, status.get("conditions"), wanted, grace)

    return rule


def _per_parent(part: str, *wanted: str) -> Rule:
    """Want the conditions in each entry of status.parents or status.ancestors, and at least one entry a reference."""

    def rule(obj: Mapping[str, Any]) -> Verdict:
        entries = _status(obj).get(part) or []
        needed = len((obj.get("spec") or {}).get("parentRefs") or [1]) if part == "parents" else 1
        for entry in entries:
            found = _conditions(obj, entry.get("conditions"), wanted, _GRACE)
            if found.state != READY:
                reference = entry.get("parentRef") or entry.get("ancestorRef") or {}
                return Verdict(
                    found.state,
                    f"{reference.get('kind', 'Gateway')} {reference.get('name')}: {found.reason}",
                    found.grace,
                )
        if len(entries) < needed:
            return Verdict(WAITING, "no controller has accepted or refused it yet")
        return _OK

    return rule


def deadline_passed(obj: Mapping[str, Any]) -> bool:
    """Tell whether a Deployment's rollout, this one or the one before, took longer than its deadline."""
    progressing = _find(_status(obj).get("conditions"), "Progressing")
    return bool(progressing) and (progressing or {}).get("reason") == DEADLINE


def _deployment(obj: Mapping[str, Any]) -> Verdict:
    status, spec = _status(obj), obj.get("spec") or {}
    if not _seen(obj, status.get("observedGeneration", 0)):
        return Verdict(WAITING, "its controller has not seen the present generation yet")
    if deadline_passed(obj):
        return Verdict(FAILING, _text(_find(status.get("conditions"), "Progressing") or {}))
    wanted = spec.get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        refused = _find(status.get("conditions"), "ReplicaFailure")
        if refused and refused.get("status") == "True":
            return Verdict(FAILING, _text(refused), _GRACE)
        return Verdict(WAITING, f"{updated} of {wanted} pods are of the present version")
    if total > updated:
        return Verdict(WAITING, f"{total - updated} pods of an earlier version are still there")
    if available < updated:
        return Verdict(WAITING, f"{available} of {updated} pods are available")
    return _OK


def _daemon_set(obj: Mapping[str, Any]) -> Verdict:
    status = _status(obj)
    if not _seen(obj, status.get("observedGeneration", 0)):
        return Verdict(WAITING, "its controller has not seen the present generation yet")
    wanted = status.get("desiredNumberScheduled", 0)
    on_delete = ((obj.get("spec") or {}).get("updateStrategy") or {}).get("type") == "OnDelete"
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    if updated < wanted and not on_delete:
        return Verdict(WAITING, f"{updated} of {wanted} pods are of the present version")
    if available < wanted:
        return Verdict(WAITING, f"{available} of {wanted} pods are available")
    return _OK


def _stateful_set(obj: Mapping[str, Any]) -> Verdict:
    status, spec = _status(obj), obj.get("spec") or {}
    if not _seen(obj, status.get("observedGeneration", 0)):
        return Verdict(WAITING, "its controller has not seen the present generation yet")
    wanted = spec.get("replicas", 1)
    strategy = spec.get("updateStrategy") or {}
    ready = status.get("readyReplicas", 0)
    if ready < wanted:
        return Verdict(WAITING, f"{ready} of {wanted} pods are ready")
    if strategy.get("type") != "OnDelete":
        expected = max(wanted - ((strategy.get("rollingUpdate") or {}).get("partition") or 0), 0)
        if status.get("updatedReplicas", 0) < expected:
            return Verdict(WAITING, f"{status.get('updatedReplicas', 0)} of {expected} pods are of the present version")
    return _OK


def _leader_worker_set(obj: Mapping[str, Any]) -> Verdict:
    """It has no condition of failure: its pods tell. While it is updated, Available turns False."""
    status, spec = _status(obj), obj.get("spec") or {}
    if not _seen(obj, status.get("observedGeneration")):
        return Verdict(WAITING, "its controller has not seen the present generation yet")
    available = _find(status.get("conditions"), "Available")
    # Up to version 0.8 only the conditions say what they are about.
    if available and not _seen(obj, available.get("observedGeneration")):
        return Verdict(WAITING, "Available is about an earlier generation")
    wanted = spec.get("replicas", 1)
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    if updated < wanted:
        return Verdict(WAITING, f"{updated} of {wanted} groups are of the present version")
    if ready < wanted:
        return Verdict(WAITING, f"{ready} of {wanted} groups are ready")
    if status.get("replicas", 0) > wanted:
        return Verdict(WAITING, f"{status['replicas'] - wanted} groups more than wanted are still there")
    if not available or available.get("status") != "True":
        return Verdict(WAITING, "not every group is ready and of the present version")
    return _OK


def _job(obj: Mapping[str, Any]) -> Verdict:
    conditions = _status(obj).get("conditions")
    for kind in ("Failed", "FailureTarget"):
        failed = _find(conditions, kind)
        if failed and failed.get("status") == "True":
            return Verdict(FAILING, _text(failed))
    complete = _find(conditions, "Complete")
    if complete and complete.get("status") == "True":
        return _OK
    if (obj.get("spec") or {}).get("suspend"):
        return Verdict(READY, "suspended")
    status = _status(obj)
    return Verdict(WAITING, f"{status.get('active', 0)} pods active, {status.get('failed', 0)} failed so far")


def _pod(obj: Mapping[str, Any]) -> Verdict:
    status = _status(obj)
    if status.get("phase") == "Succeeded":
        return _OK
    if status.get("phase") == "Failed":
        return Verdict(FAILING, f"{status.get('reason') or 'Failed'} {status.get('message') or ''}".strip())
    ready = _find(status.get("conditions"), "Ready")
    return (
        _OK if ready and ready.get("status") == "True" else Verdict(WAITING, f"phase {status.get('phase', 'unknown')}")
    )


def _phase(ready: tuple[str, ...], failed: tuple[str, ...]) -> Rule:
    def rule(obj: Mapping[str, Any]) -> Verdict:
        phase = _status(obj).get("phase") or "Pending"
        if phase in ready:
            return _OK
        return Verdict(
            FAILING if phase in failed else WAITING, f"phase {phase} {_status(obj).get('message') or ''}".strip()
        )

    return rule


def _service(obj: Mapping[str, Any]) -> Verdict:
    if (obj.get("spec") or {}).get("type") != "LoadBalancer" or (_status(obj).get("loadBalancer") or {}).get("ingress"):
        return _OK
    return Verdict(WAITING, "no load balancer address yet")


def _crd(obj: Mapping[str, Any]) -> Verdict:
    names = _find(_status(obj).get("conditions"), "NamesAccepted")
    if names and names.get("status") == "False":
        return Verdict(FAILING, _text(names), 5.0)
    return _conditions({}, _status(obj).get("conditions"), ("Established",), _GRACE)


def _scaled_object(obj: Mapping[str, Any]) -> Verdict:
    """Want Ready, and readings: KEDA calls an object ready also while its fallback stands in for a failing trigger."""
    found = _wants("Ready", grace=90.0)(obj)
    fallback = _find(_status(obj).get("conditions"), "Fallback")
    if found.state == READY and fallback and fallback.get("status") == "True":
        # Metrics may come with the first replica, which may take long to start.
        failing = [
            name for name, health in (_status(obj).get("health") or {}).items() if health.get("status") == "Failing"
        ]
        return Verdict(WAITING, f"{_text(fallback)}: {', '.join(failing)}")
    return found


def _monitor(obj: Mapping[str, Any]) -> Verdict:
    """Ready when it exists, but for a Prometheus that has refused it: not every operator writes a status."""
    for binding in _status(obj).get("bindings") or []:
        accepted = _find(binding.get("conditions"), "Accepted")
        if accepted and accepted.get("status") == "False":
            return Verdict(FAILING, f"{binding.get('name')}: {_text(accepted)}", _GRACE)
    return _OK


def _victoria(obj: Mapping[str, Any]) -> Verdict:
    """Ready when it exists, but for an operator that has failed with it."""
    status = _status(obj)
    if status.get("updateStatus") == "failed":
        return Verdict(FAILING, f"failed {status.get('reason') or ''}".strip()[:300], _GRACE)
    return _OK


_RULES: dict[tuple[str, str], Rule] = {
    ("apps", "Deployment"): _deployment,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("", "Namespace"): _phase(("Active",), ()),
    ("", "PersistentVolume"): _phase(("Available", "Bound"), ("Failed",)),
    ("", "PersistentVolumeClaim"): _phase(("Bound",), ("Lost",)),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _crd,
    ("apiregistration.k8s.io", "APIService"): _wants("Available", grace=120.0),
    ("gateway.networking.k8s.io", "GatewayClass"): _wants("Accepted"),
    ("gateway.networking.k8s.io", "Gateway"): _wants("Accepted", "Programmed", grace=90.0),
    ("gateway.networking.k8s.io", "HTTPRoute"): _per_parent("parents", "Accepted", "ResolvedRefs"),
    ("gateway.networking.k8s.io", "GRPCRoute"): _per_parent("parents", "Accepted", "ResolvedRefs"),
    ("gateway.networking.k8s.io", "BackendTLSPolicy"): _per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "SecurityPolicy"): _per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "ClientTrafficPolicy"): _per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "BackendTrafficPolicy"): _per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "EnvoyExtensionPolicy"): _per_parent("ancestors", "Accepted"),
    ("gateway.envoyproxy.io", "EnvoyPatchPolicy"): _per_parent("ancestors", "Accepted", "Programmed"),
    ("gateway.envoyproxy.io", "Backend"): _wants("Accepted"),
    ("aigateway.envoyproxy.io", "AIGatewayRoute"): _wants("Accepted"),
    ("aigateway.envoyproxy.io", "AIServiceBackend"): _wants("Accepted"),
    ("aigateway.envoyproxy.io", "BackendSecurityPolicy"): _wants("Accepted"),
    ("karpenter.sh", "NodePool"): _wants("Ready", grace=90.0),
    ("karpenter.k8s.aws", "EC2NodeClass"): _wants("Ready", grace=90.0),
    ("keda.sh", "ScaledObject"): _scaled_object,
    ("keda.sh", "ScaledJob"): _wants("Ready", grace=90.0),
    ("monitoring.coreos.com", "PodMonitor"): _monitor,
    ("monitoring.coreos.com", "PrometheusRule"): _monitor,
    ("operator.victoriametrics.com", "VMPodScrape"): _victoria,
    ("operator.victoriametrics.com", "VMRule"): _victoria,
    ("cert-manager.io", "Certificate"): _wants("Ready", grace=180.0),
    ("cert-manager.io", "Issuer"): _wants("Ready", grace=90.0),
    ("cert-manager.io", "ClusterIssuer"): _wants("Ready", grace=90.0),
    ("external-secrets.io", "ExternalSecret"): _wants("Ready", grace=60.0),
    ("external-secrets.io", "SecretStore"): _wants("Ready", grace=60.0),
    ("external-secrets.io", "ClusterSecretStore"): _wants("Ready", grace=60.0),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): _leader_worker_set,
}
