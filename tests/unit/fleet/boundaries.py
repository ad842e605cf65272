# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole descriptions to render: the inventories, the examples of the pages, and every accepted value of every field."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors

from tests.unit.fleet import test_model_fields, test_pools
from tests.unit.fleet.bad_descriptions import COMMIT, GOOD

ROOT = Path(__file__).resolve().parents[3]
Variables = dict[str, Any]


def _resolved(value: Any, known: dict[str, Any]) -> Any:
    """A value with the expressions of the lab's inventory replaced: they name folders only."""
    if isinstance(value, dict):
        return {key: _resolved(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, known) for item in value]
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: known[match[1]], value) if isinstance(value, str) else value


def inventory(name: str) -> Variables:
    """The variables of the one host of an inventory."""
    found: Variables = {}
    for path in sorted((ROOT / "inventories" / name / "host_vars").glob("*/*.yml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    variables = _resolved(
        {key: value for key, value in found.items() if key.startswith("llmfleet_")}, {"lab_state": "/var/lib/lab"}
    )
    return dict(variables)


def documented() -> dict[str, Variables]:
    """The examples of the pages: blocks of YAML that describe models or pools, on top of the good description."""
    found = {}
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        blocks = re.findall(r"^```ya?ml\n(.*?)^```", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        for number, block in enumerate(blocks, start=1):
            value = yaml.safe_load(block)
            if isinstance(value, dict) and value.keys() & {"llmfleet_models", "llmfleet_gpu_pools"}:
                found[f"{path.stem}-{number}"] = {**copy.deepcopy(GOOD), **value}
    return found


def every_model_value() -> Variables:
    """A fleet with a model for every value that a field of a model accepts, as far as it is built."""
    fleet = copy.deepcopy(GOOD)
    fleet["llmfleet_gpu_pools"][0]["limit"] = 1000
    (good,) = fleet["llmfleet_models"]
    fleet["llmfleet_models"] = []
    for path, (accepted, later, _refused) in test_model_fields.CASES.items():
        for value in (*accepted, *later):
            model = copy.deepcopy(good)
            place: Any = model
            *groups, last = path.split(".")
            for group in groups:
                place = place.setdefault(group, {})
            place[last] = copy.deepcopy(value)
            for adapter in model.get("adapters") or []:
                adapter["name"] = f"a{len(fleet['llmfleet_models'])}"
            if path != "name":
                model["name"] = f"m{len(fleet['llmfleet_models'])}"
            if _good({**fleet, "llmfleet_models": [model]}):
                fleet["llmfleet_models"].append(model)
    return fleet


def every_pool_value() -> Variables:
    """A fleet with a pool for every value that a field of a pool accepts."""
    fleet = copy.deepcopy(GOOD)
    (good, static), fleet["llmfleet_gpu_pools"] = fleet["llmfleet_gpu_pools"], []
    for path, (accepted, _refused) in test_pools.CASES.items():
        for value in accepted if path != "name" else ():
            pool = {**copy.deepcopy(good), path: copy.deepcopy(value), "limit": 8}
            pool["name"] = f"p{len(fleet['llmfleet_gpu_pools'])}"
            fleet["llmfleet_gpu_pools"].append(pool)
    fleet["llmfleet_gpu_pools"] += [good, static]
    return fleet


def canaries() -> Variables:
    """The good fleet, its model with a share of the requests for each of two adapters."""
    fleet = copy.deepcopy(GOOD)
    names = ("some", "other")
    (model,) = fleet["llmfleet_models"]
    model["adapters"] = [{"name": name, "repository": "o/r", "revision": COMMIT} for name in names]
    model["gateway"] = {"canaries": [{"adapter": name, "weight": 10} for name in names]}
    return fleet


def _good(variables: Variables) -> bool:
    try:
        describe(variables)
    except DescriptionErrors:
        return False
    return True


def all_of_them() -> dict[str, Variables]:
    """Every description by its name."""
    return {
        "inventories/example": inventory("example"),
        "inventories/lab": inventory("lab"),
        "every value of a model": every_model_value(),
        "every value of a pool": every_pool_value(),
        "canaries": canaries(),
        **documented(),
    }
