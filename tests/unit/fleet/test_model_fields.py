# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every field of a model: what is accepted, what is refused, and what is not yet built."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import get
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_fields import MODEL_FIELDS

C = "0123456789abcdef0123456789abcdef01234567"
HOURS = {"start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "timezone": "Europe/Paris", "replicas": 2}
ADAPTER = {"name": "sql", "repository": "o/sql", "revision": C}
RULE = {"alert": "Slow", "expr": "vector(1)", "for": "5m"}
# path -> (accepted and built, accepted and not yet built, refused)
CASES: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    "name": (
        ["a", "qwen3-8b", "a" * 40],
        [],
        ["Qwen", "3b", "a-", "a.b", "a_b", "", "a" * 41, 3, True, ["a"], "a\n"],
    ),
    "weights.repository": (["o/n", "Org_1/n.a-me_2"], [], ["n", "o/n/x", "/n", "o/", "o n/x", 1, "https://x/y"]),
    "weights.revision": ([C], [], ["main", C[:39], C.upper(), C + "0", 3, "", "a b", "../x"]),
    "weights.allow_moving_revision": ([True, False], [], ["true", 1, 0]),
    "weights.source": (
        ["hub", "s3://my-bucket/mirror", "s3://b.x/p/q"],
        [],
        [
            "/srv/mirror",
            "/srv/../etc",
            "Hub",
            "s3://",
            "s3://bucket",
            "s3://B/p",
            "http://x/y",
            "mirror",
            1,
            "s3://bucket/p*",
        ],
    ),
    "weights.token_secret": (["hf-token", "hf.token"], [], ["HF", "a_b", 3, ""]),
    "weights.files": ([["*.safetensors"], ["a/*.json", "x.bin"]], [], [[], "*", [1], [""], ["/etc/x"], ["a b"]]),
    "weights.load": (["mount", "stream"], [], ["eager", True]),
    # Any value is refused as long as load is mount: see the rules.
    "weights.stream_concurrency": ([], [], [0, 65, "16", 1.5, True]),
    "engine.context_length": ([1024, 131072], [], [1023, "4096", 4096.0, True]),
    "engine.max_sequences": ([1, 512], [], [0, "64", True]),
    "engine.quantization": (["none", "fp8", "awq", "gptq", "bitsandbytes"], [], ["fp16", "", None.__class__, False]),
    "engine.gpu_memory_utilization": ([0.1, 0.5, 0.98], [], [0.09, 0.99, 1, "0.9", True]),
    "engine.prefix_caching": ([True, False], [], ["yes", 1]),
    "engine.kv_offload_gib": ([0, 1, 8], [], [-1, "8", True, 1.5, 500]),
    "engine.tool_call_parser": (["hermes", "mistral"], [], ["hermess", 3, ""]),
    "engine.reasoning_parser": (["qwen3", "deepseek_r1"], [], ["qwen", False]),
    "engine.extra_args": ([[], ["--enforce-eager"], ["--dtype=float32"]], [], ["--enforce-eager", ["-O3"], [3]]),
    "engine.env": (
        [{}, {"A_B": "1"}, {"VLLM_LOGGING_LEVEL": "DEBUG"}],
        [],
        [
            {"A": 1},
            {"A": True},
            {"1A": "x"},
            {"A-B": "x"},
            {"HF_TOKEN": "x"},
            {"HF_HUB_OFFLINE": "0"},
            {"VLLM_CACHE_ROOT": "/x"},
            {"HOME": "/"},
            {"USER": "x"},
            {"POD_NAME": "x"},
            ["A=1"],
        ],
    ),
    "engine.image": (
        ["registry.example/vllm:v1", f"a/b@sha256:{'0' * 64}"],
        [],
        ["", "A B", 3, "x y", "a/b", "h:5000/b"],
    ),
    "gpu.pool": (["l4"], [], ["nosuch", 3, "L4"]),
    "gpu.count": ([1], [], [0, 9, "1", True, 2]),
    "gpu.nodes": ([1, 2, 4], [], [0, 17, "1", True]),
    "resources.requests": (
        [{"cpu": "1", "memory": "2Gi"}, {"cpu": 2}, {"memory": "1.5Gi"}],
        [],
        [{"cpu": "x"}, {"cpu": True}, {"cpu": 1.5}, {"memory": "0"}, {"memory": "-1Gi"}, {"nvidia.com/gpu": "1"}, []],
    ),
    "resources.limits": ([{"memory": "64Gi"}, {}], [], [{"memory": "64gb"}, {"nvidia.com/gpu": 1}, "8Gi"]),
    "adapters": (
        [
            [],
            [{**ADAPTER, "token_secret": "t"}],
            [{**ADAPTER, "name": f"a{i}", "token_secret": None} for i in range(8)],
        ],
        [],
        [
            {},
            ["sql"],
            [{**ADAPTER, "name": "SQL"}],
            [{**ADAPTER, "revision": "main"}],
            [{**ADAPTER, "repository": "sql"}],
            [{**ADAPTER, "rank": 8}],
            [{**ADAPTER, "name": "a" * 64}],
            [{**ADAPTER, "name": f"a{i}"} for i in range(9)],
            [ADAPTER, ADAPTER],
            [{**ADAPTER, "name": "qwen"}],
        ],
    ),
    "adapters_max_rank": ([8, 16, 32, 64, 128, 256], [], [7, "64", 64.0, True, 512]),
    "specialties": ([[]], [["code"], ["code-fim", "general", "math"]], ["code", ["nosuch"], ["code", "code"], [1]]),
    "scaling.min": ([1, 3], [0], [-1, "1", True, 1.0, 4]),
    "scaling.max": ([3, 1, 2, 10], [], [0, "3", True]),
    "scaling.running_target": ([0.7, 0.5, 1], [], [0, 1.1, "0.7", True]),
    "scaling.kv_cache_target": ([0.6, 1, 0.01], [], [0, 1.01, "x"]),
    "scaling.waiting_target": ([8, 1, 20], [], [0, "8", 1.5]),
    "scaling.saturation_target": ([], [], [0, 1.5, "1", 0.5]),
    "scaling.polling_interval": ([15, 5, 300], [], [4, 301, "15s", "15"]),
    "scaling.scale_down_after": ([300, 60, 3600], [], [59, 3601, "5m"]),
    "scaling.schedule": (
        [[], [HOURS], [{**HOURS, "end": "*/20,59 0-23/2 ? Jan-DEC sun,1-5"}]],
        [],
        [
            [{**HOURS, "end": HOURS["start"]}],
            [{**HOURS, "replicas": 4}],
            [{**HOURS, "replicas": 0}],
            [{**HOURS, "timezone": "Mars/One"}],
            [{**HOURS, "start": "every day"}],
            [{**HOURS, "start": "60 8 * * *"}],
            [{**HOURS, "start": "0 24 * * *"}],
            [{**HOURS, "start": "0 8 0 * *"}],
            [{**HOURS, "start": "0 8 * 13 *"}],
            [{**HOURS, "start": "0 8 * * 7"}],
            [{**HOURS, "start": "0 8 * * mon-sun"}],
            [{**HOURS, "start": "*/0 8 * * *"}],
            [{**HOURS, "start": "0 8 * * 1,"}],
            [{**HOURS, "start": "0 0 8 * * *"}],
            [{**HOURS, "start": "@daily"}],
            [{"start": "0 8 * * *"}],
            {},
        ],
    ),
    "gateway.enabled": ([True, False], [], ["true", 1]),
    "gateway.endpoint_picker": ([False, True], [], ["false", 0]),
    "gateway.canaries": ([[]], [], [[{"adapter": "sql", "weight": 5}], [{"adapter": "sql"}], {}]),
    "gateway.fallback": ([[]], [], [[{"model": "qwen"}], [{"model": "nosuch"}], ["qwen"], [{}]]),
    "gateway.timeout": (["600s", "1h30m", "10m", "1h1m1s"], [], ["0s", "600", 600, "1d", "1h1m1s1s", "-1s", "100000s"]),
    "rollout.strategy": (["recreate", "rolling"], [], ["Recreate", True]),
    "rollout.priority": (["high"], [], ["High Priority", 3]),
    "availability.do_not_disrupt": ([True, False], [], ["true", 1]),
    "startup.budget": (["60s", "1h"], [], ["59s", "90", 900]),
    "env_from_secrets": ([[], ["a", "b"]], [], ["a", ["a", "a"], [1], ["A"]]),
    "network.extra_ingress": (
        [
            [],
            [{"podSelector": {}}],
            [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}, {"ipBlock": {"cidr": "fd00::/8"}}],
            [{"namespaceSelector": {"matchLabels": {"a/b": "c"}}, "podSelector": {"matchLabels": {"x": ""}}}],
            [{"podSelector": {"matchExpressions": [{"key": "x", "operator": "In", "values": ["a", "b"]}]}}],
            [{"podSelector": {"matchExpressions": [{"key": "x", "operator": "Exists"}]}}],
        ],
        [],
        [
            {},
            [{}],
            [{"ports": []}],
            [{"ipBlock": {}, "podSelector": {}}],
            [{"ipBlock": {}}],
            [{"ipBlock": {"cidr": "10.0.0.1/8"}}],
            [{"ipBlock": {"cidr": "10.0.0.1"}}],
            [{"ipBlock": {"cidr": 10}}],
            [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}],
            [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}],
            [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["fd00::/16"]}}],
            [{"ipBlock": {"cidr": "10.0.0.0/8", "except": "10.1.0.0/16"}}],
            [{"ipBlock": {"cidr": "10.0.0.0/8", "port": 80}}],
            [{"podSelector": {"app": "x"}}],
            [{"podSelector": {"matchLabels": {"a b": "x"}}}],
            [{"podSelector": {"matchLabels": {"a": "x y"}}}],
            [{"podSelector": {"matchLabels": {"a": 1}}}],
            [{"podSelector": {"matchLabels": []}}],
            [{"podSelector": {"matchExpressions": {}}}],
            [{"podSelector": {"matchExpressions": ["x"]}}],
            [{"podSelector": {"matchExpressions": [{"key": "x", "operator": "In"}]}}],
            [{"podSelector": {"matchExpressions": [{"key": "x", "operator": "Exists", "values": ["a"]}]}}],
            [{"podSelector": {"matchExpressions": [{"key": "x", "operator": "Gt", "values": ["1"]}]}}],
            [{"podSelector": {"matchExpressions": [{"operator": "Exists"}]}}],
        ],
    ),
    "network.extra_egress": (
        [[], [{"namespaceSelector": {}}]],
        [],
        [["x"], [{"to": {}}], [{"ipBlock": {"cidr": "everywhere"}}]],
    ),
    "metrics_interval": (["30s", "1m"], [], ["0s", 30]),
    "alerts.enabled": ([True, False], [], ["true", 1]),
    "alerts.extra_rules": ([[]], [], [{}, [{"alert": "x"}], [{**RULE, "for": "soon"}], [{**RULE, "x": 1}]]),
    "labels": (
        [{}, {"team": "a", "example.com/x": ""}],
        [],
        [
            {"team": 1},
            {"bad key": "a"},
            {"team": "a b"},
            {"app.kubernetes.io/name": "x"},
            {"app.kubernetes.io/managed-by": "x"},
            {"llmfleet.io/layer": "x"},
            [],
        ],
    ),
    "annotations": (
        [{"a/b": "any text {}"}],
        [],
        [{"a/b": 1}, {"karpenter.sh/do-not-disrupt": "false"}, {"sub.llmfleet.io/x": "y"}],
    ),
}


