# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""weights.source as a directory: one of a volume that is mounted into the fetch alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.aws_policies import fetcher_access

CLAIM = "llmfleet_weights_source_claim"
ADAPTER = {"name": "sql", "repository": "o/sql", "revision": "a" * 40}


def _pod(found: dict[str, Any], name: str = "qwen-weights") -> dict[str, Any]:
    (job,) = [item for key, item in found.items() if key.startswith(f"Job/{name}-")]
    return dict(job["spec"]["template"]["spec"])


def _fetch(pod: dict[str, Any]) -> dict[str, Any]:
    (fetch,) = [item for item in pod["initContainers"] if item["name"] == "fetch"]
    return dict(fetch)


@pytest.mark.parametrize(
    ("source", "seen"),
    [("/srv/mirror", "/sources/hub-mirror/srv/mirror"), ("/", "/sources/hub-mirror"), ("/m/", "/sources/hub-mirror/m")],
)
def test_the_volume_is_mounted_into_the_fetch_to_be_read(source: str, seen: str, variables: Any, objects: Any) -> None:
    variables["llmfleet_models"][0] |= {"adapters": [ADAPTER]}
    variables["llmfleet_models"][0]["weights"]["source"] = source
    variables[CLAIM] = "hub-mirror"
    found = objects()
    for name in ("qwen-weights", "sql-adapter"):
        pod = _pod(found, name)
        (volume,) = [item for item in pod["volumes"] if item["name"] == "source"]
        assert volume["persistentVolumeClaim"] == {"claimName": "hub-mirror", "readOnly": True}
        mount = {"name": "source", "mountPath": "/sources/hub-mirror", "readOnly": True}
        assert mount in _fetch(pod)["volumeMounts"]
        (check,) = pod["containers"]
        assert mount not in check["volumeMounts"]
        settings = next(item["value"] for item in _fetch(pod)["env"] if item["name"] == "LLMFLEET_WEIGHTS")
        assert json.loads(settings)["source"] == seen
    # No engine sees it.
    assert "hub-mirror" not in json.dumps(found["Deployment/qwen"])


def test_a_directory_is_nothing_of_s3(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0]["weights"]["source"] = "/srv/mirror"
    variables[CLAIM] = "hub-mirror"
    assert "srv" not in json.dumps(fetcher_access(fleet_of(variables)))


def test_models_of_other_sources_have_no_such_volume(variables: Any, objects: Any) -> None:
    second = json.loads(json.dumps(variables["llmfleet_models"][0])) | {"name": "second"}
    second["weights"]["source"] = "/srv/mirror"
    variables["llmfleet_models"].append(second)
    variables[CLAIM] = "hub-mirror"
    assert "hub-mirror" not in json.dumps(_pod(objects()))


def test_a_claim_that_nothing_reads_is_told(variables: Any, fleet_of: Any) -> None:
    variables[CLAIM] = "hub-mirror"
    (line,) = [line for line in fleet_of(variables).warnings if line.startswith(CLAIM)]
    assert line == f"{CLAIM}: got 'hub-mirror': drives nothing: no model has a directory as weights.source"


def test_a_bad_claim_is_told_once(variables: Any, errors: Any) -> None:
    variables["llmfleet_models"][0]["weights"]["source"] = "/srv/mirror"
    variables[CLAIM] = "Hub"
    (line,) = errors(variables)
    assert line.startswith(f"{CLAIM}: got 'Hub'")
