# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules across the fields of a model, and between models."""

from __future__ import annotations

import copy
from typing import Any

import pytest

ADAPTER = {"name": "sql", "repository": "o/sql", "revision": "0" * 40}


def _lines(errors: Any, variables: Any, **fields: Any) -> list[str]:
    """Errors of the model with some top-level fields replaced, without those that only say 'not yet built'."""
    variables["llmfleet_models"][0].update(fields)
    prefix = "llmfleet_models[0] (qwen)."
    lines = [line for line in errors(variables) if not line.endswith("not yet built")]
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]


def test_the_form_of_a_line(variables: Any, errors: Any) -> None:
    other = copy.deepcopy(variables["llmfleet_models"][0]) | {"name": "other"}
    third = copy.deepcopy(other) | {"name": "third", "adapters": [{**ADAPTER, "revision": "main"}]}
    variables["llmfleet_models"] += [other, third]
    assert (
        "llmfleet_models[2] (third).adapters[0].revision: got 'main': not a commit; accepted: 40 hexadecimal digits"
        in errors(variables)
    )


def test_moving_revisions_for_model_and_adapters(variables: Any, errors: Any, commit: str) -> None:
    weights = {"repository": "o/n", "revision": "main"}
    adapters = [{**ADAPTER, "revision": "v1.0"}]
    lines = _lines(errors, variables, weights=weights, adapters=adapters)
    assert [line.split(":")[0] for line in lines] == ["weights.revision", "adapters[0].revision"]
    weights["allow_moving_revision"] = True  # type: ignore[assignment]
    assert _lines(errors, variables, weights=weights, adapters=adapters) == []


def test_stream_concurrency_needs_stream(variables: Any, errors: Any, commit: str) -> None:
    weights = {"repository": "o/n", "revision": commit, "stream_concurrency": 16}
    (line,) = _lines(errors, variables, weights=weights)
    assert line.startswith("weights.stream_concurrency: got 16: only with weights.load stream")
    assert _lines(errors, variables, weights=weights | {"load": "stream"}) == []


def test_min_above_max(variables: Any, errors: Any) -> None:
    assert _lines(errors, variables, scaling={"min": 3, "max": 2}) == [
        "scaling.min: got 3: above scaling.max 2; accepted: at most 2"
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("endpoint_picker", True),
        ("fallback", [{"model": "second"}]),
        ("canaries", [{"adapter": "sql", "weight": 1}]),
    ],
)
def test_what_needs_the_gateway(key: str, value: Any, variables: Any, errors: Any) -> None:
    variables["llmfleet_models"].append(copy.deepcopy(variables["llmfleet_models"][0]) | {"name": "second"})
    gateway = {"enabled": False, key: value}
    lines = _lines(errors, variables, gateway=gateway, adapters=[ADAPTER])
    assert [line.split(":")[0] for line in lines] == [f"gateway.{key}"]
    assert "needs gateway.enabled" in lines[0]
    assert _lines(errors, variables, gateway=gateway | {"enabled": True}, adapters=[ADAPTER]) == []


def test_canaries(variables: Any, errors: Any) -> None:
    adapters = [ADAPTER, {**ADAPTER, "name": "css"}]
    sql, css = {"adapter": "sql", "weight": 50}, {"adapter": "css", "weight": 49}

    def lines(canaries: Any, **more: Any) -> list[str]:
        return _lines(errors, variables, gateway={"canaries": canaries, **more}, adapters=adapters)

    assert lines([sql, css]) == []
    assert "weights sum to 100" in lines([sql, {**css, "weight": 50}])[0]
    assert "twice in the list" in lines([sql, {**sql, "weight": 1}])[0]
    assert lines([{**sql, "adapter": "xss"}]) == [
        "gateway.canaries[0].adapter: got 'xss': not an adapter of the model; accepted: sql, css"
    ]
    assert "excludes gateway.endpoint_picker" in lines([sql], endpoint_picker=True)[0]
    assert lines([{**sql, "weight": 0}])[0].startswith("gateway.canaries[0].weight: got 0: out of range")
    assert lines([{**sql, "weight": 100}])[0].startswith("gateway.canaries[0].weight: got 100: out of range")


