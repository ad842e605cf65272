# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules across the fields of a pool, and between the pools and the models that use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import get
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import pool_types
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.instance_types import INSTANCE_TYPES
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pool_fields import POOL_FIELDS, STATIC_FIELDS


def check_pool(pool: dict[str, Any], given: Mapping[str, Any], where: Where) -> None:
    """Report every rule that a pool breaks by itself. given: the pool as written, without defaults."""
    if pool["static"] is None:
        # It depends on that what else there may be.
        return
    if pool["static"]:
        for field in POOL_FIELDS:
            if field.path not in STATIC_FIELDS and given.get(field.path) is not None:
                where.at(field.path).refuse(
                    given[field.path], "the nodes of a static pool exist already", "nothing in a static pool"
                )
        return
    if given.get("allocatable") is not None:
        where.at("allocatable").refuse(given["allocatable"], "known from the instance types", "only in a static pool")
    for key in ("limit", "ami"):
        if given.get(key) is None:
            text = next(field.accept.text for field in POOL_FIELDS if field.path == key)
            where.at(key).missing(text)
    if given.get("instance_families") is None and given.get("instance_types") is None:
        where.at("instance_families").missing("instance_families or instance_types, unless static")
    elif pool["gpu_count"] is not None:
        _check_types(pool, where)
    if pool["limit"] is not None and pool["gpu_count"] is not None and pool["limit"] < pool["gpu_count"]:
        where.at("limit").refuse(pool["limit"], "less than the GPUs of one node", f"{pool['gpu_count']} or more")


def _check_types(pool: dict[str, Any], where: Where) -> None:
    """Types with another number of GPUs can never be used: the NodePool asks for gpu_count."""
    count, families = pool["gpu_count"], pool["instance_families"]
    for index, name in enumerate(pool["instance_types"] or []):
        item = INSTANCE_TYPES[name]
        if item.gpus != count:
            where.at("instance_types").at(index).refuse(
                name, f"has {item.gpus} GPUs", f"types with {count}, as gpu_count says"
            )
        elif families and item.family not in families:
            where.at("instance_types").at(index).refuse(name, "not of instance_families", ", ".join(families))
    if (families or pool["instance_types"]) and not pool["instance_types"] and not pool_types(pool):
        counts = sorted({item.gpus for item in INSTANCE_TYPES.values() if item.family in families})
        where.at("gpu_count").refuse(
            count, f"no type of {', '.join(families)} has so many GPUs", ", ".join(str(number) for number in counts)
        )


def check_zones(pool: Mapping[str, Any], region: str | None, where: Where) -> None:
    """Report zones of another region than the cluster's."""
    for index, zone in enumerate(pool["zones"] or []):
        if region is not None and zone[:-1] != region:
            where.at("zones").at(index).refuse(zone, f"not of the cluster's region {region}", f"zones of {region}")


def _gpus(models: Sequence[dict[str, Any]], pool: str, replicas: str) -> list[tuple[int, int]]:
    """(replicas, GPUs a replica) of the models of a pool that are readable."""
    found = []
    for model in models:
        numbers = (get(model, f"scaling.{replicas}"), get(model, "gpu.nodes"), get(model, "gpu.count"))
        if get(model, "gpu.pool") == pool and None not in numbers:
            found.append((int(numbers[0]) * int(numbers[1]), int(numbers[2])))
    return found


def shortage(models: Sequence[dict[str, Any]], pool: dict[str, Any], replicas: str) -> str | None:
    """Return why the models' replicas (min or max) do not fit the pool's limit, None when they may.

    Nodes come whole, and two replicas of more than half a node never share one.
    """
    if pool["static"] or pool["limit"] is None or pool["gpu_count"] is None:
        return None
    size = pool["gpu_count"]
    nodes = pool["limit"] // size
    wanted = _gpus(models, pool["name"], replicas)
    total = sum(count * gpus for count, gpus in wanted)
    large = sum(count for count, gpus in wanted if 2 * gpus > size)
    if not nodes:
        # Said of the pool itself already.
        return None
    if total > nodes * size:
        return f"the models' {replicas}imum is {total} GPUs, and the pool has at most {nodes * size}"
    if large > nodes:
        return f"the models' {replicas}imum needs {large} nodes of {size} GPUs, and the pool has at most {nodes}"
    return None


def check_capacity(models: Sequence[dict[str, Any]], pool: dict[str, Any], where: Where) -> list[str]:
    """Refuse a pool whose limit is below what its models need at least; return warnings about what they may need."""
    reason = shortage(models, pool, "min")
    if reason is not None:
        where.at("limit").refuse(pool["limit"], reason, "a limit that holds every model's scaling.min")
        return []
    reason = shortage(models, pool, "max")
    return [] if reason is None else [f"{where.path}.limit: got {pool['limit']}: {reason}"]
