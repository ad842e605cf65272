# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison of desired and live by managedFields: never the same where the server would change something."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.fields import (
    difference,
    owned_fields,
    owned_paths,
    parse_quantity,
    same,
)

# As an API server 1.36 returned it: one container with a port, env, resources; unrelated defaults shortened.
OWNED: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:selector": {},
        "f:template": {
            "f:spec": {
                "f:tolerations": {},
                "f:containers": {
                    'k:{"name":"main"}': {
                        ".": {},
                        "f:args": {},
                        "f:env": {
                            'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}},
                            'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}},
                        },
                        "f:image": {},
                        "f:name": {},
                        "f:ports": {
                            'k:{"containerPort":8000,"protocol":"TCP"}': {".": {}, "f:containerPort": {}},
                        },
                        "f:resources": {"f:requests": {"f:cpu": {}, "f:memory": {}}},
                    }
                },
            }
        },
    },
}
DESIRED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d", "namespace": "n", "labels": {"app": "x"}},
    "spec": {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "spec": {
                "tolerations": [{"key": "gpu", "operator": "Exists"}],
                "containers": [
                    {
                        "name": "main",
                        "image": "i:1",
                        "args": ["--a"],
                        "env": [{"name": "A", "value": ""}, {"name": "B", "value": "2"}],
                        "ports": [{"containerPort": 8000}],
                        "resources": {"requests": {"cpu": "1000m", "memory": "2048Mi"}},
                    }
                ],
            }
        },
    },
}


def live() -> dict[str, Any]:
    found = copy.deepcopy(DESIRED)
    found["metadata"].update(uid="u", generation=1, resourceVersion="1")
    found["metadata"]["managedFields"] = [
        {"manager": "kubectl", "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": {"f:x": {}}},
        {"manager": "llmfleet", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": OWNED},
    ]
    found["spec"]["replicas"] = 1
    container = found["spec"]["template"]["spec"]["containers"][0]
    container["env"][0].pop("value")  # the server leaves out empty values
    container["ports"][0]["protocol"] = "TCP"
    container["resources"]["requests"] = {"cpu": "1", "memory": "2Gi"}
    container["imagePullPolicy"] = "IfNotPresent"
    return found


def test_defaults_quantities_and_empty_values_are_the_same() -> None:
    assert owned_fields(live(), "llmfleet") == OWNED
    assert difference(OWNED, DESIRED, live()) is None


def container(obj: dict[str, Any]) -> dict[str, Any]:
    return obj["spec"]["template"]["spec"]["containers"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda o: container(o).update(image="i:2"), '.spec.template.spec.containers[name="main"].image'),
        (lambda o: container(o).pop("args"), '.spec.template.spec.containers[name="main"].args'),
        (lambda o: container(o).update(command=["x"]), '.spec.template.spec.containers[name="main"].command'),
        (lambda o: container(o)["env"].pop(), '.spec.template.spec.containers[name="main"].env'),
        (lambda o: container(o)["env"].reverse(), '.spec.template.spec.containers[name="main"].env'),
        (lambda o: container(o)["env"][0].update(value="x"), ".value"),
        (lambda o: container(o)["resources"]["requests"].update(cpu="1001m"), ".cpu"),
        (lambda o: container(o)["resources"].update(limits={"cpu": 1}), ".limits"),
        (lambda o: o["spec"].update(replicas=1), ".spec.replicas"),
        (lambda o: o["spec"]["template"]["spec"]["tolerations"][0].pop("operator"), ".tolerations"),
        (lambda o: o["metadata"]["labels"].update(b="c"), ".metadata.labels.b"),
        (lambda o: o["metadata"].pop("labels"), ".metadata"),
    ],
)
def test_every_change_is_seen(change: Any, path: str) -> None:
    desired = copy.deepcopy(DESIRED)
    change(desired)
    found = difference(OWNED, desired, live())
    assert found is not None and found.endswith(path)


