# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway does before a model's route: keys, the model's name, paths, and the answers it gives itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import answers
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet

Object = dict[str, Any]
CLIENTS, MODELS = "http", "models"


@pytest.fixture
def objects(variables: Any, fleet_of: Callable[[Any], Fleet]) -> Callable[[], dict[str, Object]]:
    """Objects of the gateway and of the models by 'kind/name'."""

    def run() -> dict[str, Object]:
        found = [entry for entry in desired(fleet_of(variables), {}).objects if entry["layer"] in ("gateway", "models")]
        return {f"{item['kind']}/{item['metadata']['name']}": item for item in (entry["object"] for entry in found)}

    return run


def _targets(obj: Object) -> list[str | None]:
    return [target.get("sectionName") for target in obj["spec"]["targetRefs"]]


def _paths(rule: Object) -> set[str]:
    return {match["path"]["value"] for match in rule["matches"]}


def _filter(found: dict[str, Object], rule: Object) -> Object:
    """What the one filter of a rule does."""
    (reference,) = rule["filters"]
    return found[f"HTTPRouteFilter/{reference['extensionRef']['name']}"]["spec"]  # type: ignore[no-any-return]


def test_clients_show_a_key_and_models_hear_the_gateway_only(objects: Any) -> None:
    found = objects()
    clients, models = found["SecurityPolicy/llm-gateway"], found["SecurityPolicy/llm-gateway-models"]
    assert (_targets(clients), _targets(models)) == ([CLIENTS], [MODELS])
    keys, hop = clients["spec"]["apiKeyAuth"], models["spec"]["apiKeyAuth"]
    assert keys["credentialRefs"][0]["name"] == "llm-api-keys"
    assert keys["extractFrom"] == [{"headers": ["Authorization"]}]
    assert keys["sanitize"] is True and hop["sanitize"] is True
    injected = found["HTTPRouteFilter/llm-gateway-hop"]["spec"]["credentialInjection"]
    assert hop["extractFrom"] == [{"headers": [injected["header"]]}]
    assert hop["credentialRefs"][0]["name"] == injected["credential"]["valueRef"]["name"] == "llm-gateway-hop"
    for name in ("llm-api-keys", "llm-gateway-hop"):
        assert not {"data", "stringData"} & set(found[f"Secret/{name}"])


def test_a_client_cannot_set_what_the_gateway_sets(objects: Any) -> None:
    found = objects()
    policy = found["ClientTrafficPolicy/llm-gateway"]
    assert _targets(policy) == [CLIENTS]
    removed = set(policy["spec"]["headers"]["earlyRequestHeaders"]["remove"])
    (match,) = found["HTTPRoute/qwen"]["spec"]["rules"][0]["matches"]
    assert removed == {
        found["SecurityPolicy/llm-gateway"]["spec"]["apiKeyAuth"]["forwardClientIDHeader"],
        found["HTTPRouteFilter/llm-gateway-hop"]["spec"]["credentialInjection"]["header"],
        match["headers"][0]["name"],
        "x-gateway-destination-endpoint",
    }


def test_the_model_is_read_from_the_body(objects: Any) -> None:
    found = objects()
    policy = found["EnvoyExtensionPolicy/llm-gateway"]
    assert _targets(policy) == [CLIENTS]
    (router,) = policy["spec"]["extProc"]
    # With a part about responses, the events of a stream arrive together at its end.
    assert router["processingMode"] == {"request": {"body": "FullDuplexStreamed"}}
    assert router["failOpen"] is False
    (backend,) = router["backendRefs"]
    service = found[f"Service/{backend['name']}"]["spec"]
    assert backend["port"] == service["ports"][0]["port"]
    (container,) = found["Deployment/body-router"]["spec"]["template"]["spec"]["containers"]
    plugin = next(word for word in container["args"] if word.startswith("--plugin="))
    (match,) = found["HTTPRoute/qwen"]["spec"]["rules"][0]["matches"]
    wanted = {"fieldName": "model", "headerName": match["headers"][0]["name"]}
    assert json.loads(plugin.partition("=")[2].split(":", 2)[2]) == wanted
    assert service["selector"] == found["Deployment/body-router"]["spec"]["template"]["metadata"]["labels"]


