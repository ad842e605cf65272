# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The platform from nothing to an answer and back, in the order of a user's day. Each test stands on the one before."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths
from llmfleet_lab.secrets import Credentials

from tests.lab.conftest import Playbook
from tests.lab.kit import Writes, recap
from tests.lab.planted import Planted
from tests.lab.snapshot import differences, owned

MODEL = "tiny-llama"
CONFIRM = "llmfleet_destroy_confirm"
# Other tests on the same API server own things in the names of clusters of their own.
OWNED = "app.kubernetes.io/managed-by=llmfleet,llmfleet.io/cluster=lab"


def completion(kubectl: Kubectl, key: str | None) -> tuple[int, dict[str, object]]:
    """Ask the gateway's Service as a client would; (status, answer)."""
    address = kubectl.run("get", "service", "llm-gateway", "-n", "llm-gateway", "-o", "jsonpath={.spec.clusterIP}")
    connection = http.client.HTTPConnection(address, 8080, timeout=60)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    body = {"model": MODEL, "prompt": "hello", "max_tokens": 8, "temperature": 0, "seed": 1}
    connection.request("POST", "/v1/completions", json.dumps(body), headers)
    answer = connection.getresponse()
    content = answer.read()
    return answer.status, json.loads(content) if answer.status == 200 else {}


@pytest.fixture(scope="module")
def key(paths: Paths) -> str:
    """The operator's key at the gateway."""
    return Credentials(paths.secrets).text("gateway-key")


@pytest.fixture(scope="module")
def first_answer() -> dict[str, object]:
    """What the model said first: kept for the comparison after destroy and site."""
    return {}


def owned_objects(kubectl: Kubectl) -> str:
    """Names of everything in the cluster that carries our ownership labels."""
    kinds = kubectl.run("api-resources", "--verbs=list,delete", "-o", "name").split()
    return kubectl.run("get", ",".join(kinds), "-A", "-l", OWNED, "-o", "name")


def test_check_mode_from_an_empty_cluster_writes_nothing(playbook: Playbook, writes: Writes) -> None:
    done = playbook("site", "--check", "--diff")
    assert done.returncode == 0, done.stdout[-6000:]
    assert writes.kubernetes() == []
    assert writes.aws() == []
    assert recap(done.stdout)["changed"] > 0


def test_site_brings_a_model_from_nothing_to_an_answer(
    playbook: Playbook, kubectl: Kubectl, key: str, first_answer: dict[str, object]
) -> None:
    done = playbook("site")
    assert done.returncode == 0, done.stdout[-6000:]
    status, answer = completion(kubectl, key)
    assert status == 200
    first_answer.update(answer)
    assert answer["model"] == MODEL
    assert answer["usage"]["completion_tokens"] > 0  # type: ignore[index]


def test_no_key_is_in_the_output_of_a_very_verbose_run(playbook: Playbook, key: str) -> None:
    done = playbook("site", "-vvv", "--diff", "--tags", "secrets,envoy_gateway")
    assert done.returncode == 0, done.stdout[-6000:]
    assert key not in done.stdout


def test_a_request_without_a_key_is_refused(kubectl: Kubectl) -> None:
    assert completion(kubectl, None)[0] == 401
    assert completion(kubectl, "sk-wrong")[0] == 401


def test_second_run_changes_nothing_and_writes_nothing(playbook: Playbook, writes: Writes) -> None:
    done = playbook("site")
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 0
    assert writes.kubernetes() == []
    assert writes.aws() == []


def test_check_mode_of_a_running_platform_finds_nothing_to_do(playbook: Playbook, writes: Writes) -> None:
    done = playbook("site", "--check", "--diff")
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 0
    assert writes.kubernetes() == []
    assert writes.aws() == []


