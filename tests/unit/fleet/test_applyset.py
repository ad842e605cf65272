# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ApplySets that a fleet's objects are."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import applyset
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import SETS


def test_the_id_is_the_one_that_kubectl_computes() -> None:
    # base64url(sha256("<name>.<namespace>.<kind>.<group>")), worked out with openssl.
    assert (
        applyset.identifier("llmfleet-models-models", "llm")
        == "applyset-Z0IGN85OTB9qRPonVIv_zUUfrEgPXgE4a5umJqQ42jE-v1"
    )


def test_every_member_carries_the_id_of_its_parent_which_names_its_kind(variables: dict[str, Any]) -> None:
    entries = desired(describe(variables), {}).objects
    parents = {}
    for entry in entries:
        obj, place = entry["object"], (entry["layer"], entry["component"])
        if applyset.is_parent(obj):
            assert place not in parents
            parents[place] = obj
    assert {component for _layer, component in parents} == set(SETS)
    seen: dict[Any, set[str]] = {place: set() for place in parents}
    for entry in entries:
        obj, place = entry["object"], (entry["layer"], entry["component"])
        labels = obj["metadata"]["labels"]
        if entry["component"] not in SETS or applyset.is_parent(obj):
            assert applyset.MEMBER_LABEL not in labels
            continue
        parent = parents[place]["metadata"]
        assert labels[applyset.MEMBER_LABEL] == parent["labels"][applyset.ID_LABEL]
        assert applyset.identifier(parent["name"], parent["namespace"]) == labels[applyset.MEMBER_LABEL]
        seen[place].add(applyset.group_kind(obj))
    for place, kinds in seen.items():
        assert applyset.kinds_of(parents[place]) == kinds


def test_a_fleet_without_models_and_pools_has_sets_for_them_all_the_same(variables: dict[str, Any]) -> None:
    variables["llmfleet_models"] = []
    variables["llmfleet_gpu_pools"] = []
    entries = desired(describe(variables), {}).objects
    for component in ("models", "gpu_nodes"):
        (entry,) = [entry for entry in entries if entry["component"] == component]
        assert applyset.is_parent(entry["object"]) and applyset.kinds_of(entry["object"]) == set()


def test_a_parent_comes_after_its_namespace_and_before_its_members(variables: dict[str, Any]) -> None:
    seen: set[Any] = set()
    namespaces: set[str] = set()
    for entry in desired(describe(variables), {}).objects:
        obj = entry["object"]
        if obj["kind"] == "Namespace":
            namespaces.add(obj["metadata"]["name"])
        elif applyset.is_parent(obj):
            assert obj["metadata"]["namespace"] in namespaces
            seen.add((entry["layer"], entry["component"]))
        elif entry["component"] in SETS:
            assert (entry["layer"], entry["component"]) in seen
