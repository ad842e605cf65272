# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""llmfleet_gpu_pools: fields, rules, capacity; instance types and the resources computed from them."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import quantity
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.instance_types import INSTANCE_TYPES
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pool_fields import POOL_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.resources import DAEMONS

TAINT = {"key": "a/b", "effect": "NoSchedule"}
SSM = "/aws/service/bottlerocket/aws-k8s-1.35-nvidia/x86_64/1.50.0/image_id"
# path -> (accepted, refused) of a pool that is not static
CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "name": (["l4"], ["L4", "", 3, "a" * 41]),
    "static": ([False], ["false", 0]),
    "instance_families": ([["g6"], ["g5", "g6"]], ["g6", [], ["t3"], [6], ["g6", "g6"]]),
    "instance_types": (
        [["g6.xlarge", "g6.2xlarge"]],
        [["g6"], ["m5.large"], "g6.xlarge", ["g6.12xlarge"], ["g5.xlarge"]],
    ),
    "gpu_count": ([1, 4], [0, 9, "1", True, 2]),
    "capacity_types": ([["spot"], ["on-demand", "reserved"]], [[], ["Spot"], "spot", ["spot", "spot"]]),
    "limit": ([1, 100], [0, "4", True, None]),
    "zones": ([["eu-west-3a", "eu-west-3b"]], [[], ["eu-west-3"], "eu-west-3a", [3]]),
    "ami": (
        [
            {"ssm_parameter": SSM},
            {"alias": "bottlerocket@v1.50.0"},
            {"alias": "al2023@v20261101"},
            {"id": "ami-0123456789abcdef0"},
        ],
        [
            None,
            {},
            "ami-0123456789abcdef0",
            {"id": "ami-xyz"},
            {"alias": "bottlerocket@latest"},
            {"alias": "bottlerocket"},
            {"alias": "ubuntu@v1"},
            {"ssm_parameter": "/aws/service/bottlerocket/aws-k8s-1.35-nvidia/x86_64/latest/image_id"},
            {"ssm_parameter": "/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/nvidia/recommended/id"},
            {"ssm_parameter": SSM, "id": "ami-0123456789abcdef0"},
            {"name": "x"},
        ],
    ),
    "node_selector": ([{}, {"a/b": "c"}], [{"a": 1}, [], {"a b": "c"}]),
    "taints": ([[], [TAINT], [{**TAINT, "value": "x"}]], [[{"key": "a"}], [{**TAINT, "effect": "No"}], {}, ["a"]]),
    "startup_taints": ([[TAINT]], [[{**TAINT, "operator": "Exists"}]]),
    "labels": ([{"team": "a"}], [{"team": True}]),
    "runtime_class": (["nvidia", "other"], ["Nvidia", 3]),
    "consolidate_after": (["30s", "Never", "1h"], ["0s", "never", 30]),
    "expire_after": (["Never", "720h"], ["30d", False]),
    "terminate_after": (["1h", "Never"], ["1d"]),
    "allocatable": ([], [{"cpu": "4"}]),
}


def test_every_field_has_cases() -> None:
    assert list(CASES) == [field.path for field in POOL_FIELDS]


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, both in CASES.items() for value in both[0]])
def test_accepted(path: str, value: Any, variables: Any, errors: Any) -> None:
    variables["llmfleet_gpu_pools"][0]["limit"] = 8
    variables["llmfleet_gpu_pools"][0][path] = value
    assert errors(variables) == []


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, both in CASES.items() for value in both[1]])
def test_refused(path: str, value: Any, variables: Any, errors: Any) -> None:
    variables["llmfleet_gpu_pools"][0][path] = value
    # Without its pool the model cannot be checked: that is another line.
    lines = [line for line in errors(variables) if not line.startswith("llmfleet_models")]
    name = "?" if path == "name" and not (isinstance(value, str) and value) else value if path == "name" else "l4"
    assert lines and all(line.startswith(f"llmfleet_gpu_pools[0] ({name}).{path}") for line in lines)


