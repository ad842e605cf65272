# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of bad/: what is changed in a good description, and every line that it is answered with."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors

TABLES = Path(__file__).parent / "bad"
UNBUILT = "not yet built"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GOOD: dict[str, Any] = {
    "llmfleet_cluster": {"name": "prod", "region": "eu-west-3", "account": "123456789012"},
    "llmfleet_gpu_pools": [
        {
            "name": "l4",
            "instance_families": ["g6"],
            "limit": 4,
            "ami": {"ssm_parameter": "/aws/service/bottlerocket/aws-k8s-1.35-nvidia/x86_64/1.50.0/image_id"},
        },
        {"name": "lab", "static": True, "gpu_count": 4, "allocatable": {"cpu": "8", "memory": "64Gi"}},
    ],
    "llmfleet_models": [
        {
            "name": "qwen",
            "weights": {"repository": "Qwen/Qwen3-8B", "revision": COMMIT},
            "gpu": {"pool": "l4"},
        }
    ],
}


def changed(change: Mapping[str, Any], below: str = "") -> dict[str, Any]:
    """The good description with values at dotted paths replaced.

    Paths that do not begin with llmfleet_ are below another path; one that ends in the number of a list's next item
    adds a copy of the first with other values.
    """
    result = copy.deepcopy(GOOD)
    for path, value in change.items():
        *groups, last = (path if path.startswith("llmfleet_") else below + path).split(".")
        place: Any = result
        for group in groups:
            place = place[int(group)] if isinstance(place, list) else place.setdefault(group, {})
        if isinstance(place, list):
            # One more: a copy of the first with other values.
            place.append(copy.deepcopy(place[0]) | copy.deepcopy(value))
        else:
            place[last] = copy.deepcopy(value)
    return result


def lines_of(description: Mapping[str, Any]) -> list[str]:
    """What a description is answered with, but for lines that only say that a field is not yet built."""
    try:
        describe(description)
    except DescriptionErrors as errors:
        return [line for line in errors.lines if not line.endswith(UNBUILT)]
    return []


def cases() -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """(table and number, description, lines) of every case of every table."""
    for path in sorted(TABLES.glob("*.yml")):
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        prefix = table.get("prefix", "")
        for number, case in enumerate(table["cases"], start=1):
            says = case["says"] if isinstance(case["says"], list) else [case["says"]]
            lines = [line if line.startswith("llmfleet_") else prefix + line for line in says]
            yield f"{path.stem}-{number}", changed(case["set"], table.get("below", "")), lines