def test_saturation_needs_the_endpoint_picker(variables: Any, errors: Any) -> None:
    scaling = {"saturation_target": 0.8}
    assert "needs gateway.endpoint_picker" in _lines(errors, variables, scaling=scaling)[0]
    assert _lines(errors, variables, scaling=scaling, gateway={"endpoint_picker": True}) == []


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"rollout": {"strategy": "recreate"}}, "rollout.strategy recreate"),
        ({"adapters": [ADAPTER], "gateway": {"canaries": [{"adapter": "sql", "weight": 1}]}}, "gateway.canaries"),
        ({"scaling": {"min": 0}}, "scaling.min 0"),
    ],
)
def test_several_nodes(fields: Any, what: str, variables: Any, errors: Any) -> None:
    (line,) = _lines(errors, variables, gpu={"pool": "l4", "nodes": 2}, **fields)
    assert line.startswith(f"gpu.nodes: got 2: excludes {what}")
    assert _lines(errors, variables, gpu={"pool": "l4", "nodes": 1}, **fields) == []


def test_kv_offload_leaves_four_gib(variables: Any, errors: Any) -> None:
    resources = {"requests": {"memory": "8Gi"}, "limits": {"memory": "12Gi"}}
    assert _lines(errors, variables, engine={"kv_offload_gib": 8}, resources=resources) == []
    assert _lines(errors, variables, engine={"kv_offload_gib": 9}, resources=resources) == [
        "engine.kv_offload_gib: got 9: the memory limit is 12Gi; accepted: an integer from 0 to 8"
    ]


