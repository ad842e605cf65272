# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real gateway and body-based router before stand-in engines: who is answered, by whom, and what is refused."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths
from llmfleet_lab.tinymodel import LORA, REVISIONS

from tests.lab.asking import Gateway
from tests.lab.conftest import Playbook
from tests.lab.kit import Writes, recap
from tests.lab.rules.conftest import models_as
from tests.lab.snapshot import owned

CONFIRM = ("-e", "llmfleet_destroy_confirm=lab")
SECOND, ADAPTER = "second", "poet"
TOKENS, TOKEN_SECONDS = 20, 0.2


@pytest.fixture(scope="module")
def fleet(stand_in_model: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Arguments of a playbook that give the lab two models, the first one with an adapter."""
    adapter = {"name": ADAPTER, "repository": LORA, "revision": REVISIONS[LORA]}
    slow = {**stand_in_model["engine"]["env"], "LLMFLEET_LAB_TOKEN_SECONDS": str(TOKEN_SECONDS)}
    second = {**stand_in_model, "name": SECOND, "engine": {**stand_in_model["engine"], "env": slow}}
    path = tmp_path_factory.mktemp("gateway") / "models.json"
    return models_as(path, {**stand_in_model, "adapters": [adapter]}, second)


@pytest.fixture(scope="module", autouse=True)
def from_nothing_to_nothing(playbook: Playbook, fleet: list[str], paths: Paths) -> Iterator[None]:
    """The models, made on a cluster where nothing is owned; other tests find it so again."""
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


@dataclass(frozen=True)
class Told:
    """An answer. content: decoded JSON, or the text."""

    status: int
    content: Any
    kind: str

    @property
    def code(self) -> str:
        """The code of an error in OpenAI's shape."""
        assert self.kind == "application/json", (self.status, self.content)
        assert set(self.content["error"]) == {"message", "type", "param", "code"}
        return str(self.content["error"]["code"])


def tell(
    gateway: Gateway,
    method: str,
    path: str,
    body: bytes | None = None,
    key: str | None = "",
    port: int = 8080,
    **headers: str,
) -> Told:
    """Send any request. key: that of the operator by default, None for none."""
    connection = http.client.HTTPConnection(gateway.address, port, timeout=60)
    shown = gateway.key if key == "" else key
    authorization = {} if shown is None else {"Authorization": f"Bearer {shown}"}
    connection.request(method, path, body, {"Content-Type": "application/json", **authorization, **headers})
    answer = connection.getresponse()
    content = answer.read().decode()
    kind = answer.getheader("Content-Type", "").partition(";")[0]
    connection.close()
    return Told(answer.status, json.loads(content) if kind == "application/json" else content, kind)


def asked(model: Any, prompt: str = "one two") -> bytes:
    """The body of a completion."""
    return json.dumps({"model": model, "prompt": prompt}).encode()


def test_the_body_names_the_model(gateway: Gateway, stand_in_model: dict[str, Any]) -> None:
    for name in (stand_in_model["name"], ADAPTER, SECOND):
        answer = gateway.complete(name, "one two")
        assert (answer["model"], answer["choices"][0]["text"]) == (name, "one two")


def test_a_header_names_nothing(gateway: Gateway, stand_in_model: dict[str, Any]) -> None:
    headers = {
        "X-Gateway-Model-Name": SECOND,
        "x-gateway-destination-endpoint": "127.0.0.1:19000",
        "x-llm-client-id": "somebody",
        "x-llm-hop-key": "guess",
    }
    told = tell(gateway, "POST", "/v1/completions", asked(stand_in_model["name"]), **headers)
    assert told.status == 200 and told.content["model"] == stand_in_model["name"]
    told = tell(gateway, "POST", "/v1/completions", b'{"prompt": "one"}', **headers)
    assert (told.status, told.code) == (404, "model_not_found")


@pytest.mark.parametrize("model", ["nobody", "", "second/", 'sec"ond', None, 7])
def test_an_unknown_model_is_an_error_of_openai(gateway: Gateway, model: Any) -> None:
    told = tell(gateway, "POST", "/v1/completions", asked(model))
    assert (told.status, told.code) == (404, "model_not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/load_lora_adapter"),
        ("POST", "/v1/unload_lora_adapter"),
        ("POST", "/v1/completions/../load_lora_adapter"),
        ("POST", "/v1/completions/"),
        ("GET", "/v1/completions"),
        ("GET", "/metrics"),
        ("GET", "/health"),
        ("POST", "/sleep"),
        ("POST", "/collective_rpc"),
        ("POST", "/tokenize"),
        ("DELETE", "/v1/models"),
    ],
)
def test_other_paths_are_not_served(gateway: Gateway, method: str, path: str) -> None:
    told = tell(gateway, method, path, asked(SECOND) if method == "POST" else None)
    assert (told.status, told.code) == (404, "unknown_url")


