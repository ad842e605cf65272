# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the Jobs that read weights again, read what each found, and leave none of them behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import PODS, masked
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.wait import Ref, WaitError, wait_for
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_verification import Verification

_JOB = "batch.kubernetes.io/job-name"


@dataclass(frozen=True)
class Verified:
    """What was found of one revision. error: what differs, or why that is not known; "" when all is as it was."""

    name: str
    repository: str
    revision: str
    files: int = 0
    bytes: int = 0
    error: str = ""

    def text(self) -> str:
        """Return the line that is shown."""
        if self.error:
            return f"{self.name}: {self.error}"
        return f"{self.name}: {self.files} files, {self.bytes} bytes, as the ledger says"

    def as_dict(self) -> dict[str, Any]:
        """Return it as a task's result has it."""
        return asdict(self)


def verify(
    client: Client, wanted: Verification, cluster: str, timeout: float, progress: Callable[[str], None]
) -> tuple[list[Verified], bool]:
    """Apply, wait for all Jobs, read their pods' last words, delete the Jobs also when that was cut short.

    Return what was found, and whether anything that stays was changed: the fetcher's account or its package. Raises
    ClusterError.
    """
    failures: dict[str, str] = {}

    def keep(error: WaitError) -> Collection[Ref]:
        for ref, reason, details in error.failures:
            failures[ref.name] = "; ".join([reason, *details])
        return ()

    namespace = next(obj["metadata"]["namespace"] for obj in wanted.objects)
    jobs = client.discovery.resource("batch/v1", "Job")
    try:
        done = apply(client, wanted.objects, cluster, "models", check=False, timeout=timeout)
        refs = [Ref("batch/v1", "Job", namespace, name) for name in wanted.jobs]
        wait_for(client, refs, timeout, progress=progress, on_failure=keep)
        said = _last_words(client, namespace, set(wanted.jobs))
    finally:
        for name in wanted.jobs:
            client.delete(jobs.path(namespace, name))
    found = []
    for name, fetch in wanted.jobs.items():
        summary = said.get(name, {})
        error = failures.get(name, "")
        if summary.get("status") != "verified":
            # What the fetcher says of it is more than what the Job says.
            error = masked(str(summary.get("error") or error or "its pod left no result"))
        files, size = int(summary.get("files") or 0), int(summary.get("total_bytes") or 0)
        found.append(Verified(fetch.name, fetch.repository, fetch.revision, files, size, error))
    stays = [item for item in done.items if item.kind != "Job"]
    return found, any(item.action not in ("", "unchanged") for item in stays)


def _last_words(client: Client, namespace: str, names: set[str]) -> dict[str, dict[str, Any]]:
    """Return the summary in the termination message of the youngest pod of each Job that has left one."""
    found: dict[str, dict[str, Any]] = {}
    for pod in sorted(client.list(PODS, namespace, label_selector=_JOB), key=_age):
        name = str((pod["metadata"].get("labels") or {}).get(_JOB))
        if name not in names:
            continue
        for entry in (pod.get("status") or {}).get("containerStatuses") or []:
            message = ((entry.get("state") or {}).get("terminated") or {}).get("message")
            try:
                summary = json.loads(message or "")
            except ValueError:
                continue
            if isinstance(summary, dict):
                found[name] = summary
    return found


def _age(pod: dict[str, Any]) -> str:
    return str(pod["metadata"].get("creationTimestamp") or "")
