# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two models at once with the real engine, one of them with an adapter: each is asked by name through the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths
from llmfleet_lab.tinymodel import LIMITED, LORA, LORA_RANK, REVISIONS

from tests.lab.asking import Gateway
from tests.lab.conftest import Playbook
from tests.lab.kit import Writes, recap
from tests.lab.rules.conftest import models_as
from tests.lab.snapshot import owned

pytestmark = pytest.mark.full
CONFIRM = ("-e", "llmfleet_destroy_confirm=lab")
SECOND, ADAPTER = "tiny-second", "tiny-poet"
PROMPTS = ("A fleet of models", "The gateway sends a question", "0123456789")


@pytest.fixture(scope="module")
def fleet(lab_model: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments of a playbook that give the lab two models, the first one with an adapter."""
    adapter = {"name": ADAPTER, "repository": LORA, "revision": REVISIONS[LORA]}
    first = {**lab_model, "adapters": [adapter], "adapters_max_rank": LORA_RANK}
    # The same files from another repository, which answers 429 now and then.
    second = {**lab_model, "name": SECOND, "weights": {"repository": LIMITED, "revision": REVISIONS[LIMITED]}}
    return models_as(tmp_path_factory.mktemp("fleet") / "models.json", first, second)


@pytest.fixture(scope="module", autouse=True)
def from_nothing_to_nothing(playbook: Playbook, fleet: list[str], paths: Paths) -> Iterator[None]:
    """The two models, made on a cluster where nothing is owned; other tests find it so again."""
    if owned(paths):
        assert playbook("destroy", *CONFIRM).returncode == 0
    done = playbook("site", *fleet)
    assert done.returncode == 0, done.stdout[-6000:]
    yield
    assert playbook("destroy", *CONFIRM).returncode == 0


@pytest.fixture
def gateway(kubectl: Kubectl, paths: Paths) -> Gateway:
    """The gateway's Service."""
    return Gateway.of(kubectl, paths)


def texts(gateway: Gateway, name: str) -> list[str]:
    """What a model or adapter says to each prompt; it must say so in its own name."""
    answers = [gateway.complete(name, prompt, max_tokens=12) for prompt in PROMPTS]
    assert {answer["model"] for answer in answers} == {name}
    assert all(answer["usage"]["completion_tokens"] > 0 for answer in answers)
    return [answer["choices"][0]["text"] for answer in answers]


def test_each_is_answered_by_its_name(gateway: Gateway, lab_model: dict[str, Any]) -> None:
    base = texts(gateway, lab_model["name"])
    assert texts(gateway, lab_model["name"]) == base, "the comparison with the adapter would mean nothing"
    assert len(texts(gateway, SECOND)) == len(PROMPTS)
    with_adapter = texts(gateway, ADAPTER)
    assert all(one != other for one, other in zip(base, with_adapter, strict=True)), "the adapter changes nothing"


def test_an_adapter_is_not_a_workload_of_its_own(kubectl: Kubectl, lab_model: dict[str, Any]) -> None:
    names = kubectl.run("get", "deployments", "-n", "llm", "-o", "jsonpath={.items[*].metadata.name}").split()
    assert sorted(names) == sorted([lab_model["name"], SECOND])


def test_then_nothing_is_left_to_do(playbook: Playbook, fleet: list[str], paths: Paths) -> None:
    since = Writes(paths)
    done = playbook("site", *fleet)
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 0
    assert since.kubernetes() == [] and since.aws() == []
