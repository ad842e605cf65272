# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit of the lab's model against what its running engine says in its log, and models.yml on a running platform."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths

from tests.lab.conftest import Playbook
from tests.lab.kit import Writes, recap
from tests.lab.snapshot import owned

MODEL = "tiny-llama"
# On a GPU the line begins with GPU. Two numbers: tokens in all, and those of a sequence.
LOGGED = re.compile(r"[CG]PU KV cache size: ([\d,]+) tokens, Maximum concurrency for ([\d,]+) tokens per request")
TOLD = re.compile(rf"{MODEL}: KV cache of ([\d,]+) tokens .*? sequences of ([\d,]+) at once")


@pytest.fixture(scope="module", autouse=True)
def platform(playbook: Playbook, paths: Paths) -> Iterator[None]:
    """The platform with the real engine; taken away again when there was none before."""
    was_there = bool(owned(paths))
    done = playbook("site")
    assert done.returncode == 0, done.stdout[-6000:]
    yield
    if not was_there:
        assert playbook("destroy", "-e", "llmfleet_destroy_confirm=lab").returncode == 0


def numbers(pattern: re.Pattern[str], text: str) -> list[int]:
    """The numbers of the one match in a text, line ends in it or not."""
    found = pattern.findall(" ".join(text.split()))
    assert len(set(found)) == 1, f"{pattern.pattern} in:\n{text[-4000:]}"
    return [int(number.replace(",", "")) for number in found[0]]


def test_tokens_are_those_that_the_running_engine_logged(playbook: Playbook, kubectl: Kubectl, writes: Writes) -> None:
    done = playbook("models", "--tags", "fit")
    assert done.returncode == 0, done.stdout[-6000:]
    log = kubectl.run("logs", f"deployment/{MODEL}", "-n", "llm", "-c", "vllm", "--tail=-1")
    assert numbers(TOLD, done.stdout) == numbers(LOGGED, log)
    # The figures alone: nothing was applied.
    assert recap(done.stdout)["changed"] == 0
    assert writes.kubernetes() == [] and writes.aws() == []


def test_a_context_beyond_the_model_is_refused_and_nothing_is_applied(playbook: Playbook, writes: Writes) -> None:
    long = (
        '{"llmfleet_models": [{"name": "tiny-llama", "weights": {"repository": "llmfleet/tiny-llama", "revision": '
        '"66110e9db3866633cf2d66addbea3eb4266060f9"}, "engine": {"context_length": 16384}, "gpu": {"pool": "lab"}, '
        '"scaling": {"min": 1, "max": 1}}]}'
    )
    done = playbook("models", "--tags", "models", "--skip-tags", "weights", "-e", long)
    assert done.returncode != 0
    line = "llmfleet_models[0] (tiny-llama).engine.context_length: got 16384: config.json says "
    assert line + "max_position_embeddings 8192; accepted: at most 8192" in " ".join(done.stdout.split())
    assert writes.kubernetes() == [] and writes.aws() == []


def test_models_alone_change_nothing_on_a_platform_that_is_as_described(playbook: Playbook, writes: Writes) -> None:
    for arguments in ([], ["-e", f"llmfleet_only={MODEL}"]):
        done = playbook("models", *arguments)
        assert done.returncode == 0, done.stdout[-6000:]
        assert recap(done.stdout)["changed"] == 0
    assert writes.kubernetes() == [] and writes.aws() == []


def test_a_model_that_is_not_there_is_refused(playbook: Playbook, writes: Writes) -> None:
    done = playbook("models", "-e", "llmfleet_only=nosuch")
    assert done.returncode != 0
    line = f"llmfleet_only: got 'nosuch': not a model of the fleet; accepted: {MODEL}"
    assert line in " ".join(done.stdout.split())
    assert writes.kubernetes() == [] and writes.aws() == []