@pytest.mark.parametrize("key", [None, "sk-wrong", "operator"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/completions"), ("GET", "/v1/models"), ("GET", "/metrics")])
def test_without_a_key_nothing_is_told(gateway: Gateway, key: str | None, method: str, path: str) -> None:
    told = tell(gateway, method, path, asked(SECOND) if method == "POST" else None, key=key)
    assert (told.status, told.code) == (401, "invalid_api_key")


def test_the_models_listener_answers_the_gateway_only(gateway: Gateway) -> None:
    headers = {"X-Gateway-Model-Name": SECOND}
    for key in (None, ""):
        told = tell(gateway, "POST", "/v1/completions", asked(SECOND), key=key, port=8081, **headers)
        assert told.status == 401


def test_what_is_served_is_listed(gateway: Gateway, stand_in_model: dict[str, Any]) -> None:
    told = tell(gateway, "GET", "/v1/models")
    assert told.status == 200 and told.content["object"] == "list"
    assert [entry["id"] for entry in told.content["data"]] == [stand_in_model["name"], ADAPTER, SECOND]


@pytest.mark.parametrize("body", [b"{", b"model=second", b"[]", b'"second"'])
def test_what_is_no_json_object_is_refused(gateway: Gateway, body: bytes) -> None:
    told = tell(gateway, "POST", "/v1/completions", body)
    assert (told.status, told.code) == (400, "invalid_body")


def test_a_long_prompt_arrives_whole(gateway: Gateway) -> None:
    prompt = " ".join(f"{number:07d}" for number in range(40_000))
    told = tell(gateway, "POST", "/v1/completions", asked(SECOND, prompt))
    assert told.status == 200 and told.content["choices"][0]["text"] == prompt


def test_a_stream_arrives_event_by_event(gateway: Gateway) -> None:
    answer = gateway.ask(SECOND, stream=True, max_tokens=TOKENS)
    moments = []
    for line in answer:
        if line.startswith(b"data: "):
            moments.append(time.monotonic())
    assert answer.status == 200 and len(moments) == TOKENS + 1
    # Kept back, all of them would come in the last moment.
    assert moments[-1] - moments[0] > TOKENS * TOKEN_SECONDS / 2


def test_then_nothing_is_left_to_do(playbook: Playbook, fleet: list[str], paths: Paths) -> None:
    since = Writes(paths)
    done = playbook("site", *fleet)
    assert done.returncode == 0, done.stdout[-6000:]
    assert recap(done.stdout)["changed"] == 0
    assert since.kubernetes() == [] and since.aws() == []


def test_without_a_router_all_is_refused_until_it_is_back(
    playbook: Playbook, kubectl: Kubectl, gateway: Gateway, fleet: list[str]
) -> None:
    where = ("-n", "llm-gateway", "deployment/body-router")
    kubectl.run("scale", *where, "--replicas=0")
    until = time.monotonic() + 60
    while (told := tell(gateway, "POST", "/v1/completions", asked(SECOND))).status == 200:
        assert time.monotonic() < until, "it answers without its router"
        time.sleep(0.5)
    assert told.status in (500, 503) and told.code in ("gateway_error", "model_unavailable")
    done = playbook("site", "--tags", "gateway", *fleet)
    assert done.returncode == 0, done.stdout[-6000:]
    assert tell(gateway, "POST", "/v1/completions", asked(SECOND)).status == 200