@pytest.mark.parametrize("path", ["name", "limit", "ami"])
def test_required(path: str, variables: Any, errors: Any) -> None:
    del variables["llmfleet_gpu_pools"][0][path]
    lines = [line for line in errors(variables) if line.startswith("llmfleet_gpu_pools")]
    assert len(lines) == 1 and "got nothing: required" in lines[0]


def test_families_or_types_are_required(variables: Any, errors: Any) -> None:
    pool = variables["llmfleet_gpu_pools"][0]
    del pool["instance_families"]
    assert any(
        line.startswith("llmfleet_gpu_pools[0] (l4).instance_families: got nothing") for line in errors(variables)
    )
    pool["instance_types"] = ["g6.xlarge"]
    assert errors(variables) == []


def test_unknown_key(variables: Any, errors: Any) -> None:
    variables["llmfleet_gpu_pools"][0]["instance_family"] = ["g6"]
    (line,) = errors(variables)
    assert "instance_family: got an unknown key: not a field, nearest: instance_families" in line


@pytest.mark.parametrize("field", [field.path for field in POOL_FIELDS if field.path not in ("name", "static")])
def test_a_static_pool_takes_few_fields(field: str, variables: Any, errors: Any) -> None:
    allowed = {
        "node_selector": {"a": "b"},
        "taints": [],
        "runtime_class": "x",
        "gpu_count": 2,
        "allocatable": {"cpu": 1},
    }
    value = allowed.get(field) or CASES[field][0][0]
    variables["llmfleet_gpu_pools"][1][field] = value if field != "taints" else []
    lines = errors(variables)
    if field in allowed:
        assert lines == []
    else:
        assert [line.split(": got")[0] for line in lines] == [f"llmfleet_gpu_pools[1] (lab).{field}"]


def test_pool_names_are_unique(variables: Any, errors: Any) -> None:
    variables["llmfleet_gpu_pools"].append(copy.deepcopy(variables["llmfleet_gpu_pools"][0]))
    (line,) = errors(variables)
    assert line.startswith("llmfleet_gpu_pools[2] (l4).name: got 'l4': also the name of llmfleet_gpu_pools[0] (l4)")


def _models(variables: Any, *shapes: tuple[int, int]) -> None:
    """Models of (replicas, GPUs) on the pool l4."""
    model = variables["llmfleet_models"][0]
    variables["llmfleet_models"] = [
        {**copy.deepcopy(model), "name": f"m{i}", "scaling": {"min": n, "max": n}, "gpu": {"pool": "l4", "count": g}}
        for i, (n, g) in enumerate(shapes)
    ]


@pytest.mark.parametrize(
    ("limit", "count", "shapes", "reason"),
    [
        (4, 1, [(2, 1), (2, 1)], None),
        (4, 1, [(3, 1), (2, 1)], "minimum is 5 GPUs, and the pool has at most 4"),
        (8, 4, [(1, 4), (1, 4)], None),
        # Seven GPUs are one node of four.
        (7, 4, [(1, 4), (1, 1)], "minimum is 5 GPUs, and the pool has at most 4"),
        # Nine of twelve, but no two of three GPUs share a node of four.
        (8, 4, [(2, 3)], None),
        (12, 4, [(4, 3)], "needs 4 nodes of 4 GPUs, and the pool has at most 3"),
    ],
)
def test_the_minimum_must_fit(
    limit: int, count: int, shapes: Any, reason: str | None, variables: Any, errors: Any
) -> None:
    variables["llmfleet_gpu_pools"][0] |= {"limit": limit, "gpu_count": count}
    _models(variables, *shapes)
    lines = errors(variables)
    assert [reason in line for line in lines] == ([True] if reason else [])


