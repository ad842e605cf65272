# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model requests: defaults that fit its pool, and the check of what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import quantity
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import pool_types

# What DaemonSets (network, storage driver, metrics) take of every node.
DAEMONS = {"cpu": Decimal("0.3"), "memory": Decimal(768 * quantity.MIB)}
Resources = dict[str, str]


def allocatable(pool: Mapping[str, Any]) -> list[tuple[str, dict[str, Decimal]]]:
    """What nodes of a pool have for pods, by instance type, smallest first; [] when nothing is known of them."""
    if pool["static"]:
        given = pool["allocatable"]
        return [("a node", {key: quantity.parse(str(value)) for key, value in given.items()})] if given else []
    return [(item.name, item.allocatable) for item in pool_types(pool)]


def default_requests(pool: Mapping[str, Any], gpus: int) -> Resources | None:
    """CPU and memory for a model with so many GPUs on the smallest node of the pool: its share of the node.

    None when nothing is known of the nodes, or their GPUs are too few.
    """
    nodes = allocatable(pool)
    if not nodes or not all(key in nodes[0][1] for key in DAEMONS):
        return None
    smallest = nodes[0][1]
    share = Decimal(gpus) / Decimal(pool["gpu_count"])
    cpu = (smallest["cpu"] - DAEMONS["cpu"]) * share
    memory = (smallest["memory"] - DAEMONS["memory"]) * share
    if cpu <= 0 or memory <= 0 or share > 1:
        return None
    # Whole tenths of a core and quarters of a GiB, downwards.
    millis = max(100, int(cpu * 10) * 100)
    step = 256 * quantity.MIB
    return {"cpu": quantity.cpu(millis), "memory": quantity.memory(max(step, int(memory) // step * step))}


def default_limits(requests: Mapping[str, str]) -> Resources:
    """Twice the memory, no limit of CPU; of resources that have a domain what is requested, as Kubernetes asks for."""
    devices = {key: amount for key, amount in requests.items() if "/" in key}
    if "memory" not in requests:
        return devices
    return devices | {"memory": quantity.memory(int(quantity.parse(requests["memory"]) * 2))}


def fits(pool: Mapping[str, Any], requests: Mapping[str, str]) -> str | None:
    """Return None when a node of the pool can hold the requests, else what the largest has, for the message."""
    nodes = allocatable(pool)
    if not nodes:
        return None
    wanted = {key: quantity.parse(value) for key, value in requests.items()}
    for _rest, has in nodes:
        if all(amount <= has[key] for key, amount in wanted.items() if key in has):
            return None
    name, has = nodes[-1]
    return f"at most cpu {quantity.cpu(int(has.get('cpu', 0) * 1000))}, memory " + (
        f"{quantity.memory(int(has.get('memory', 0)))} ({name})"
    )
