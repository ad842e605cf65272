# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fetcher as the cluster gets it: a ConfigMap with every file of the package, mounted where the Job runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import FETCHER, known_on_disk

Object = dict[str, Any]


def _objects(fleet: Any, known: dict[str, str]) -> tuple[Object, Object]:
    """The ConfigMap of the package and the Job."""
    found = [entry["object"] for entry in desired(fleet, known).objects if entry["component"] == "weights"]
    (config,) = [item for item in found if item["kind"] == "ConfigMap" and "data" in item]
    (job,) = [item for item in found if item["kind"] == "Job"]
    return config, job


def test_every_file_is_delivered(variables: Any, fleet_of: Any) -> None:
    config, _job = _objects(fleet_of(variables), known_on_disk())
    assert set(config["data"]) == {path.name for path in FETCHER.iterdir() if path.name != "__pycache__"}
    # A ConfigMap holds at most a mebibyte.
    assert len(json.dumps(config)) < 256 * 1024


def test_what_is_delivered_runs(variables: Any, fleet_of: Any, tmp_path: Path) -> None:
    config, job = _objects(fleet_of(variables), known_on_disk())
    (check,) = job["spec"]["template"]["spec"]["containers"]
    (volume,) = [item["name"] for item in job["spec"]["template"]["spec"]["volumes"] if "configMap" in item]
    (mount,) = [item["mountPath"] for item in check["volumeMounts"] if item["name"] == volume]
    folder = tmp_path / mount.removeprefix("/")
    folder.mkdir(parents=True)
    for name, text in config["data"].items():
        (folder / name).write_text(text, encoding="utf-8")
    python, *arguments = check["command"]
    assert python == "python3"
    run = subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=tmp_path / check["workingDir"].removeprefix("/"),
        env={item["name"]: item["value"] for item in check["env"]} | {"LLMFLEET_WEIGHTS_WAIT_SECONDS": "0"},
        capture_output=True,
        text=True,
    )
    # It has begun its work, and found no mount.
    assert run.returncode == 6 and "ledger.json cannot be read" in run.stderr


@pytest.mark.parametrize("name", [path.name for path in FETCHER.iterdir() if path.suffix == ".py"])
def test_a_change_of_any_file_is_another_config_map_and_job(name: str, variables: Any, fleet_of: Any) -> None:
    known = known_on_disk()
    before = _objects(fleet_of(variables), known)
    after = _objects(fleet_of(variables), known | {f"weights/fetcher/{name}": "changed\n"})
    for one, other in zip(before, after, strict=True):
        assert one["metadata"]["name"] != other["metadata"]["name"]
