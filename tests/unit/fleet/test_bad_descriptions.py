# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every bad description of the tables and its lines; all errors of one fleet in one run and in order; secrets."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import Field, Items
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_fields import MODEL_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.platform_fields import (
    AWS_FIELDS,
    CLUSTER_FIELDS,
    PLATFORM_FIELDS,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pool_fields import POOL_FIELDS

from tests.unit.fleet.bad_descriptions import GOOD, TABLES, cases, changed, lines_of

CASES = list(cases())
# Where one model says nothing of the others.
ALONE = ("weights", "engine", "flags", "flags_managed", "scaling", "operation")
FIRST = "llmfleet_models[0] ("


def test_the_good_description_is_good() -> None:
    assert lines_of(GOOD) == []


def test_there_are_many_and_no_two_are_the_same() -> None:
    assert len(CASES) >= 120
    assert len({json.dumps(description) for _name, description, _lines in CASES}) == len(CASES)
    assert sorted({name.rpartition("-")[0] for name, _, _ in CASES}) == sorted(path.stem for path in TABLES.iterdir())


@pytest.mark.parametrize(("description", "lines"), [pytest.param(d, lines, id=name) for name, d, lines in CASES])
def test_bad_description(description: dict[str, Any], lines: list[str]) -> None:
    assert lines_of(description) == lines


def _said(text: str) -> bool:
    return any(re.search(text, line) for _name, _description, lines in CASES for line in lines)


def _fields(fields: tuple[Field, ...], below: str) -> list[str]:
    found = []
    for field in fields:
        path = below + re.escape(field.path)
        found.append(path)
        if isinstance(field.accept, Items):
            found += _fields(field.accept.fields, rf"{path}\[\d\]\.")
    return found


PATHS = [
    *_fields(MODEL_FIELDS, r"^llmfleet_models\[\d\] \([^ ]*\)\."),
    *_fields(POOL_FIELDS, r"^llmfleet_gpu_pools\[\d\] \([^ ]*\)\."),
    *_fields(CLUSTER_FIELDS, r"^llmfleet_cluster \([^ ]*\)\."),
    *_fields(AWS_FIELDS, r"^llmfleet_aws\."),
    *_fields(PLATFORM_FIELDS, "^llmfleet_"),
]


@pytest.mark.parametrize("path", PATHS)
def test_every_field_is_refused_somewhere(path: str) -> None:
    assert _said(path + r"(\.[^:]+|\[\d+\])*: got ")


def _renamed(lines: list[str], index: int, name: str) -> list[str]:
    return [line.replace(f"{FIRST}qwen)", f"llmfleet_models[{index}] ({name})", 1) for line in lines]


def test_all_errors_of_a_fleet_come_in_one_run_and_in_order() -> None:
    """One fleet with a model for every case that is of one model alone, between pools and a platform that are bad."""
    fleet = copy.deepcopy(GOOD)
    fleet["llmfleet_models"], expected = [], []
    for name, description, lines in CASES:
        others = {key: value for key, value in description.items() if key != "llmfleet_models"}
        if name.rpartition("-")[0] not in ALONE or not others.items() <= GOOD.items():
            continue
        (model,) = description["llmfleet_models"]
        if model["name"] != "qwen":
            continue
        index = len(fleet["llmfleet_models"])
        fleet["llmfleet_models"].append({**copy.deepcopy(model), "name": f"m{index}"})
        expected += _renamed(lines, index, f"m{index}")
    fleet["llmfleet_gpu_pools"][0] |= {"limit": 1000, "runtime_class": "N", "nosuch": 1, "zones": ["x"]}
    fleet["llmfleet_gpu_pools"][1] |= {"gpu_count": 0}
    fleet["llmfleet_cluster"] |= {"vpc": "x", "region": "x"}
    fleet |= {"llmfleet_aws": {"profile": 1}, "llmfleet_storage_replace": 3, "llmfleet_bucket": "B", "llmfleet_x": 1}
    found = lines_of(fleet)
    assert len(fleet["llmfleet_models"]) > 100 and len(expected) > 130
    assert found[: len(expected)] == expected
    assert [line.split(": got")[0] for line in found[len(expected) :]] == [
        "llmfleet_gpu_pools[0] (l4).zones[0]",
        "llmfleet_gpu_pools[0] (l4).runtime_class",
        "llmfleet_gpu_pools[0] (l4).nosuch",
        "llmfleet_gpu_pools[1] (lab).gpu_count",
        "llmfleet_cluster (prod).region",
        "llmfleet_cluster (prod).vpc",
        "llmfleet_aws.profile",
        "llmfleet_bucket",
        "llmfleet_storage_replace",
        "llmfleet_x",
    ]


def test_errors_of_lists_come_in_the_order_of_their_items() -> None:
    """Rules are checked after fields, and their lines are between those of the fields all the same."""
    adapters = [
        {"name": "qwen", "repository": "o/a", "revision": "main", "token_secret": "A"},
        {"name": "B", "repository": "b", "revision": "main", "x": 1},
    ]
    found = lines_of(changed({"llmfleet_models.0.adapters": adapters, "llmfleet_models.0.adapters_max_rank": 1}))
    assert [line.split(": got")[0].removeprefix("llmfleet_models[0] (qwen).") for line in found] == [
        "adapters[0].name",
        "adapters[0].revision",
        "adapters[0].token_secret",
        "adapters[1].name",
        "adapters[1].repository",
        "adapters[1].revision",
        "adapters[1].x",
        "adapters_max_rank",
    ]


def test_secrets_are_in_the_cases_and_in_no_line() -> None:
    text = json.dumps([description for _name, description, _lines in CASES])
    said = "\n".join(line for _name, description, _lines in CASES for line in lines_of(description))
    for secret in ("swordfish", "hf_AbCdEfGhIjKlMnOp", "hf-token", "HF_Token", "Sword Fish"):
        assert secret in text and not re.search(rf"got .*{secret}\b(?!=)", said.replace("--hf-token", ""))


SECRET = "sesame-open"
PLACES: list[tuple[str, Any]] = [
    ("engine.env", {"A": SECRET, "B": [SECRET], SECRET + "=": "x", "C": {"D": SECRET}}),
    ("engine.env", [f"A={SECRET}"]),
    ("engine.env", SECRET),
    ("engine", [{"env": {"A": SECRET}}]),
    ("engine", [f"env={SECRET}"]),
    ("engine.extra_args", SECRET),
    (
        "engine.extra_args",
        [SECRET, f"--hf-token={SECRET}", f"--api-key {SECRET}", f"--nosuch={SECRET}", f"--seed={SECRET}"],
    ),
    ("engine.extra_args", {"hf-token": SECRET}),
    ("weights", {"token_secret": {"name": SECRET}}),
    ("weights.token_secret", SECRET.upper()),
    ("weights.token_secret", [SECRET]),
    ("weights", [{"token_secret": SECRET}]),
    ("adapters", {"name": "a", "token_secret": SECRET}),
    ("adapters", [{"name": "a", "token_secret": SECRET.upper()}]),
    ("adapters", [[SECRET]]),
    ("env_from_secrets", SECRET),
    ("env_from_secrets", [SECRET, SECRET]),
    ("env_from_secrets", {SECRET: SECRET}),
    ("nosuch", SECRET),
    ("engine.nosuch", {"A": SECRET}),
]


@pytest.mark.parametrize(("path", "value"), PLACES)
def test_a_secret_in_the_wrong_shape_is_not_shown(path: str, value: Any) -> None:
    lines = lines_of(changed({f"llmfleet_models.0.{path}": value}))
    assert lines
    assert SECRET not in "\n".join(lines).lower()


@pytest.mark.parametrize("value", [{"a": SECRET}, [{"env": SECRET}, [SECRET]]])
def test_a_whole_variable_in_the_wrong_shape_is_not_shown(value: Any) -> None:
    for name in ("llmfleet_models", "llmfleet_gpu_pools", "llmfleet_cluster", "llmfleet_aws"):
        lines = lines_of({**GOOD, name: value})
        assert lines and SECRET not in "\n".join(lines)
