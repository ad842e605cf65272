# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the pods of a workload do not come up: fatal container states, last log lines, events."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.crash import telling
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.readiness import FAILING, Verdict
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.revisions import present, releases

PODS = Resource("", "v1", "Pod", "pods", True)
EVENTS = Resource("", "v1", "Event", "events", True)
REPLICA_SETS = Resource("apps", "v1", "ReplicaSet", "replicasets", True)
_SET = "leaderworkerset.sigs.k8s.io/name"
_SET_REVISION = "leaderworkerset.sigs.k8s.io/template-revision-hash"

# Waiting reasons of a container that no waiting heals, and those that may heal within the given seconds.
_FATAL = {
    "ErrImageNeverPull": 0.0,
    "InvalidImageName": 0.0,
    "ImagePullBackOff": 60.0,
    "ErrImagePull": 60.0,
    "CreateContainerConfigError": 60.0,
    "CreateContainerError": 60.0,
    "RunContainerError": 60.0,
}
# Whoever makes a claim makes it before the pods that mount it, or with them.
_NO_CLAIM = re.compile(r'persistentvolumeclaim "[^"]+" not found')
_CLAIM_GRACE = 60.0
# A first crash or two are usual while what a program needs is still coming up.
_CRASHES = 3
_LOG_LINES = 400
# What looks like a credential never leaves a log through us. A number of tokens is none.
_CREDENTIAL = re.compile(
    r"(?i)(bearer\s+)\S+|\b(hf_|sk-|ghp_|github_pat_)\S+|\b(AKIA|ASIA)[A-Z0-9]{12,}|"
    r"((?:password|passwd|secret|token(?!s)|api[_-]?key)\S{0,20}\s*[=:]\s*|"
    r"tokens\S{0,20}\s*[=:]\s*(?!\d{1,9}(?![\w.-])))\S+|\beyJ[\w-]{10,}\.[\w.-]+"
)


