# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Describing and rendering grow with the number of models, and not with its square. Seconds: bench/render.py."""

from __future__ import annotations

import cProfile
import pstats

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import known_on_disk

from bench.render import fleet_variables


def calls(models: int, broken: bool) -> int:
    """Calls of functions that one fleet takes; broken: every model has an error, and nothing is rendered."""
    known = known_on_disk()
    variables = fleet_variables(models)
    for model in variables["llmfleet_models"] if broken else []:
        model["gateway"] = {"fallback": [{"model": "nosuch"}]}
    with cProfile.Profile() as profile:
        try:
            desired(describe(variables), known)
        except DescriptionErrors as errors:
            # Two a model: there is no such fallback, and none is built.
            assert broken and len(errors.lines) == 2 * models
            # In a large fleet no message names all of it.
            counted = f"accepted: one of the fleet's {models} models, other than itself"
            assert models <= 50 or errors.lines[1].endswith(counted)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


@pytest.mark.parametrize("broken", [False, True])
def test_twice_as_many_models_take_twice_as_many_steps(broken: bool) -> None:
    calls(10, broken)  # what is read once
    few, many, most = (calls(models, broken) for models in (100, 200, 400))
    # The second difference of a line is nothing; half of a hundredth allows for tables that grow by steps.
    assert abs((most - many) - 2 * (many - few)) < 0.005 * most, (few, many, most)
