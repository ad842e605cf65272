# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small fleet that is right, and helpers to change one thing of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet

from tests.unit.fleet.bad_descriptions import COMMIT, GOOD

Variables = dict[str, Any]
Object = dict[str, Any]


@pytest.fixture
def commit() -> str:
    """A commit."""
    return COMMIT


@pytest.fixture
def variables() -> Variables:
    """A production-like fleet: a Karpenter pool of L4s, a static pool and one model."""
    return copy.deepcopy(GOOD)


@pytest.fixture
def errors() -> Callable[[Variables], list[str]]:
    """The lines that a description fails with, [] when it does not."""

    def run(variables: Variables) -> list[str]:
        try:
            describe(variables)
        except DescriptionErrors as found:
            return found.lines
        return []

    return run


@pytest.fixture
def fleet_of() -> Callable[[Variables], Fleet]:
    """The fleet of a description that is right."""
    return describe


@pytest.fixture
def put() -> Callable[[dict[str, Any], str, Any], dict[str, Any]]:
    """A copy of an item with the value at a dotted path replaced."""

    def run(item: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
        result = copy.deepcopy(item)
        place = result
        *groups, last = path.split(".")
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
        return result

    return run


@pytest.fixture
def objects(variables: Variables, fleet_of: Callable[[Variables], Fleet]) -> Callable[..., dict[str, Object]]:
    """Objects of the models layer by 'kind/name'."""

    def run(script: str = "print()\n") -> dict[str, Object]:
        found = desired(fleet_of(variables), {"weights/fetcher/__main__.py": script}).objects
        models = [entry["object"] for entry in found if entry["layer"] == "models"]
        return {f"{item['kind']}/{item['metadata']['name']}": item for item in models}

    return run