def pods_of(
    workload: Mapping[str, Any], pods: list[dict[str, Any]], replica_sets: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the pods of a Deployment's present revision, a StatefulSet, DaemonSet or Job, found by owner references.

    A LeaderWorkerSet's are owned by StatefulSets, which its leaders own: they are found by its labels.

    pods, replica_sets: those of the workload's namespace. A pod of an earlier revision is not this rollout's fault.
    """
    owner = workload["metadata"]["uid"]
    if workload["kind"] == "LeaderWorkerSet":
        return _newest_groups([pod for pod in pods if _labels(pod).get(_SET) == workload["metadata"]["name"]])
    if workload["kind"] == "Deployment":
        found = present(workload, releases(workload, replica_sets))
        if found is None:
            return []
        owner = found["metadata"]["uid"]
    return [pod for pod in pods if _owned_by(pod, owner)]


def _labels(obj: Mapping[str, Any]) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _newest_groups(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those of a LeaderWorkerSet's pods that are of the version of the youngest."""
    if not pods:
        return []
    youngest = max(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp") or ""))
    return [pod for pod in pods if _labels(pod).get(_SET_REVISION) == _labels(youngest).get(_SET_REVISION)]


def _owned_by(obj: Mapping[str, Any], uid: str) -> bool:
    return any(reference.get("uid") == uid for reference in obj["metadata"].get("ownerReferences") or [])


def trouble(pods: list[dict[str, Any]], *, crashes_count: bool = True) -> tuple[Verdict, dict[str, Any], str] | None:
    """Return (verdict, pod, container name) for the worst container state that will not heal, None when there is none.

    crashes_count: whether a container that crashes again and again is a failure (a Job counts its own failures).
    """
    worst: tuple[Verdict, dict[str, Any], str] | None = None
    for pod in pods:
        status = pod.get("status") or {}
        missing = _missing_claim(status)
        if missing and (worst is None or worst[0].grace > _CLAIM_GRACE):
            worst = Verdict(FAILING, f"pod {pod['metadata']['name']}: {missing}", _CLAIM_GRACE), pod, ""
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            waiting = (container.get("state") or {}).get("waiting") or {}
            reason = str(waiting.get("reason") or "")
            grace = _FATAL.get(reason)
            if reason == "CrashLoopBackOff" and crashes_count and container.get("restartCount", 0) >= _CRASHES:
                grace = 0.0
            if grace is None or (worst is not None and worst[0].grace <= grace):
                continue
            text = f"pod {pod['metadata']['name']}, container {container.get('name')}: {_waiting_text(container)}"
            worst = Verdict(FAILING, text, grace), pod, str(container.get("name"))
    return worst


def _missing_claim(status: Mapping[str, Any]) -> str:
    """Return why a pod cannot be scheduled, when that is a claim that does not exist; "" otherwise."""
    for condition in status.get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            found = _NO_CLAIM.search(str(condition.get("message")))
            return found[0] if found else ""
    return ""


def _waiting_text(container: Mapping[str, Any]) -> str:
    waiting = (container.get("state") or {}).get("waiting") or {}
    last = (container.get("lastState") or {}).get("terminated") or {}
    parts = [str(waiting.get("reason"))]
    if last:
        parts.append(f"last exit {last.get('exitCode')} {last.get('reason') or ''}".strip())
        parts.append(f"after {container.get('restartCount', 0)} restarts")
    elif waiting.get("message"):
        parts.append(str(waiting["message"])[:300])
    return ", ".join(parts)


def crashes(pods: list[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """Return what ended badly by (name, uid) of its pod. A LeaderWorkerSet makes a group anew at its first crash."""
    found = {}
    for pod in pods:
        metadata = pod["metadata"]
        for container in (pod.get("status") or {}).get("containerStatuses") or []:
            ends = [(container.get("lastState") or {}).get("terminated")]
            # Whoever is told to end may end with any status.
            if not metadata.get("deletionTimestamp"):
                ends.append((container.get("state") or {}).get("terminated"))
            bad = [end for end in ends if end and end.get("exitCode")]
            if bad:
                what = f"exit {bad[0]['exitCode']} {bad[0].get('reason') or ''}".strip()
                text = f"pod {metadata['name']}, container {container.get('name')}: {what}"
                found[(str(metadata["name"]), str(metadata.get("uid")))] = text
    return found


def regrouped(seen: Mapping[tuple[str, str], str]) -> Verdict | None:
    """Return the failure of a LeaderWorkerSet by the crashes seen in its pods so far, None while they are few.

    One crash takes the other pods of its group along: what counts is how often a pod of one name crashed.
    """
    times = Counter(name for name, _uid in seen)
    for name, count in times.most_common(1):
        if count >= _CRASHES:
            last = [text for (crashed, _uid), text in seen.items() if crashed == name][-1]
            return Verdict(FAILING, f"its groups crashed {count} times and were made anew: {last}")
    return None


def unready(pods: list[dict[str, Any]]) -> list[str]:
    """Return a line for each pod that is not ready: unschedulable with the reason, or what its containers wait for."""
    lines = []
    for pod in pods:
        status = pod.get("status") or {}
        conditions = {c.get("type"): c for c in status.get("conditions") or []}
        if (conditions.get("Ready") or {}).get("status") == "True" or status.get("phase") == "Succeeded":
            continue
        scheduled = conditions.get("PodScheduled") or {}
        if scheduled.get("status") == "False":
            lines.append(
                f"pod {pod['metadata']['name']}: {scheduled.get('reason')}: {str(scheduled.get('message'))[:300]}"
            )
            continue
        states = []
        for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
            state = container.get("state") or {}
            if "waiting" in state:
                states.append(f"{container.get('name')} {_waiting_text(container)}")
            elif "running" in state and not container.get("ready"):
                states.append(f"{container.get('name')} runs, not ready")
        lines.append(f"pod {pod['metadata']['name']}: {'; '.join([str(status.get('phase', 'Unknown')), *states])}")
    return lines


def last_words(client: Client, pod: Mapping[str, Any], container: str | None = None) -> str:
    """Return a failed container's termination message, else what its log ends with; "" when neither can be had.

    What looks like a credential is masked.
    """
    status = pod.get("status") or {}
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    for entry in statuses:
        if container and entry.get("name") != container:
            continue
        ended = (entry.get("state") or {}).get("terminated") or (entry.get("lastState") or {}).get("terminated") or {}
        if not ended.get("exitCode"):
            continue
        if ended.get("message"):
            return masked(str(ended["message"]).strip()[-1000:])
        previous = "terminated" not in (entry.get("state") or {})
        return _log(client, pod, str(entry.get("name")), previous)
    return ""


def _log(client: Client, pod: Mapping[str, Any], container: str, previous: bool) -> str:
    path = PODS.path(pod["metadata"]["namespace"], pod["metadata"]["name"]) + "/log"
    # The limit cuts the end off, so it is far above what so many lines are.
    query = {"container": container, "tailLines": _LOG_LINES, "limitBytes": 1024 * 1024}
    if previous:
        query["previous"] = "true"
    try:
        return masked(telling(client.text(path, query=query)))
    except ClusterError:  # the container is gone, or its node does not answer: the reason alone must do
        return ""


def masked(text: str) -> str:
    """Return the text with everything that looks like a credential replaced."""
    return _CREDENTIAL.sub(lambda match: next((group for group in match.groups() if group), "") + "…", text)


def warnings(client: Client, namespace: str | None, names: set[str]) -> dict[str, list[str]]:
    """Return the last warning events of the objects with these names in a namespace: {name: ["Reason: text", …]}.

    Events of what is in no namespace are kept in "default".
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for event in client.list(EVENTS, namespace or "default", field_selector="type=Warning"):
        name = (event.get("involvedObject") or {}).get("name")
        if name in names:
            when = str(
                event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
            )
            found.setdefault(str(name), []).append((when, f"{event.get('reason')}: {str(event.get('message'))[:300]}"))
    return {name: [masked(text) for _when, text in sorted(lines)[-3:]] for name, lines in found.items()}
