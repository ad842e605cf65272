# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoint picker of a model, and shares of its requests for canaries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import LAST, wave
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired

from tests.unit.fleet.bad_descriptions import COMMIT

SQL = {"name": "sql", "repository": "o/sql", "revision": COMMIT}
Objects = dict[tuple[str, str], dict[str, Any]]


def _objects(variables: dict[str, Any], **model: Any) -> Objects:
    variables["llmfleet_models"][0] |= model
    made = [entry["object"] for entry in desired(describe(variables), {}).objects]
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in made}


def _name(variables: dict[str, Any]) -> str:
    return str(variables["llmfleet_models"][0]["name"])


def _allows(policy: dict[str, Any], direction: str, port: int) -> list[dict[str, Any]]:
    """The peers that a policy allows on a port."""
    side = "from" if direction == "ingress" else "to"
    rules = [r for r in policy["spec"][direction] if port in [p["port"] for p in r["ports"]]]
    return [peer for rule in rules for peer in rule[side]]


def test_without_it_there_is_none(variables: dict[str, Any]) -> None:
    assert not [name for _kind, name in _objects(variables) if name.endswith("-picker")]


def test_what_is_left_stays_with_the_base(variables: dict[str, Any]) -> None:
    name = _name(variables)
    made = _objects(variables, adapters=[SQL], gateway={"canaries": [{"adapter": "sql", "weight": 10}]})
    (rule,) = made["InferenceModelRewrite", name]["spec"]["rules"]
    assert rule["matches"] == [{"model": {"type": "Exact", "value": name}}]
    assert rule["targets"] == [{"modelRewrite": name, "weight": 90}, {"modelRewrite": "sql", "weight": 10}]
    assert ("Deployment", f"{name}-picker") in made


def test_no_pod_is_in_two_hands(variables: dict[str, Any]) -> None:
    name = _name(variables)
    made = _objects(variables, gateway={"endpoint_picker": True})
    replicas = made["Deployment", name]["spec"]["template"]["metadata"]["labels"]
    pickers = made["Deployment", f"{name}-picker"]["spec"]["template"]["metadata"]["labels"]

    def chosen(selector: dict[str, str], labels: dict[str, str]) -> bool:
        return selector.items() <= labels.items()

    pool = made["InferencePool", name]["spec"]["selector"]["matchLabels"]
    service = made["Service", f"{name}-picker"]["spec"]["selector"]
    assert chosen(pool, replicas) and not chosen(pool, pickers)
    assert chosen(service, pickers) and not chosen(service, replicas)
    assert not chosen(made["Service", name]["spec"]["selector"], pickers)


def test_of_several_nodes_the_leader_answers(variables: dict[str, Any]) -> None:
    name = _name(variables)
    made = _objects(variables, gpu={"pool": "l4", "nodes": 2}, gateway={"endpoint_picker": True})
    labels = made["InferencePool", name]["spec"]["selector"]["matchLabels"]
    assert labels["leaderworkerset.sigs.k8s.io/worker-index"] == "0"


@pytest.mark.parametrize(("adapters", "affine"), [([], False), ([SQL], True)])
def test_affinity_of_adapters_needs_adapters(variables: dict[str, Any], adapters: Any, affine: bool) -> None:
    made = _objects(variables, adapters=adapters, gateway={"endpoint_picker": True})
    (container,) = made["Deployment", f"{_name(variables)}-picker"]["spec"]["template"]["spec"]["containers"]
    (text,) = (arg.partition("=")[2] for arg in container["args"] if arg.startswith("--config-text="))
    config = json.loads(text)
    kinds = {plugin["type"] for plugin in config["plugins"]}
    assert {plugin["pluginRef"] for plugin in config["schedulingProfiles"][0]["plugins"]} <= kinds
    assert ("lora-affinity-scorer" in kinds) is affine


def test_the_route_is_led_there_last(variables: dict[str, Any]) -> None:
    made = _objects(variables, gateway={"endpoint_picker": True})
    last = {key for key, obj in made.items() if wave(obj) == LAST}
    name = _name(variables)
    assert last == {("EnvoyExtensionPolicy", name), ("BackendTrafficPolicy", name)}
    for key in last:
        assert ("Deployment", made[key]["metadata"]["annotations"]["llmfleet.io/after"]) in made
        assert ("HTTPRoute", made[key]["spec"]["targetRefs"][0]["name"]) in made


def test_every_hop_has_both_halves(variables: dict[str, Any]) -> None:
    variables["llmfleet_monitoring"] = "prometheus_operator"
    name = _name(variables)
    made = _objects(variables, gateway={"endpoint_picker": True})
    picker, envoy = made["NetworkPolicy", f"{name}-picker"], made["NetworkPolicy", "allow-envoy"]
    answers = made["NetworkPolicy", f"{name}-picker-to-model"]
    pickers, replicas = picker["spec"]["podSelector"], answers["spec"]["podSelector"]
    assert {"podSelector": replicas} in _allows(picker, "egress", 8000)
    assert {"podSelector": pickers} in _allows(answers, "ingress", 8000)
    assert [p["podSelector"] for p in _allows(picker, "ingress", 9002)] == [envoy["spec"]["podSelector"]]
    (to_pickers,) = _allows(envoy, "egress", 9002)
    assert to_pickers["podSelector"]["matchLabels"].items() <= pickers["matchLabels"].items()
    assert _allows(picker, "ingress", 9090) and _allows(picker, "egress", 443) and _allows(picker, "egress", 6443)


def test_a_name_that_the_picker_takes(variables: dict[str, Any], errors: Any) -> None:
    first = variables["llmfleet_models"][0] | {"gateway": {"endpoint_picker": True}}
    second = {**variables["llmfleet_models"][0], "name": f"{first['name']}-picker", "adapters": []}
    variables["llmfleet_models"] = [first, second]
    (line,) = errors(variables)
    assert line.endswith(f"also the endpoint picker of {first['name']}; accepted: another name")
