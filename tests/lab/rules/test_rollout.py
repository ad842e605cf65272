# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of models that serve: a release that fails is taken back, a rolling one cuts no stream."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths

from tests.lab.asking import Gateway, Readers
from tests.lab.conftest import Playbook
from tests.lab.kit import Writes, recap
from tests.lab.rules.conftest import models_as
from tests.lab.snapshot import owned

pytestmark = pytest.mark.full
CONFIRM = ("-e", "llmfleet_destroy_confirm=lab")
# vLLM's parser takes any number from one on; its engine wants room for a token of every sequence (64 by default).
REFUSED = "--max-num-batched-tokens=1"
REASON = "max_num_batched_tokens (1) must be greater than or equal to max_num_seqs (64)"
# Seconds that a replica goes on serving after it was told to end, and seconds of a stream: some outlast the former.
LEAVING = 15
TOKENS, TOKEN_SECONDS = 160, 0.25


@pytest.fixture(scope="module", autouse=True)
def from_nothing_to_nothing(playbook: Playbook, paths: Paths) -> Iterator[None]:
    """Other tests find the lab as it was."""
    if owned(paths):
        assert playbook("destroy", *CONFIRM).returncode == 0
    yield
    assert playbook("destroy", *CONFIRM).returncode == 0


def changed(model: dict[str, Any], strategy: str, *extra_args: str, **more: Any) -> dict[str, Any]:
    """A model with a strategy, arguments of the engine, and other fields."""
    found = {**copy.deepcopy(model), "rollout": {"strategy": strategy}, **more}
    found["engine"]["extra_args"] = list(extra_args)
    return found


def pods(kubectl: Kubectl, model: str) -> dict[str, dict[str, Any]]:
    """Name -> metadata of a model's engine pods, those that are told to end among them."""
    label = f"app.kubernetes.io/name={model},app.kubernetes.io/component=inference"
    listed = json.loads(kubectl.run("get", "pods", "-n", "llm", "-l", label, "-o", "json"))
    return {item["metadata"]["name"]: item["metadata"] for item in listed["items"]}


@pytest.mark.parametrize(("strategy", "ending"), [("recreate", "serves again"), ("rolling", "still serves")])
def test_a_release_that_the_engine_refuses_is_taken_back(
    playbook: Playbook,
    kubectl: Kubectl,
    paths: Paths,
    stand_in_model: dict[str, Any],
    tmp_path: Path,
    strategy: str,
    ending: str,
) -> None:
    second = {**stand_in_model, "name": "second"}
    good = models_as(tmp_path / "good.json", changed(stand_in_model, strategy), changed(second, strategy))
    done = playbook("site", *good)
    assert done.returncode == 0, done.stdout[-6000:]
    name, gateway = stand_in_model["name"], Gateway.of(kubectl, paths)
    before = set(pods(kubectl, name))

    both = changed(stand_in_model, strategy, REFUSED), changed(second, strategy, "--seed=7")
    bad = models_as(tmp_path / "bad.json", *both)
    done = playbook("site", *bad)
    told = " ".join(done.stdout.split())
    assert done.returncode != 0 and recap(done.stdout)["failed"] == 1, done.stdout[-6000:]
    assert f"Deployment llm/{name}: pod {name}-" in told
    assert f"tried: container vllm: arguments with {REFUSED}" in told
    assert REASON in told
    assert "it went back to revision" in told and f"the last release that served, which {ending}" in told
    assert "Deployment llm/second:" not in told
    for model in (name, "second"):
        assert gateway.complete(model, "one two")["choices"][0]["text"] == "one two"
    if strategy == "rolling":
        assert before <= set(pods(kubectl, name)), "the old replica was ended"
    arguments = ("-n", "llm", "-o", "jsonpath={.spec.template.spec.containers[0].args}")
    assert REFUSED not in kubectl.run("get", "deployment", name, *arguments)
    assert "--seed=7" in kubectl.run("get", "deployment", "second", *arguments)

    since = Writes(paths)
    done = playbook("site", "--check", "--diff", *bad)
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 1 and f"+ - {REFUSED}" in " ".join(done.stdout.split())
    assert since.kubernetes() == []
    again = playbook("site", *bad)
    assert again.returncode != 0 and REASON in " ".join(again.stdout.split()), "a bad description was called fine"

    since = Writes(paths)
    done = playbook("site", *models_as(tmp_path / "back.json", changed(stand_in_model, strategy), both[1]))
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 0 and since.kubernetes() == [], "the old release is not ours as it was"


