# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model that is taken off the list: exactly its objects go, and its weights stay."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from llmfleet_lab.cloud import buckets
from llmfleet_lab.paths import Paths

from tests.lab.conftest import Playbook
from tests.lab.kit import Writes, recap
from tests.lab.snapshot import differences, owned

pytestmark = pytest.mark.full


@pytest.fixture
def two_models(stand_in: list[str], tmp_path: Path) -> list[str]:
    """Arguments that give the lab a second model beside the first, with the stand-in engine too."""
    models = json.loads(Path(stand_in[1].removeprefix("@")).read_text())
    second = copy.deepcopy(models["llmfleet_models"][0])
    second["name"] = "second"
    models["llmfleet_models"].append(second)
    path = tmp_path / "models.json"
    path.write_text(json.dumps(models))
    return ["-e", f"@{path}"]


def test_exactly_the_objects_of_a_removed_model_go(
    playbook: Playbook, stand_in: list[str], two_models: list[str], paths: Paths
) -> None:
    one = playbook("site", *stand_in)
    assert one.returncode == 0, one.stdout[-6000:]
    before = owned(paths)
    both = playbook("site", *two_models)
    assert both.returncode == 0, both.stdout[-6000:]
    added = set(owned(paths)) - set(before)
    assert {"Deployment", "Service", "HTTPRoute", "ServiceAccount", "Job"} <= {name.split()[0] for name in added}

    since = Writes(paths)
    checked = playbook("site", "--check", "--diff", *stand_in)
    assert checked.returncode == 0, checked.stdout[-6000:]
    assert since.kubernetes() == [] and "second: would be taken away" in checked.stdout

    removed = playbook("site", *stand_in)
    assert removed.returncode == 0, removed.stdout[-6000:]
    assert "second: taken away; the weights stay in the bucket" in removed.stdout.replace("\n", " ")
    assert differences(before, owned(paths)) == []
    (bucket,) = [folder for folder in buckets(paths).iterdir() if folder.name.endswith("-weights")]
    assert list((bucket / "models/second").rglob("ledger.json"))

    since = Writes(paths)
    again = playbook("site", *stand_in)
    assert recap(again.stdout)["changed"] == 0 and since.kubernetes() == []