BY_HAND: dict[str, dict[str, object]] = {
    "namespace/llm": {"metadata": {"labels": {"pod-security.kubernetes.io/warn": "privileged"}}},
    "namespace/llm-gateway": {"metadata": {"labels": {"pod-security.kubernetes.io/audit": None}}},
    "networkpolicy/default-deny -n llm": {"spec": {"policyTypes": ["Ingress"]}},
    "networkpolicy/allow-dns -n llm-gateway": {"spec": {"egress": []}},
    "httproute/tiny-llama -n llm": {"metadata": {"labels": {"app.kubernetes.io/part-of": "theirs"}}},
    "service/tiny-llama -n llm": {"spec": {"selector": {"app.kubernetes.io/part-of": "nobody"}}},
    "serviceaccount/tiny-llama -n llm": {"automountServiceAccountToken": True},
    "deployment/tiny-llama -n llm": {"spec": {"progressDeadlineSeconds": 7}},
    "securitypolicy/llm-gateway -n llm-gateway": {"spec": {"apiKeyAuth": {"sanitize": False}}},
    "storageclass/weights": {"metadata": {"labels": {"llmfleet.io/layer": "nodes"}}},
}


def test_fields_changed_by_hand_are_mended_and_nothing_else(playbook: Playbook, kubectl: Kubectl, paths: Paths) -> None:
    before = owned(paths)
    for target, patch in BY_HAND.items():
        kubectl.run("patch", *target.split(), "--type=merge", "-p", json.dumps(patch))
    since = Writes(paths)
    for mode in (["--check"], []):
        done = playbook("site", "-v", *mode)
        assert done.returncode == 0, done.stdout[-6000:]
        if mode:
            assert since.kubernetes() == []
    mended = since.kubernetes()
    assert len(mended) == len(BY_HAND), mended
    for target in BY_HAND:
        kind, name = target.split()[0].split("/")
        assert any(kind.removesuffix("y") in write and f"/{name}?" in write for write in mended), (target, mended)
    assert since.aws() == []
    assert differences(before, owned(paths)) == []


def test_verify_writes_nothing(playbook: Playbook, writes: Writes) -> None:
    done = playbook("verify")
    assert done.returncode == 0, done.stdout[-6000:]
    assert writes.kubernetes() == []
    assert writes.aws() == []


@pytest.mark.parametrize("arguments", [[], ["-e", f"{CONFIRM}="], ["-e", f"{CONFIRM}=yes"], ["-e", f"{CONFIRM}=None"]])
def test_destroy_refuses_without_the_name(playbook: Playbook, writes: Writes, arguments: list[str]) -> None:
    done = playbook("destroy", *arguments)
    assert done.returncode != 0
    assert "Nothing was changed" in done.stdout
    assert writes.kubernetes() == []
    assert writes.aws() == []


@pytest.fixture
def planted(paths: Paths, tmp_path: Path) -> Iterator[Planted]:
    """Things of somebody else beside ours."""
    found = Planted(paths, tmp_path)
    yield found
    found.remove()


def test_destroy_leaves_nothing_owned_and_all_else_as_it_was(
    playbook: Playbook, kubectl: Kubectl, paths: Paths, planted: Planted
) -> None:
    before = planted.read()
    assert len(before) == 8
    done = playbook("destroy", "-e", f"{CONFIRM}=lab")
    assert done.returncode == 0, done.stdout[-6000:]
    assert owned_objects(kubectl).split() == []
    assert owned(paths) == {}
    assert planted.read() == before


def test_a_second_destroy_has_nothing_to_do(playbook: Playbook, writes: Writes) -> None:
    done = playbook("destroy", "-e", f"{CONFIRM}=lab")
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 0
    assert writes.kubernetes() == []
    assert writes.aws() == []


def test_site_after_destroy_gives_the_same_answer(
    playbook: Playbook, kubectl: Kubectl, key: str, first_answer: dict[str, object]
) -> None:
    done = playbook("site")
    assert done.returncode == 0, done.stdout[-6000:]
    status, answer = completion(kubectl, key)
    assert status == 200
    assert first_answer, "the first answer is missing: run the whole file"
    assert answer["choices"] == first_answer["choices"]
