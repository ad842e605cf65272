# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform with the stand-in engine: what is held here is everything around the engine."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.conftest import ROOT


@pytest.fixture(scope="session")
def lab_model() -> dict[str, Any]:
    """The model of the lab's inventory."""
    inventory = yaml.safe_load((ROOT / "inventories/lab/host_vars/lab/fleet.yml").read_text())
    found: dict[str, Any] = inventory["llmfleet_models"][0]
    return found


@pytest.fixture(scope="session")
def stand_in_model(lab_model: dict[str, Any]) -> dict[str, Any]:
    """The lab's model with the stand-in engine, which starts in a second."""
    model = copy.deepcopy(lab_model)
    model["engine"] = {"context_length": 1024, "env": {"LLMFLEET_LAB_ENGINE": "stand-in"}}
    model["resources"] = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
    return model


@pytest.fixture(scope="session")
def stand_in(stand_in_model: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments of a playbook that give the lab this model alone."""
    return models_as(tmp_path_factory.mktemp("stand-in") / "models.json", stand_in_model)


def models_as(path: Path, *models: dict[str, Any]) -> list[str]:
    """Write models to a file; return the arguments of a playbook that give the lab these and no others."""
    path.write_text(json.dumps({"llmfleet_models": models}))
    return ["-e", f"@{path}"]
