# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which revisions of weights the cluster uses, whatever is described: by what its pods say, or will say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import UnknownKind
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.revisions import (
    last_served,
    marked,
    present,
    releases,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.bucket_layout import Revision

_KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("v1", "Pod"),
)


def users_of(client: Client, namespace: str, candidates: Iterable[Revision]) -> dict[str, str]:
    """Return for each revision in use, by its prefix, one object that uses it. namespace: that of the claim.

    An object uses a revision when it names the revision's folder on the volume, or mounts the model's folder and names
    the one below it, as engines do. Raises ClusterError: without an answer nothing is known to be unused.
    """
    texts = [(describe(obj), json.dumps(obj["spec"])) for obj in _live(client, namespace)]
    found: dict[str, str] = {}
    for revision in candidates:
        below = re.compile(rf"/{re.escape(revision.tail)}(?![\w.-])")
        whole = re.compile(rf"/{re.escape(revision.model)}/{re.escape(revision.tail)}(?![\w.-])")
        mounted = json.dumps({"subPath": revision.model})[1:-1]
        for name, text in texts:
            if whole.search(text) or (mounted in text and below.search(text)):
                found[revision.prefix] = name
                break
    return found


def _live(client: Client, namespace: str) -> list[dict[str, Any]]:
    """Return what has pods, or will have them."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for api_version, kind in _KINDS:
        try:
            resource = client.discovery.resource(api_version, kind)
        except UnknownKind:
            if kind != "LeaderWorkerSet":
                raise
            continue
        by_kind[kind] = client.list(resource, namespace)
    by_kind["ReplicaSet"] = _of_releases(by_kind["Deployment"], by_kind["ReplicaSet"])
    by_kind["Job"] = [job for job in by_kind["Job"] if not _ended(job)]
    by_kind["Pod"] = [
        pod for pod in by_kind["Pod"] if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]
    return [obj for found in by_kind.values() for obj in found]


def _of_releases(deployments: list[dict[str, Any]], sets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the ReplicaSets with pods, and those that a Deployment may go back to."""
    kept = [rs for rs in sets if (rs.get("spec") or {}).get("replicas") or (rs.get("status") or {}).get("replicas")]
    for deployment in deployments:
        own = releases(deployment, sets)
        now = present(deployment, own)
        # A release that has served is not gone back from.
        if now is not None and marked(now):
            continue
        back = last_served(own, now, 0) if now is not None else max(filter(marked, own), key=_number, default=None)
        if back is not None:
            kept.append(back)
    return kept


def _number(replica_set: dict[str, Any]) -> int:
    return int((replica_set["metadata"].get("annotations") or {}).get("deployment.kubernetes.io/revision") or 0)


def _ended(job: dict[str, Any]) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(item.get("type") in ("Complete", "Failed") and item.get("status") == "True" for item in conditions)