def test_every_field_has_cases() -> None:
    assert list(CASES) == [field.path for field in MODEL_FIELDS]


def _cases(kind: int) -> list[Any]:
    return [
        pytest.param(path, value, id=f"{path}={value!r}"[:70]) for path, three in CASES.items() for value in three[kind]
    ]


@pytest.mark.parametrize(("path", "value"), _cases(0))
def test_accepted(path: str, value: Any, variables: Any, errors: Any, fleet_of: Any, put: Any) -> None:
    variables["llmfleet_models"] = [put(variables["llmfleet_models"][0], path, value)]
    assert errors(variables) == []
    found = fleet_of(variables).models[0].get(path)
    if path.startswith("resources."):
        value = {key: str(amount) for key, amount in value.items()}
    assert found == value


@pytest.mark.parametrize(("path", "value"), _cases(1))
def test_not_yet_built(path: str, value: Any, variables: Any, errors: Any, put: Any) -> None:
    variables["llmfleet_models"] = [put(variables["llmfleet_models"][0], path, value)]
    (line,) = errors(variables)
    assert line.startswith(f"llmfleet_models[0] (qwen).{path}: got ")
    assert line.endswith("not yet built")


def test_what_is_accepted_of_a_field_that_is_built_in_part_is_said(variables: Any, errors: Any) -> None:
    assert [bool(field.built_text) for field in MODEL_FIELDS] == [field.built_for is not None for field in MODEL_FIELDS]
    variables["llmfleet_models"][0]["scaling"] = {"min": 0}
    (line,) = errors(variables)
    assert line.endswith("scaling.min: got 0: accepted: 1 or more; the rest is not yet built")


