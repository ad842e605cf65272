# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of docs/objects.md is what models become."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet, Model

from tests.unit.fleet import reference
from tests.unit.fleet.boundaries import ROOT, all_of_them
from tests.unit.fleet.reference import MODEL_LABEL, entries, without_digest

Case = Callable[[Fleet, Model], bool]
PAGE = ROOT / "docs" / "objects.md"
HEAD = "| when | kind | name | why it is there |"


def _watched_by(monitoring: str) -> Case:
    return lambda fleet, model: fleet.platform["monitoring"] == monitoring


def _alerts_by(monitoring: str) -> Case:
    return lambda fleet, model: _watched_by(monitoring)(fleet, model) and model.get("alerts.enabled")


def _picked(model: Model) -> bool:
    return bool(model.get("gateway.endpoint_picker") or model.get("gateway.canaries"))


# What the words of the first column mean.
CASES: dict[str, Case] = {
    "always": lambda fleet, model: True,
    "per adapter": lambda fleet, model: bool(model.get("adapters")),
    "`gpu.nodes` is 1": lambda fleet, model: model.get("gpu.nodes") == 1,
    "`gpu.nodes` above 1": lambda fleet, model: model.get("gpu.nodes") > 1,
    "`network` is given": lambda fleet, model: any(model.get("network").values()),
    "`scaling.min` of 2 or more, unless `availability.do_not_disrupt` is false": lambda fleet, model: (
        model.get("scaling.min") >= 2 and model.get("availability.do_not_disrupt")
    ),
    "unless `gateway.enabled` is false": lambda fleet, model: model.get("gateway.enabled"),
    "`gateway.endpoint_picker` or `gateway.canaries`": lambda fleet, model: _picked(model),
    "`gateway.canaries`": lambda fleet, model: bool(model.get("gateway.canaries")),
    "`llmfleet_monitoring: prometheus_operator`, with a picker": lambda fleet, model: (
        _picked(model) and _watched_by("prometheus_operator")(fleet, model)
    ),
    "`llmfleet_monitoring: victoria_metrics`, with a picker": lambda fleet, model: (
        _picked(model) and _watched_by("victoria_metrics")(fleet, model)
    ),
    "`scaling.max` above `scaling.min`, or a `scaling.schedule`": lambda fleet, model: bool(
        model.get("scaling.max") > model.get("scaling.min") or model.get("scaling.schedule")
    ),
    "`llmfleet_monitoring: prometheus_operator`": _watched_by("prometheus_operator"),
    "`llmfleet_monitoring: victoria_metrics`": _watched_by("victoria_metrics"),
    "`llmfleet_monitoring: prometheus_operator`, unless `alerts.enabled` is false": _alerts_by("prometheus_operator"),
    "`llmfleet_monitoring: victoria_metrics`, unless `alerts.enabled` is false": _alerts_by("victoria_metrics"),
}


def _rows() -> list[list[str]]:
    """The rows of the table: when, kind, name, why."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines[lines.index(HEAD) + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def _wanted(fleet: Fleet, model: Model) -> set[tuple[str, str]]:
    """What the table says that a model becomes."""
    wanted = set()
    for when, kind, name, _why in _rows():
        if CASES[when](fleet, model):
            names = [name.strip("`").replace("<model>", model.name)]
            if "<adapter>" in name:
                names = [names[0].replace("<adapter>", adapter.name) for adapter in model.adapters]
            wanted |= {(kind, each) for each in names}
    return wanted


def _descriptions() -> dict[str, Any]:
    found = {**all_of_them(), "reference": reference.description()}
    for name in ("every value of a model", "reference"):
        for monitoring in ("none", "prometheus_operator", "victoria_metrics"):
            found[f"{name}, {monitoring}"] = {**copy.deepcopy(found[name]), "llmfleet_monitoring": monitoring}
    return found


@pytest.mark.parametrize("name", _descriptions())
def test_the_table_is_what_is_rendered(name: str) -> None:
    variables = _descriptions()[name]
    fleet = describe(variables)
    rendered: dict[str, set[tuple[str, str]]] = {model.name: set() for model in fleet.models}
    for entry in entries(variables):
        metadata = entry["object"]["metadata"]
        model = metadata["labels"].get(MODEL_LABEL)
        if model is not None:
            assert entry["layer"] == "models" and metadata["namespace"] == fleet.names.models_namespace
            rendered[model].add((entry["object"]["kind"], without_digest(metadata["name"])))
    for each in fleet.models:
        assert rendered[each.name] == _wanted(fleet, each), each.name


def test_every_row_is_seen_with_and_without() -> None:
    fleets = [describe(variables) for variables in _descriptions().values()]
    for when, kind, _name, why in _rows():
        seen = {CASES[when](fleet, model) for fleet in fleets for model in fleet.models}
        assert seen == ({True} if when == "always" else {True, False}), (when, kind)
        assert why
    assert {row[0] for row in _rows()} == set(CASES)


def test_how_many_they_are() -> None:
    variables = reference.description() | {"llmfleet_monitoring": "none"}
    fleets = describe(reference.description()), describe(variables)
    counts = {model.name: len(_wanted(fleet, model)) for fleet in fleets for model in fleet.models}
    assert counts["qwen-coder-fim"] == 5 and "five objects for a model with a fixed number" in PAGE.read_text("utf-8")
    counts = {model.name: len(_wanted(fleets[0], model)) for model in fleets[0].models}
    assert (counts["qwen3-8b"], counts["qwen-coder"]) == (8, 8 + 2) and "eight for one" in PAGE.read_text("utf-8")


def test_the_page_can_be_found() -> None:
    for page in ("README.md", "docs/models.md"):
        assert "objects.md)" in (ROOT / page).read_text(encoding="utf-8")