def test_every_request_has_a_rule_and_only_listed_paths_go_on(objects: Any) -> None:
    found = objects()
    route = found["HTTPRoute/llm-gateway"]["spec"]
    assert [ref["sectionName"] for ref in route["parentRefs"]] == [CLIENTS]
    asked, listed, rest = route["rules"]
    assert {match["method"] for match in asked["matches"]} == {"POST"}
    assert {match["path"]["type"] for match in (*asked["matches"], *listed["matches"])} == {"Exact"}
    assert {"/v1/chat/completions", "/v1/completions", "/v1/messages"} <= _paths(asked)
    for path in _paths(asked):
        assert not any(word in path for word in ("lora", "sleep", "tokenize", "metrics", "rpc", "server"))
    assert "credentialInjection" in _filter(found, asked)
    (backend,) = asked["backendRefs"]
    listeners = {item["name"]: item["port"] for item in found["Gateway/llm-gateway"]["spec"]["listeners"]}
    assert (backend["name"], backend["port"]) == ("llm-gateway", listeners[MODELS])
    assert rest["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    assert "backendRefs" not in listed and "backendRefs" not in rest
    assert _filter(found, rest)["directResponse"]["statusCode"] == 404
    (unknown,) = found["HTTPRoute/llm-gateway-unknown-model"]["spec"]["rules"]
    assert unknown["matches"] == rest["matches"]
    body = json.loads(_filter(found, unknown)["directResponse"]["body"]["inline"])
    assert body["error"]["code"] == "model_not_found"


def test_the_first_hop_waits_as_long_as_the_slowest_model(variables: Any, objects: Any) -> None:
    model = variables["llmfleet_models"][0]
    variables["llmfleet_models"] = [model, copy.deepcopy(model) | {"name": "slow", "gateway": {"timeout": "1h5m"}}]
    assert objects()["HTTPRoute/llm-gateway"]["spec"]["rules"][0]["timeouts"] == {"request": "1h5m"}


def test_what_is_served_is_listed(variables: Any, objects: Any) -> None:
    model = variables["llmfleet_models"][0]
    adapter = {"name": "sql", "repository": "acme/sql", "revision": model["weights"]["revision"]}
    silent = copy.deepcopy(model) | {"name": "silent", "gateway": {"enabled": False}}
    variables["llmfleet_models"] = [copy.deepcopy(model) | {"adapters": [adapter]}, silent]
    found = objects()
    body = json.loads(found["HTTPRouteFilter/llm-gateway-models"]["spec"]["directResponse"]["body"]["inline"])
    assert body["object"] == "list" and [entry["id"] for entry in body["data"]] == ["qwen", "sql"]
    assert {entry["object"] for entry in body["data"]} == {"model"}


def test_a_list_that_no_answer_can_hold_is_not_served(variables: Any, objects: Any) -> None:
    model = variables["llmfleet_models"][0]
    variables["llmfleet_gpu_pools"][0]["limit"] = 300
    variables["llmfleet_models"] = [copy.deepcopy(model) | {"name": f"model-{number}"} for number in range(70)]
    found = objects()
    assert "HTTPRouteFilter/llm-gateway-models" not in found
    assert len(found["HTTPRoute/llm-gateway"]["spec"]["rules"]) == 2


@pytest.mark.parametrize("names", [0, 1, 30])
def test_a_list_is_as_long_as_envoy_takes(names: int) -> None:
    body = answers.model_list([f"model-{number}" for number in range(names)])
    assert body is not None and len(body) <= answers.LARGEST_ANSWER


def test_own_answers_are_errors_of_openai_and_no_formats(objects: Any) -> None:
    policy = objects()["BackendTrafficPolicy/llm-gateway"]
    assert _targets(policy) == [None]
    statuses = []
    for override in policy["spec"]["responseOverride"]:
        # What a model answers goes through as it is.
        assert override["source"] == "Local"
        (status,) = override["match"]["statusCodes"]
        statuses.append(status["value"])
        inline = override["response"]["body"]["inline"]
        # Envoy would read a % as one of its command operators.
        assert "%" not in inline
        assert set(json.loads(inline)["error"]) == {"message", "type", "param", "code"}
        retry = [item["name"] for item in override["response"].get("header", {}).get("set", [])]
        assert retry == (["Retry-After"] if status["value"] == 503 else [])
    assert statuses == [400, 401, 413, 500, 503, 504]
    assert policy["spec"]["retry"]["retryOn"] == {"triggers": ["connect-failure"]}


def test_several_routers_are_spread_and_kept(variables: Any, objects: Any) -> None:
    variables["llmfleet_envoy_replicas"] = 1
    found = objects()
    assert found["Deployment/body-router"]["spec"]["replicas"] == 1
    assert "PodDisruptionBudget/body-router" not in found
    variables["llmfleet_envoy_replicas"] = 3
    found = objects()
    spec = found["Deployment/body-router"]["spec"]
    assert spec["replicas"] == 3 and spec["template"]["spec"]["topologySpreadConstraints"]
    assert (
        found["PodDisruptionBudget/body-router"]["spec"]["selector"]["matchLabels"] == spec["selector"]["matchLabels"]
    )
