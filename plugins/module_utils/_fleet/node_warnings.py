# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings about what a model may not get of the nodes that it runs on."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration, quantity, resources
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import get
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_rules import KV_RESERVE_GIB

_GIB = 1024 * 1024 * 1024


def node_warnings(model: dict[str, Any], pool: dict[str, Any], where: Where) -> list[str]:
    """Return the warnings about a model, both it and its pool being right."""
    return [*_offload(model, pool, where), *_drain(model, pool, where)]


def _offload(model: dict[str, Any], pool: dict[str, Any], where: Where) -> list[str]:
    """The node may be one without room for the offloaded KV cache.

    A limit may be above what there is; of the nodes that hold what is requested, Karpenter takes the cheapest.
    """
    size = get(model, "engine.kv_offload_gib")
    wanted = quantity.parse(get(model, "resources.requests").get("memory", "0"))
    nodes = [(name, has["memory"]) for name, has in resources.allocatable(pool) if wanted <= has.get("memory", -1)]
    if not size or not nodes:
        return []
    name, memory = nodes[0]
    if size <= int(memory / _GIB) - KV_RESERVE_GIB:
        return []
    return [
        f"{where.path}.engine.kv_offload_gib: got {size}: {name}, which holds what the model requests, has "
        f"{quantity.memory(int(memory))}; request memory for the offloaded cache and {KV_RESERVE_GIB}Gi"
    ]


def _drain(model: dict[str, Any], pool: dict[str, Any], where: Where) -> list[str]:
    """The node may be ended before the requests that run on it."""
    timeout, most = get(model, "gateway.timeout"), pool["terminate_after"]
    if pool["static"] or most == "Never" or duration.seconds(timeout) < duration.seconds(most):
        return []
    return [
        f"{where.path}.gateway.timeout: got {timeout!r}: nodes of {pool['name']} end {most} after they were told to "
        "(terminate_after), whatever runs on them"
    ]
