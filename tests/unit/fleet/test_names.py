# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The longest names that are accepted make objects that Kubernetes accepts, and its controllers theirs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired

Object = dict[str, Any]
LONG = "m" + "x" * 38 + "y"
DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
# A rule each for the model, its adapters and what has no header: a route takes sixteen.
MOST_RULES = 16


@pytest.fixture
def found(variables: Any, fleet_of: Any, nodes: int) -> list[Object]:
    """The objects of a model with everything, all of it as long as it may be."""
    variables["llmfleet_cluster"]["name"] = "C" + "_" * 42 + "9"
    variables["llmfleet_bucket"] = "b" * 63
    variables["llmfleet_gpu_pools"][1]["gpu_count"] = 8
    # The first forty characters of all of them are the model's.
    adapters = [
        {"name": f"{LONG}{'-z' * 11}{number}", "repository": "o/n", "revision": "a" * 40} for number in range(8)
    ]
    peers = [{"podSelector": {}}]
    variables["llmfleet_models"][0] |= {
        "name": LONG,
        "gpu": {"pool": "lab", "count": 8, "nodes": nodes},
        "adapters": adapters,
        "scaling": {"min": 2, "max": 999},
        "network": {"extra_ingress": peers, "extra_egress": peers},
    }
    return [entry["object"] for entry in desired(fleet_of(variables), {}).objects]


def _labels(value: Any) -> list[tuple[str, str]]:
    """Every label of an object, also those of pods and selectors."""
    if isinstance(value, list):
        return [pair for each in value for pair in _labels(each)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in ("labels", "matchLabels") if isinstance(value.get(key), dict)]
    return [pair for labels in own for pair in labels.items()] + [
        pair for each in value.values() for pair in _labels(each)
    ]


@pytest.mark.parametrize("nodes", [1, 16])
def test_names_and_labels(found: list[Object]) -> None:
    of_model = [item for item in found if item["metadata"]["labels"].get("app.kubernetes.io/name") == LONG]
    assert len(of_model) > 16
    names = [(item["kind"], item["metadata"]["name"]) for item in of_model]
    assert len(set(names)) == len(names)
    for kind, name in names:
        assert DNS_LABEL.fullmatch(name), (kind, name)
    for item in found:
        for key, value in _labels(item):
            assert LABEL_VALUE.fullmatch(value), (item["kind"], key, value)
            assert len(key.rpartition("/")[2]) <= 63


@pytest.mark.parametrize("nodes", [1, 16])
def test_names_that_controllers_make_of_them(found: list[Object], nodes: int) -> None:
    kinds = {item["kind"]: item["metadata"]["name"] for item in found}
    derived = [f"keda-hpa-{kinds['ScaledObject']}"]
    if nodes == 1:
        # Replica set, pod.
        derived.append(f"{kinds['Deployment']}-{'f' * 10}-{'p' * 5}")
    else:
        # Of a group: its StatefulSet and Service, its last worker, and the label with the StatefulSet's revision.
        group = f"{kinds['LeaderWorkerSet']}-998"
        derived += [group, f"{group}-15", f"{group}-{'f' * 10}"]
    for name in derived:
        assert DNS_LABEL.fullmatch(name), name
    # The pods of Jobs have the Job's name as a label; their own names are cut by Kubernetes.
    assert all(len(item["metadata"]["name"]) <= 63 for item in found if item["kind"] == "Job")


@pytest.mark.parametrize("nodes", [1])
def test_a_route_has_room_for_every_adapter(found: list[Object]) -> None:
    routes = [item for item in found if item["kind"] == "HTTPRoute" and item["metadata"]["namespace"] == "llm"]
    (rules,) = [item["spec"]["rules"] for item in routes]
    assert len(rules) == 9 <= MOST_RULES
