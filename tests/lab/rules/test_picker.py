# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real endpoint picker before two replicas of the stand-in engine, and a canary: answers, shares, removal."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths
from llmfleet_lab.tinymodel import LORA, LORA_RANK, REVISIONS

from tests.lab.asking import Gateway
from tests.lab.conftest import Playbook
from tests.lab.rules.conftest import models_as
from tests.lab.snapshot import owned

pytestmark = pytest.mark.full
CONFIRM = ("-e", "llmfleet_destroy_confirm=lab")
ADAPTER, WEIGHT, REQUESTS = "tiny-poet", 20, 400
KINDS = "deployments,services,inferencepools,inferencemodelrewrites,envoyextensionpolicies,backendtrafficpolicies"
# What a picker counts of its draws, by the model that it was asked for and the one that it has chosen.
DRAWN = re.compile(r"^inference_extension_model_rewrite_decisions_total\{(.*)\} ([0-9.e+]+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def two_replicas(stand_in_model: dict[str, Any]) -> dict[str, Any]:
    """The model without settings of the gateway: two replicas and an adapter."""
    adapter = {"name": ADAPTER, "repository": LORA, "revision": REVISIONS[LORA]}
    scaling = {"min": 2, "max": 2}
    return {**stand_in_model, "adapters": [adapter], "adapters_max_rank": LORA_RANK, "scaling": scaling}


@pytest.fixture(scope="module", autouse=True)
def from_nothing_to_nothing(
    playbook: Playbook, two_replicas: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, paths: Paths
) -> Iterator[None]:
    """The model with a canary, made on a cluster where nothing is owned; other tests find it so again."""
    if owned(paths):
        assert playbook("destroy", *CONFIRM).returncode == 0
    picked = {**two_replicas, "gateway": {"canaries": [{"adapter": ADAPTER, "weight": WEIGHT}]}}
    done = playbook("site", *models_as(tmp_path_factory.mktemp("picker") / "models.json", picked))
    assert done.returncode == 0, done.stdout[-6000:]
    yield
    assert playbook("destroy", *CONFIRM).returncode == 0


def _draws(kubectl: Kubectl, name: str) -> Counter[str]:
    """How many requests the pickers have sent to each name."""
    select = ("-l", f"app.kubernetes.io/name={name},app.kubernetes.io/component=picker")
    pods = json.loads(kubectl.run("get", "pods", "-n", "llm", *select, "-o", "json"))["items"]
    found: Counter[str] = Counter()
    for pod in pods:
        path = f"/api/v1/namespaces/llm/pods/{pod['metadata']['name']}:9090/proxy/metrics"
        for labels, value in DRAWN.findall(kubectl.run("get", "--raw", path)):
            target = re.search(r'target_model="([^"]*)"', labels)
            assert target is not None, labels
            found[target[1]] += int(float(value))
    return found


def test_the_share_of_the_canary(kubectl: Kubectl, paths: Paths, two_replicas: dict[str, Any]) -> None:
    gateway, name = Gateway.of(kubectl, paths), two_replicas["name"]
    before = _draws(kubectl, name)
    for _ in range(REQUESTS):
        assert gateway.complete(name, max_tokens=1)["model"] == name
    drawn = _draws(kubectl, name) - before
    assert sum(drawn.values()) == REQUESTS
    expected = REQUESTS * WEIGHT / 100
    assert abs(drawn[ADAPTER] - expected) < 3.29 * math.sqrt(expected * (1 - WEIGHT / 100)), drawn


def test_without_the_setting_it_is_gone_and_requests_are_answered(
    kubectl: Kubectl, paths: Paths, playbook: Playbook, two_replicas: dict[str, Any], tmp_path: Path
) -> None:
    done = playbook("models", *models_as(tmp_path / "models.json", two_replicas))
    assert done.returncode == 0, done.stdout[-6000:]
    found = kubectl.run("get", KINDS, "-n", "llm", "-o", "name").split()
    assert sorted(found) == sorted([f"deployment.apps/{two_replicas['name']}", f"service/{two_replicas['name']}"])
    assert Gateway.of(kubectl, paths).complete(two_replicas["name"], max_tokens=1)["model"] == two_replicas["name"]
