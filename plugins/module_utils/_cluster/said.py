# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Job that is waited for says of its progress: the last line of its running container's log."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import PODS, masked

# Jobs that are told of, of however many there are.
MOST = 20
_LONGEST = 300
# A node that does not answer must not hold up the wait.
_PATIENCE = 2.0


def said_by(client: Client, pool: ThreadPoolExecutor, jobs: Iterable[tuple[str, list[dict[str, Any]]]]) -> list[str]:
    """Return "name: line" for each Job that is at work and has said something, at most MOST of them.

    jobs: the name of each and its pods. What looks like a credential is masked.
    """
    running = [(name, pod, container) for name, pods in jobs for pod in pods if (container := _running(pod))]
    lines = pool.map(lambda entry: _last_line(client, entry[1], entry[2]), running[:MOST])
    told = [f"{name}: {line}" for (name, _pod, _container), line in zip(running, lines, strict=False) if line]
    more = len(running) - MOST
    return [*told, f"and {more} more"] if more > 0 else told


def _running(pod: dict[str, Any]) -> str:
    """Return the name of the container that a pod of a Job is at, "" for none."""
    status = pod.get("status") or {}
    for entry in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        if "running" in (entry.get("state") or {}):
            return str(entry.get("name"))
    return ""


def _last_line(client: Client, pod: dict[str, Any], container: str) -> str:
    path = PODS.path(pod["metadata"]["namespace"], pod["metadata"]["name"]) + "/log"
    query = {"container": container, "tailLines": 1, "limitBytes": 4096}
    try:
        text = client.text(path, query=query, patience=_PATIENCE)
    except ClusterError:  # no permission to read logs, or the container has just ended: no reason to stop
        return ""
    return masked(text.strip()[-_LONGEST:])
