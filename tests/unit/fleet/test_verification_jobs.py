# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jobs that read weights in the bucket again."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.applyset import MEMBER_LABEL
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_verification import verification
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import known_on_disk

ADAPTER = {"name": "sql", "repository": "o/sql", "revision": "a" * 40, "token_secret": "hf"}


def test_a_job_for_every_revision_without_volume_and_token(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0]["adapters"] = [ADAPTER]
    variables["llmfleet_models"][0]["weights"]["token_secret"] = "hf"
    found = verification(fleet_of(variables), known_on_disk(), "1")
    assert [fetch.name for fetch in found.jobs.values()] == ["qwen", "sql"]
    jobs = {obj["metadata"]["name"]: obj for obj in found.objects if obj["kind"] == "Job"}
    assert list(jobs) == list(found.jobs)
    for name, job in jobs.items():
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert container["command"] == ["python3", "-m", "fetcher", "verify"] and "initContainers" not in pod
        # It reads the bucket: neither the mount nor the hub's token is needed.
        assert {volume["name"] for volume in pod["volumes"]} == {"package", "tmp"}
        assert "HF_TOKEN" not in json.dumps(job) and pod["serviceAccountName"] == "weights-fetcher"
        settings = {item["name"]: item["value"] for item in container["env"]}
        assert json.loads(settings["LLMFLEET_WEIGHTS"])["prefix"] == f"models/{found.jobs[name].folder}"
        # A file that differs will differ again.
        assert 5 in job["spec"]["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"]


def test_account_and_package_are_those_of_the_fetcher(variables: Any, fleet_of: Any) -> None:
    known = known_on_disk()
    fleet = fleet_of(variables)
    wanted = [entry["object"] for entry in desired(fleet, known).objects if entry["component"] == "weights"]
    for obj in verification(fleet, known, "1").objects:
        assert obj in wanted or obj["kind"] == "Job"
        # What a killed run leaves is pruned with the fetch jobs.
        assert obj["metadata"]["labels"][MEMBER_LABEL] == wanted[-1]["metadata"]["labels"][MEMBER_LABEL]


def test_each_run_has_jobs_of_its_own(variables: Any, fleet_of: Any) -> None:
    one, two = (verification(fleet_of(variables), known_on_disk(), run).jobs for run in ("1", "2"))
    assert not one.keys() & two.keys() and all(len(name) <= 63 for name in one)


def test_only_the_chosen_models(variables: Any, fleet_of: Any) -> None:
    second = {**variables["llmfleet_models"][0], "name": "second"}
    variables["llmfleet_models"].append(second)
    variables["llmfleet_only"] = "second"
    assert [f.name for f in verification(fleet_of(variables), known_on_disk(), "1").jobs.values()] == ["second"]
