# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When is a workload ready, and when will it never be: what the status of each kind of it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.conditions import (
    DEADLINE,
    FAILING,
    GRACE,
    OK,
    READY,
    WAITING,
    Verdict,
    find,
    seen,
    status_of,
    text_of,
)


def deadline_passed(obj: Mapping[str, Any]) -> bool:
    """Tell whether a Deployment's rollout, this one or the one before, took longer than its deadline."""
    progressing = find(status_of(obj).get("conditions"), "Progressing")
    return bool(progressing) and (progressing or {}).get("reason") == DEADLINE


def deployment(obj: Mapping[str, Any]) -> Verdict:
    status, spec = status_of(obj), obj.get("spec") or {}
    if not seen(obj, status.get("observedGeneration", 0)):
        return Verdict(WAITING, "its controller has not seen the present generation yet")
    if deadline_passed(obj):
        return Verdict(FAILING, text_of(find(status.get("conditions"), "Progressing") or {}))
    wanted = spec.get("replicas", 1)
    updated, total = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    if updated < wanted:
        refused = find(status.get("conditions"), "ReplicaFailure")
        if refused and refused.get("status") == "True":
            return Verdict(FAILING, text_of(refused), GRACE)
        return Verdict(WAITING, f"{updated} of {wanted} pods are of the present version")
    if total > updated:
        return Verdict(WAITING, f"{total - updated} pods of an earlier version are still there")
    if available < updated:
        return Verdict(WAITING, f"{available} of {updated} pods are available")
    return OK


def daemon_set(obj: Mapping[str, Any]) -> Verdict:
    status = status_of(obj)
    if not seen(obj, status.get("observedGeneration", 0)):
        return Verdict(WAITING, "its controller has not seen the present generation yet")
    wanted = status.get("desiredNumberScheduled", 0)
    on_delete = ((obj.get("spec") or {}).get("updateStrategy") or {}).get("type") == "OnDelete"
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    if updated < wanted and not on_delete:
        return Verdict(WAITING, f"{updated} of {wanted} pods are of the present version")
    if available < wanted:
        return Verdict(WAITING, f"{available} of {wanted} pods are available")
    return OK


def stateful_set(obj: Mapping[str, Any]) -> Verdict:
    status, spec = status_of(obj), obj.get("spec") or {}
    if not seen(obj, status.get("observedGeneration", 0)):
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
    return OK


def leader_worker_set(obj: Mapping[str, Any]) -> Verdict:
    """It has no condition of failure: its pods tell. While it is updated, Available turns False."""
    status, spec = status_of(obj), obj.get("spec") or {}
    if not seen(obj, status.get("observedGeneration")):
        return Verdict(WAITING, "its controller has not seen the present generation yet")
    available = find(status.get("conditions"), "Available")
    # Up to version 0.8 only the conditions say what they are about.
    if available and not seen(obj, available.get("observedGeneration")):
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
    return OK


def job(obj: Mapping[str, Any]) -> Verdict:
    conditions = status_of(obj).get("conditions")
    for kind in ("Failed", "FailureTarget"):
        failed = find(conditions, kind)
        if failed and failed.get("status") == "True":
            return Verdict(FAILING, text_of(failed))
    complete = find(conditions, "Complete")
    if complete and complete.get("status") == "True":
        return OK
    if (obj.get("spec") or {}).get("suspend"):
        return Verdict(READY, "suspended")
    status = status_of(obj)
    return Verdict(WAITING, f"{status.get('active', 0)} pods active, {status.get('failed', 0)} failed so far")


def pod(obj: Mapping[str, Any]) -> Verdict:
    status = status_of(obj)
    if status.get("phase") == "Succeeded":
        return OK
    if status.get("phase") == "Failed":
        return Verdict(FAILING, f"{status.get('reason') or 'Failed'} {status.get('message') or ''}".strip())
    ready = find(status.get("conditions"), "Ready")
    return (
        OK if ready and ready.get("status") == "True" else Verdict(WAITING, f"phase {status.get('phase', 'unknown')}")
    )
