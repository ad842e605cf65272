# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that we need and somebody else has taken: found before the first write, by reading metadata only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import THREADS, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import UnknownKind
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import is_ours
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import refuse_foreign_release
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import (
    CLUSTER_LABEL,
    MANAGED_BY_LABEL,
)


def foreign_objects(client: Client, cluster: str, objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each of these objects that exists and is not ours, in their order.

    A kind that the API server does not have yet is taken by nobody. Raises ClusterError.
    """
    groups: dict[tuple[Resource, str], list[Mapping[str, Any]]] = defaultdict(list)
    for obj in objects:
        try:
            resource = client.discovery.resource(str(obj["apiVersion"]), str(obj["kind"]))
        except UnknownKind:
            continue
        groups[(resource, str(obj["metadata"].get("namespace") or ""))].append(obj)

    def look(key: tuple[Resource, str]) -> list[str]:
        resource, namespace = key
        listed = client.list(resource, namespace or None, metadata_only=True)
        present = {item["metadata"]["name"]: item for item in listed}
        wanted = ((obj, present.get(obj["metadata"]["name"])) for obj in groups[key])
        return [_told(obj, live) for obj, live in wanted if live is not None and not is_ours(live, cluster)]

    with ThreadPoolExecutor(THREADS, thread_name_prefix="llmfleet-foreign") as pool:
        return [line for part in pool.map(look, groups) for line in part]


def foreign_releases(client: Client, cluster: str, releases: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each release {release, namespace} that exists and is not ours. Raises ClusterError."""
    told = (refuse_foreign_release(client, cluster, item["namespace"], item["release"]) for item in releases)
    return [line for line in told if line]


def _told(obj: Mapping[str, Any], live: Mapping[str, Any]) -> str:
    owner = (live["metadata"].get("labels") or {}).get(CLUSTER_LABEL)
    whose = f"belongs to the cluster named {owner!r}" if owner else "was not made by llmfleet"
    return f"{describe(obj)} exists already and {whose} (labels {MANAGED_BY_LABEL} and {CLUSTER_LABEL})"