def test_a_maximum_that_does_not_fit_is_warned_about(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_gpu_pools"][0]["limit"] = 2
    (warning,) = fleet_of(variables).warnings
    assert warning.startswith("llmfleet_gpu_pools[0] (l4).limit: got 2: the models' maximum is 3 GPUs")


@pytest.mark.parametrize(
    ("name", "cpu", "memory"),
    [
        # By hand: 4 cores less 60 + 10 + 5 + 5 thousandths; 16 GiB less 7.5 %, 255 + 58 x 11 MiB and 100 MiB.
        ("g6.xlarge", "3.92", 16384 * 0.925 - 255 - 638 - 100),
        # 48 cores less 80 thousandths and 44 x 2.5.
        ("g6.12xlarge", "47.81", 192 * 1024 * 0.925 - 255 - 234 * 11 - 100),
    ],
)
def test_allocatable(name: str, cpu: str, memory: float) -> None:
    found = INSTANCE_TYPES[name].allocatable
    assert found["cpu"] == Decimal(cpu)
    assert int(found["memory"] / quantity.MIB) == int(memory)


@pytest.mark.parametrize("name", list(INSTANCE_TYPES))
def test_the_default_fits_every_type_alone(name: str, variables: Any, errors: Any, fleet_of: Any) -> None:
    item = INSTANCE_TYPES[name]
    pool = variables["llmfleet_gpu_pools"][0]
    del pool["instance_families"]
    pool |= {"instance_types": [name], "gpu_count": item.gpus, "limit": 16}
    variables["llmfleet_models"][0]["gpu"]["count"] = item.gpus
    resources = fleet_of(variables).models[0].fields["resources"]
    has = item.allocatable
    for key, amount in resources["requests"].items():
        left = has[key] - quantity.parse(amount)
        assert DAEMONS[key] <= left < has[key] / 10 + DAEMONS[key] + 256 * quantity.MIB
    assert quantity.parse(resources["limits"]["memory"]) == 2 * quantity.parse(resources["requests"]["memory"])
    assert list(resources["limits"]) == ["memory"]


def test_a_part_of_a_node_gets_its_share(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0]["gpu"] = {"pool": "lab", "count": 2}
    # Half of 8 cores and 64 GiB, after what daemons take.
    requests = {"cpu": "3800m", "memory": "32256Mi"}
    assert fleet_of(variables).models[0].fields["resources"]["requests"] == requests


def test_requests_that_no_type_can_hold(variables: Any, errors: Any) -> None:
    model = variables["llmfleet_models"][0]
    model["resources"] = {"requests": {"cpu": "30", "memory": "100Gi"}}
    assert errors(variables) == []  # g6.8xlarge and larger
    model["resources"] = {"requests": {"memory": "250Gi"}}
    (line,) = errors(variables)
    assert line.startswith("llmfleet_models[0] (qwen).resources.requests: got ")
    assert "no node of the pool can hold it; accepted: at most cpu " in line and "g6.16xlarge" in line


def test_limits_below_requests(variables: Any, errors: Any) -> None:
    model = variables["llmfleet_models"][0]
    model["resources"] = {"requests": {"memory": "8Gi", "cpu": 2}, "limits": {"memory": "8191Mi", "cpu": "2000m"}}
    assert errors(variables) == [
        "llmfleet_models[0] (qwen).resources.limits.memory: got '8191Mi': below the request 8Gi; accepted: 8Gi or more"
    ]


def test_a_static_pool_of_unknown_nodes_needs_requests(variables: Any, errors: Any) -> None:
    del variables["llmfleet_gpu_pools"][1]["allocatable"]
    model = variables["llmfleet_models"][0]
    model["gpu"] = {"pool": "lab"}
    (line,) = errors(variables)
    assert line.startswith("llmfleet_models[0] (qwen).resources.requests: got nothing: required")
    model["resources"] = {"requests": {"memory": "8Gi"}}
    assert errors(variables) == []


def test_more_gpus_than_a_node_has(variables: Any, errors: Any) -> None:
    variables["llmfleet_models"][0]["gpu"] = {"pool": "lab", "count": 5}
    assert errors(variables) == [
        "llmfleet_models[0] (qwen).gpu.count: got 5: a node of lab has 4; accepted: an integer from 1 to 4"
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("500m", "0.5"), ("1Gi", 2**30), ("1.5Ki", 1536), ("2e3", 2000), ("1M", 10**6), ("100n", "1e-7")],
)
def test_quantities(text: str, value: Any) -> None:
    assert quantity.parse(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "1gb", "Gi", "1 Gi", "--1", "1KI", "0x1", "1e"])
def test_no_quantities(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity.parse(text)