def test_offloaded_cache_that_the_node_may_have_no_room_for_is_warned_about(variables: Any, fleet_of: Any) -> None:
    model = variables["llmfleet_models"][0]
    # The default limit is twice what a g6.xlarge has.
    model["engine"] = {"kv_offload_gib": 16}
    (warning,) = fleet_of(variables).warnings
    assert warning == (
        "llmfleet_models[0] (qwen).engine.kv_offload_gib: got 16: g6.xlarge, which holds what the model requests, has "
        "14162Mi; request memory for the offloaded cache and 4Gi"
    )
    model["engine"]["kv_offload_gib"] = 9
    assert fleet_of(variables).warnings == ()
    model |= {"engine": {"kv_offload_gib": 16}, "resources": {"requests": {"memory": "20Gi"}}}
    assert fleet_of(variables).warnings == ()
    # A static pool of which nothing is known.
    model |= {"gpu": {"pool": "lab"}, "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "30Gi"}}}
    del variables["llmfleet_gpu_pools"][1]["allocatable"]
    assert fleet_of(variables).warnings == ()


def test_a_node_that_ends_before_the_requests_is_warned_about(variables: Any, fleet_of: Any) -> None:
    model, pool = variables["llmfleet_models"][0], variables["llmfleet_gpu_pools"][0]
    model["gateway"] = {"timeout": "90m"}
    assert fleet_of(variables).warnings == (
        "llmfleet_models[0] (qwen).gateway.timeout: got '90m': nodes of l4 end 1h after they were told to "
        "(terminate_after), whatever runs on them",
    )
    for longer in ("2h", "Never"):
        pool["terminate_after"] = longer
        assert fleet_of(variables).warnings == ()
    # Nodes that exist are not ours to end.
    model["gpu"] = {"pool": "lab"}
    assert fleet_of(variables).warnings == ()


@pytest.mark.parametrize("revision", ["adapters", "adapters/sql"])
def test_a_revision_is_not_the_folder_of_adapters(revision: str, variables: Any, errors: Any) -> None:
    weights = {"repository": "o/n", "revision": revision, "allow_moving_revision": True}
    assert _lines(errors, variables, weights=weights) == [
        f"weights.revision: got '{revision}': the folder of the adapters; accepted: another branch or tag"
    ]
    assert _lines(errors, variables, weights=weights | {"revision": "adapters-2"}) == []


def test_a_serving_pod_has_no_token_of_the_hub(variables: Any, errors: Any, commit: str) -> None:
    weights = {"repository": "o/n", "revision": commit, "token_secret": "hf-base"}
    adapters = [ADAPTER, {**ADAPTER, "name": "css", "token_secret": "hf-css"}]
    given = ["other", "hf-css", "hf-base"]
    assert _lines(errors, variables, weights=weights, adapters=adapters, env_from_secrets=given) == [
        "env_from_secrets[1]: got a value that is not shown: also adapters[1].token_secret, which the fetcher alone "
        "is given; accepted: other Secrets",
        "env_from_secrets[2]: got a value that is not shown: also weights.token_secret, which the fetcher alone "
        "is given; accepted: other Secrets",
    ]
    assert _lines(errors, variables, weights=weights, adapters=adapters, env_from_secrets=["other"]) == []


def test_fallback_is_another_model(variables: Any, errors: Any) -> None:
    (line,) = _lines(errors, variables, gateway={"fallback": [{"model": "qwen"}]})
    assert line.startswith("gateway.fallback[0].model: got 'qwen': not another model of the fleet")


def test_names_are_unique_among_models_and_adapters(variables: Any, errors: Any) -> None:
    first = variables["llmfleet_models"][0]
    first["adapters"] = [ADAPTER]
    second = copy.deepcopy(first) | {"adapters": []}
    third = copy.deepcopy(first) | {"name": "third"}
    fourth = copy.deepcopy(second) | {"name": "sql"}
    variables["llmfleet_models"] += [second, third, fourth]
    lines = [line for line in errors(variables) if "also the name of" in line]
    assert [line.split(": got")[0] for line in lines] == [
        "llmfleet_models[1] (qwen).name",
        "llmfleet_models[2] (third).adapters[0].name",
        "llmfleet_models[3] (sql).name",
    ]


def test_rollout_default_follows_max(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0]["scaling"] = {"min": 1, "max": 1}
    assert fleet_of(variables).models[0].get("rollout.strategy") == "recreate"


def test_all_errors_at_once_in_order(variables: Any, errors: Any) -> None:
    variables["llmfleet_models"][0] = {
        "labels": {"a": 1},
        "gpu": {"pool": "nosuch", "count": 9},
        "engine": {"context_length": 1, "nosuch": 1, "quantization": "x"},
        "weights": {"revision": "main", "repository": "x"},
        "name": "Bad",
    }
    variables["llmfleet_gpu_pools"][0]["limit"] = 0
    variables["llmfleet_cluster"]["account"] = 123456789012
    variables["llmfleet_nosuch"] = 1
    assert [line.split(": got")[0] for line in errors(variables)] == [
        "llmfleet_models[0] (Bad).name",
        "llmfleet_models[0] (Bad).weights.repository",
        "llmfleet_models[0] (Bad).weights.revision",
        "llmfleet_models[0] (Bad).engine.context_length",
        "llmfleet_models[0] (Bad).engine.quantization",
        "llmfleet_models[0] (Bad).engine.nosuch",
        "llmfleet_models[0] (Bad).gpu.pool",
        "llmfleet_models[0] (Bad).gpu.count",
        "llmfleet_models[0] (Bad).labels.a",
        "llmfleet_gpu_pools[0] (l4).limit",
        "llmfleet_cluster (prod).account",
        "llmfleet_nosuch",
    ]


@pytest.mark.parametrize("item", [None, 3, "qwen", ["qwen"]])
def test_a_model_that_is_no_map(item: Any, variables: Any, errors: Any) -> None:
    variables["llmfleet_models"] = [item]
    (line,) = errors(variables)
    assert line.startswith("llmfleet_models[0] (?): got ") and "not a map" in line


def test_values_that_may_be_secret_are_not_shown(variables: Any, errors: Any) -> None:
    secret = "hf_AbCdEfGhIjKlMnOp"
    model = variables["llmfleet_models"][0]
    model["engine"] = {"env": {"A": [secret], "HF_TOKEN": secret}, "extra_args": [secret, f"--hf-token={secret}"]}
    model["engine"]["extra_args"] += [f"--hf-token {secret}", f"--nosuch={secret}"]
    model["env_from_secrets"] = [secret]
    model["weights"] |= {"token_secret": secret, "repository": f"https://user:{secret}@huggingface.co/x/y"}
    model["adapters"] = [{**ADAPTER, "token_secret": secret}]
    model["nosuch"] = secret
    lines = errors(variables)
    assert len(lines) == 11
    assert not any("AbCdEf" in line for line in lines)


def test_engine_image_is_warned_about(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0]["engine"] = {"image": "registry.example/vllm:v1"}
    (warning,) = fleet_of(variables).warnings
    assert warning.startswith("llmfleet_models[0] (qwen).engine.image: got 'registry.example/vllm:v1'")


def test_recreating_several_replicas_is_warned_about(variables: Any, fleet_of: Any) -> None:
    model = variables["llmfleet_models"][0]
    model["rollout"] = {"strategy": "recreate"}
    assert fleet_of(variables).warnings == (
        "llmfleet_models[0] (qwen).rollout.strategy: got 'recreate': every change takes all replicas down, up to 3, "
        "until new ones have started",
    )
    model["scaling"] = {"min": 1, "max": 1}
    assert fleet_of(variables).warnings == ()


def test_tagged_strings_are_made_plain(variables: Any, fleet_of: Any) -> None:
    class Tagged(str):
        """As the template engine's: what it makes of itself is tagged again."""

        def __str__(self) -> str:
            return self

    variables["llmfleet_models"][0]["name"] = Tagged("qwen")
    assert type(fleet_of(variables).models[0].name) is str
    assert type(fleet_of(variables).models[0].fields["name"]) is str