def test_a_value_that_another_manager_changed_is_seen() -> None:
    present = live()
    container(present)["args"] = ["--b"]
    assert difference(OWNED, DESIRED, present) is not None


def test_a_quantity_is_one_only_where_a_built_in_kind_has_one() -> None:
    owned = {"f:spec": {"f:limits": {"f:version": {}}}, "f:data": {"f:limits": {}}}
    for api_version in ("karpenter.sh/v1", "v1"):
        desired = {
            "apiVersion": api_version,
            "kind": "X",
            "data": {"limits": "1.0"},
            "spec": {"limits": {"version": "1"}},
        }
        present = copy.deepcopy(desired)
        assert difference(owned, desired, present) is None
        present["data"]["limits"] = "1"
        assert difference(owned, desired, present) == ".data.limits"
    present = {
        **present,
        "apiVersion": "karpenter.sh/v1",
        "data": {"limits": "1.0"},
        "spec": {"limits": {"version": "1.0"}},
    }
    assert difference(owned, desired, present) == ".spec.limits.version"


def test_numbers_booleans_and_text_are_different_things() -> None:
    owned = {"f:spec": {"f:a": {}}}
    for desired, present in ((1, True), (1, "1"), (True, "true"), (0, False)):
        left = {"apiVersion": "x.io/v1", "kind": "X", "spec": {"a": desired}}
        right = {"apiVersion": "x.io/v1", "kind": "X", "spec": {"a": present}}
        assert difference(owned, left, right) == ".spec.a"


def test_a_key_that_fits_two_entries_is_left_to_the_server() -> None:
    owned = {
        "f:spec": {"f:ports": {'k:{"port":1,"protocol":"TCP"}': {".": {}}, 'k:{"port":1,"protocol":"UDP"}': {".": {}}}}
    }
    ports = [{"port": 1}, {"port": 1, "protocol": "UDP"}]
    desired = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": ports}}
    assert difference(owned, desired, copy.deepcopy(desired)) is not None


def test_owned_fields_are_those_of_our_apply_in_the_same_version() -> None:
    for change in (
        {"operation": "Update"},
        {"manager": "x"},
        {"subresource": "status"},
        {"apiVersion": "apps/v1beta1"},
    ):
        present = live()
        present["metadata"]["managedFields"][1].update(change)
        assert owned_fields(present, "llmfleet") is None


def test_paths_read_as_in_conflicts() -> None:
    paths = set(owned_paths(OWNED))
    assert '.spec.template.spec.containers[name="main"].image' in paths
    assert '.spec.template.spec.containers[name="main"].ports[containerPort=8000,protocol="TCP"]' in paths
    assert list(owned_paths({"f:metadata": {"f:finalizers": {'v:"a/b"': {}}}})) == ['.metadata.finalizers[="a/b"]']


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        (1, 1),
        ("500m", "0.5"),
        ("1Gi", 2**30),
        ("1.5Gi", 3 * 2**29),
        ("1e3", 1000),
        ("1E", 10**18),
        ("2k", 2000),
        ("-1", -1),
        ("10n", "1e-8"),
        ("0", 0),
    ],
)
def test_quantities(text: Any, value: Any) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "1 Gi", "Gi", "1g", "0x1", None, True, [1], "1Ki2"])
def test_what_is_no_quantity(text: Any) -> None:
    assert parse_quantity(text) is None


class Tagged(str):
    """Text as a template engine may hand it over."""


SAMPLES = [
    *(None, True, False, 0, 1, 2, 0.0, -0.0, 1.0, 1.5, "", "1", "true", Tagged("1"), [], {}),
    *([1], [True], [1, 2], [2, 1], {"a": 1}, {"a": 1.0}, {"a": None}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {"b": 1}),
]


@pytest.mark.parametrize("left", SAMPLES, ids=repr)
@pytest.mark.parametrize("right", SAMPLES, ids=repr)
def test_same_is_equal_as_json(left: Any, right: Any) -> None:
    assert same(left, right) == (json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True))
    assert same({"a": [left]}, {"a": [right]}) == same(left, right)