def test_a_model_that_never_served_is_left_with_its_reason(
    playbook: Playbook, kubectl: Kubectl, stand_in_model: dict[str, Any], tmp_path: Path
) -> None:
    new = {**changed(stand_in_model, "rolling", REFUSED), "name": "never"}
    done = playbook("site", *models_as(tmp_path / "models.json", changed(stand_in_model, "rolling"), new))
    told = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "Deployment llm/never: pod never-" in told and REASON in told
    assert "it is left as it is: no release of it has served before" in told
    assert len(pods(kubectl, "never")) == 1


class Watch(threading.Thread):
    """Looks for pods of a model that are told to end, until it is stopped; ending: pod -> epoch seconds."""

    def __init__(self, kubectl: Kubectl, model: str) -> None:
        super().__init__(daemon=True)
        self.ending: dict[str, float] = {}
        self._kubectl, self._model = kubectl, model
        self._stop_now = threading.Event()

    def run(self) -> None:
        """Look every second."""
        while not self._stop_now.wait(1.0):
            for name, metadata in pods(self._kubectl, self._model).items():
                if metadata.get("deletionTimestamp"):
                    self.ending.setdefault(name, time.time())

    def stop(self) -> None:
        """Look no more."""
        self._stop_now.set()
        self.join()


def test_a_rolling_change_cuts_no_stream(
    playbook: Playbook, kubectl: Kubectl, paths: Paths, stand_in_model: dict[str, Any], tmp_path: Path
) -> None:
    slow = copy.deepcopy(stand_in_model)
    slow["engine"]["env"]["LLMFLEET_LAB_TOKEN_SECONDS"] = str(TOKEN_SECONDS)
    two = {"scaling": {"min": 2, "max": 2}}
    done = playbook("site", *models_as(tmp_path / "before.json", changed(slow, "rolling", **two)))
    assert done.returncode == 0, done.stdout[-6000:]
    name = slow["name"]
    old = {pod for pod, metadata in pods(kubectl, name).items() if not metadata.get("deletionTimestamp")}
    assert len(old) == 2

    watch = Watch(kubectl, name)
    readers = Readers(Gateway.of(kubectl, paths), name, TOKENS, most=30)
    watch.start()
    readers.start(12, apart=3.3)
    try:
        time.sleep(TOKENS * TOKEN_SECONDS)
        done = playbook("site", *models_as(tmp_path / "after.json", changed(slow, "rolling", "--seed=7", **two)))
        until = time.monotonic() + 180
        while old & set(pods(kubectl, name)) and time.monotonic() < until:
            time.sleep(1)
    finally:
        readers.stop()
        watch.stop()
    assert done.returncode == 0, done.stdout[-6000:]
    new = set(pods(kubectl, name))
    assert len(new) == 2 and not old & new, "the old replicas have not ended"
    assert readers.failures == []
    assert all(stream.tokens == TOKENS and len(stream.pods) == 1 for stream in readers.streams)
    served = {pod for stream in readers.streams for pod in stream.pods}
    assert served == old | new, "not every replica was asked"
    # Without these the test would pass also if the engine cut what runs at its end.
    outlasting = [
        stream
        for stream in readers.streams
        for pod in stream.pods & old
        if stream.began < watch.ending[pod] and stream.ended > watch.ending[pod] + LEAVING + 1
    ]
    assert outlasting, "no stream ran on when its replica was told to end"
