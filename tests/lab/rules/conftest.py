# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform with the stand-in engine: what is held here is everything around the engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.lab.conftest import ROOT


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments of a playbook that give the lab's model the stand-in engine, which starts in a second."""
    inventory = yaml.safe_load((ROOT / "inventories/lab/host_vars/lab/fleet.yml").read_text())
    model = inventory["llmfleet_models"][0]
    model["engine"] = {"context_length": 1024, "env": {"LLMFLEET_LAB_ENGINE": "stand-in"}}
    model["resources"] = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
    path: Path = tmp_path_factory.mktemp("stand-in") / "models.json"
    path.write_text(json.dumps({"llmfleet_models": [model]}))
    return ["-e", f"@{path}"]
