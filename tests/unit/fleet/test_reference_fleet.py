# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference fleet, object by object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.engine_args import engine_args

from tests.unit.fleet import reference
from tests.unit.fleet.reference import ADAPTERS, MODEL_LABEL, NAMES, entries, without_digest
from tests.unit.fleet.test_engine_arguments import problems

# Of every model, in the order in which they are applied.
FETCH = [("Job", "{0}-weights-<digest>")]
SERVE = [("ServiceAccount", "{0}"), ("Deployment", "{0}"), ("Service", "{0}"), ("HTTPRoute", "{0}")]
WATCH = [("VMPodScrape", "{0}"), ("VMRule", "{0}")]
SCALE = [("ScaledObject", "{0}")]
ADAPT = [("Job", f"{name}-adapter-<digest>") for name in ADAPTERS]
# The canary of qwen-coder is left out: it brings the objects of an endpoint picker (test_picker.py).
OBJECTS = {
    "qwen-coder": [*FETCH, *ADAPT, *SERVE, *SCALE, *WATCH],
    "qwen3-8b": [*FETCH, *SERVE, *SCALE, *WATCH],
    # One replica, always: nothing scales it.
    "qwen-coder-fim": [*FETCH, *SERVE, *WATCH],
    "llamaguard3-1b": [*FETCH, *SERVE, *SCALE, *WATCH],
}
# Once a fleet, whatever its models are.
SHARED = {
    "storage": [
        ("Namespace", "llm"),
        ("ConfigMap", "llmfleet-storage-namespaces"),
        ("NetworkPolicy", "default-deny"),
        ("NetworkPolicy", "allow-dns"),
        ("NetworkPolicy", "allow-gateway-to-models"),
        ("NetworkPolicy", "allow-scraper-to-models"),
        ("NetworkPolicy", "allow-fetcher-to-hub-and-s3"),
        ("StorageClass", "weights"),
        ("PersistentVolume", "reference-weights"),
        ("PersistentVolumeClaim", "weights"),
    ],
    "nodes": [
        ("ConfigMap", "llmfleet-nodes-gpu-nodes"),
        ("RuntimeClass", "nvidia"),
        ("EC2NodeClass", "l4-large"),
        ("NodePool", "l4-large"),
        ("EC2NodeClass", "l4"),
        ("NodePool", "l4"),
    ],
    "gateway": [
        ("Namespace", "llm-gateway"),
        ("ConfigMap", "llmfleet-gateway-namespaces"),
        ("NetworkPolicy", "default-deny"),
        ("NetworkPolicy", "allow-dns"),
        ("NetworkPolicy", "allow-envoy"),
        ("NetworkPolicy", "allow-body-router"),
        ("NetworkPolicy", "allow-controller"),
        ("NetworkPolicy", "allow-certificates-job"),
        ("ConfigMap", "llmfleet-gateway-envoy-gateway"),
        ("GatewayClass", "llmfleet"),
        ("EnvoyProxy", "llm-gateway"),
        ("ServiceAccount", "body-router"),
        ("Deployment", "body-router"),
        ("Service", "body-router"),
        ("PodDisruptionBudget", "body-router"),
        ("Gateway", "llm-gateway"),
        ("SecurityPolicy", "llm-gateway"),
        ("SecurityPolicy", "llm-gateway-models"),
        ("ClientTrafficPolicy", "llm-gateway"),
        ("EnvoyExtensionPolicy", "llm-gateway"),
        ("BackendTrafficPolicy", "llm-gateway"),
        ("HTTPRouteFilter", "llm-gateway-hop"),
        ("HTTPRouteFilter", "llm-gateway-models"),
        ("HTTPRouteFilter", "llm-gateway-unknown-path"),
        ("HTTPRouteFilter", "llm-gateway-unknown-model"),
        ("HTTPRoute", "llm-gateway"),
        ("HTTPRoute", "llm-gateway-unknown-model"),
        ("Secret", "llm-api-keys"),
        ("Secret", "llm-gateway-hop"),
    ],
    "models": [
        ("ConfigMap", "llmfleet-models-weights"),
        ("ServiceAccount", "weights-fetcher"),
        ("ConfigMap", "weights-fetcher-<digest>"),
        ("ConfigMap", "llmfleet-models-models"),
    ],
}


def _names(chosen: Callable[[Any], bool]) -> list[tuple[str, str]]:
    found = [entry["object"] for entry in entries(reference.description()) if chosen(entry)]
    return [(item["kind"], without_digest(item["metadata"]["name"])) for item in found]


def _model_of(entry: Any) -> str | None:
    return entry["object"]["metadata"]["labels"].get(MODEL_LABEL)  # type: ignore[no-any-return]


@pytest.mark.parametrize("model", NAMES)
def test_the_objects_of_a_model(model: str) -> None:
    wanted = [(kind, name.format(model)) for kind, name in OBJECTS[model]]
    assert _names(lambda entry: _model_of(entry) == model) == wanted
    # All of them: models.yml applies this layer and no other.
    assert {entry["layer"] for entry in entries(reference.description()) if _model_of(entry) == model} == {"models"}


@pytest.mark.parametrize("layer", SHARED)
def test_what_there_is_once(layer: str) -> None:
    assert _names(lambda entry: _model_of(entry) is None and entry["layer"] == layer) == SHARED[layer]


def test_nothing_else() -> None:
    found = entries(reference.description())
    assert {_model_of(entry) for entry in found} == {*NAMES, None}
    assert {entry["layer"] for entry in found if _model_of(entry) is None} == set(SHARED)
    assert len(found) == sum(map(len, OBJECTS.values())) + sum(map(len, SHARED.values())) == 82


def test_the_fleet_can_be_scaled_to_its_most() -> None:
    assert describe(reference.description()).warnings == ()


@pytest.mark.parametrize("number", range(4), ids=NAMES)
def test_the_pinned_engine_takes_the_arguments(number: int) -> None:
    model = describe(reference.description()).models[number]
    assert model.name == NAMES[number] and problems(engine_args(model)) == []


def test_models_and_adapters_are_asked_by_their_names() -> None:
    routes = reference.manifests(reference.description(), "HTTPRoute")
    named = [
        [match["headers"][0]["value"] for rule in route["spec"]["rules"] for match in rule["matches"]]
        for route in routes
        if route["metadata"]["namespace"] == "llm"
    ]
    assert named == [["qwen-coder", *ADAPTERS], ["qwen3-8b"], ["qwen-coder-fim"], ["llamaguard3-1b"]]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("specialties", ["code"]),
    ],
)
def test_what_is_left_out_is_refused_and_not_ignored(path: str, value: Any, errors: Any) -> None:
    variables = reference.description()
    variables["llmfleet_models"][0][path] = value
    (line,) = errors(variables)
    assert line.startswith(f"llmfleet_models[0] (qwen-coder).{path}") and "not yet built" in line