@pytest.mark.parametrize(("path", "value"), _cases(2))
def test_refused(path: str, value: Any, variables: Any, errors: Any, put: Any) -> None:
    variables["llmfleet_models"] = [put(variables["llmfleet_models"][0], path, value)]
    lines = errors(variables)
    known_as = value.replace("\n", "?") if path == "name" and isinstance(value, str) and value else "?"
    known_as = known_as if path == "name" else "qwen"
    assert lines
    for line in lines:
        assert line.startswith(f"llmfleet_models[0] ({known_as}).{path}") or path == "scaling.min"
        assert ": got " in line and "; accepted: " in line or ": accepted: " in line
        assert "\n" not in line


@pytest.mark.parametrize("path", [field.path for field in MODEL_FIELDS if field.required])
def test_required(path: str, variables: Any, errors: Any, put: Any) -> None:
    variables["llmfleet_models"] = [put(variables["llmfleet_models"][0], path, None)]
    (line,) = errors(variables)
    name = "?" if path == "name" else "qwen"
    assert line.startswith(f"llmfleet_models[0] ({name}).{path}: got nothing: required; accepted: ")


def test_defaults(variables: Any, fleet_of: Any) -> None:
    model: Model = fleet_of(variables).models[0]
    for field in MODEL_FIELDS:
        if field.default is not None and not field.required:
            assert model.get(field.path) == field.default
    assert get(dict(model.fields), "rollout.strategy") == "rolling"


@pytest.mark.parametrize("path", ["nosuch", "engine.nosuch", "weights.pvc", "gpu.minVRAM", "scaling.cooldown"])
def test_unknown_keys(path: str, variables: Any, errors: Any, put: Any) -> None:
    variables["llmfleet_models"] = [put(variables["llmfleet_models"][0], path, "sk-verysecretvalue")]
    (line,) = errors(variables)
    assert line.startswith(f"llmfleet_models[0] (qwen).{path}: got an unknown key: ")
    assert "verysecret" not in line
