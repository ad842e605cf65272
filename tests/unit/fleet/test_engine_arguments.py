# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's arguments: those of each field, and that the pinned engine's parser has all of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.engine_args import engine_args, worker_args
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_options import OPTIONS

ROOT = Path(__file__).resolve().parents[3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
ADAPTERS = [{"name": name, "repository": f"o/{name}", "revision": "a" * 40} for name in ("sql", "css")]
BY_NAME = {name: option for option in OPTIONS for name in option["names"]}
# What the kubelet replaces, with a value as it would be there.
REPLACED = {"$(LWS_LEADER_ADDRESS)": "qwen-0.qwen-0.llm", "$(LWS_WORKER_INDEX)": "1"}
# Fields of a model that make arguments, by themselves and together.
CHANGES: dict[str, dict[str, Any]] = {
    "none": {},
    "engine": {"engine": {"tool_call_parser": "hermes", "reasoning_parser": "qwen3", "quantization": "fp8"}},
    "no prefix caching": {"engine": {"prefix_caching": False, "gpu_memory_utilization": 0.1}},
    "offload": {"engine": {"kv_offload_gib": 3}},
    "stream": {"weights": {"repository": "o/n", "revision": COMMIT, "load": "stream", "stream_concurrency": 64}},
    "adapters": {"adapters": ADAPTERS, "adapters_max_rank": 8},
    "most adapters": {"adapters": [{**ADAPTERS[0], "name": f"a{i}"} for i in range(8)], "adapters_max_rank": 256},
    "several GPUs": {"gpu": {"pool": "lab", "count": 4}},
    "several nodes": {"gpu": {"pool": "lab", "count": 2, "nodes": 16}},
    "all": {
        "weights": {"repository": "o/n", "revision": COMMIT, "load": "stream"},
        "adapters": ADAPTERS,
        "engine": {"kv_offload_gib": 1, "quantization": "awq", "extra_args": ["--enforce-eager", "--seed=3"]},
        "gpu": {"pool": "lab", "count": 2, "nodes": 2},
    },
}


def problems(args: list[str]) -> list[str]:
    """What the recorded options of the parser have against some arguments."""
    found, rest = [], [REPLACED.get(token, token) for token in args]
    while rest:
        flag, sign, value = rest.pop(0).partition("=")
        option = BY_NAME.get(flag)
        if option is None:
            found.append(f"{flag} is no option")
            continue
        values = [value] if sign else []
        while not sign and rest and not rest[0].startswith("-"):
            values.append(rest.pop(0))
        least, most = {"none": (0, 0), "one": (1, 1), "optional": (0, 1), "many": (1, 99)}[option["values"]]
        if not least <= len(values) <= most:
            found.append(f"{flag} has {len(values)} values")
        for each in values:
            if "choices" in option and each not in option["choices"]:
                found.append(f"{flag} has no choice {each}")
            if option.get("type") in ("int", "float"):
                try:
                    float(each) if option["type"] == "float" else int(each)
                except ValueError:
                    found.append(f"{flag} takes no {each}")
    return found


def test_problems_are_seen() -> None:
    assert problems(["--nosuch", "x"]) == ["--nosuch is no option", "x is no option"]
    assert problems(["--max-loras"]) == ["--max-loras has 0 values"]
    assert problems(["--enable-lora", "x"]) == ["--enable-lora has 1 values"]
    assert problems(["--max-lora-rank", "7"]) == ["--max-lora-rank has no choice 7"]
    assert problems(["--node-rank", "$(POD_NAME)"]) == ["--node-rank takes no $(POD_NAME)"]
    assert problems(["--lora-modules", "a=b", "c=d", "--enforce-eager"]) == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_pinned_parser_has_every_argument(change: Any, variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0].update(change)
    model = fleet_of(variables).models[0]
    assert problems(engine_args(model)) == []
    command, path, *rest = worker_args(model)
    assert (command, path) == ("serve", f"/models/{COMMIT}") and problems(rest) == []


@pytest.mark.parametrize("inventory", ["example", "lab"])
def test_the_pinned_parser_has_every_argument_of_the_inventories(inventory: str) -> None:
    (folder,) = (ROOT / "inventories" / inventory / "host_vars").iterdir()
    given: dict[str, Any] = {}
    for file in sorted(folder.iterdir()):
        given |= yaml.safe_load(file.read_text(encoding="utf-8"))
    # Values that the play reads from elsewhere concern no model.
    plain = {key: value for key, value in given.items() if "{{" not in str(value)}
    plain["llmfleet_cluster"] = {"name": "x", "region": "eu-west-3", "account": "123456789012"}
    models = describe(plain).models
    assert models
    for model in models:
        assert problems(engine_args(model)) == []


def _documented() -> list[dict[str, Any]]:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "models.md").read_text(encoding="utf-8"), re.DOTALL)
    return [model for block in blocks for model in yaml.safe_load(block)]


@pytest.mark.parametrize("number", range(len(_documented())))
def test_the_descriptions_of_the_documentation(number: int, variables: Any, fleet_of: Any) -> None:
    model = _documented()[number]
    wide = {"name": "l4x4", "instance_types": ["g6.12xlarge"], "gpu_count": 4, "limit": 8}
    variables["llmfleet_gpu_pools"].append(variables["llmfleet_gpu_pools"][0] | wide)
    del variables["llmfleet_gpu_pools"][-1]["instance_families"]
    variables["llmfleet_models"] = [model]
    fleet = fleet_of(variables)
    assert fleet.warnings == () and problems(engine_args(fleet.models[0])) == []
    entries = desired(fleet, {"weights/fetcher/__main__.py": ""}).objects
    found = [entry["object"]["kind"] for entry in entries if entry["component"] == "models"]
    several = model["gpu"].get("nodes", 1) > 1
    assert ("LeaderWorkerSet" if several else "Deployment") in found and "HTTPRoute" in found
    jobs = [entry for entry in entries if entry["object"]["kind"] == "Job"]
    assert len(jobs) == 1 + len(model.get("adapters", []))


def _args(variables: Any, fleet_of: Any, **change: Any) -> list[str]:
    variables["llmfleet_models"][0].update(change)
    return engine_args(fleet_of(variables).models[0])


def _after(args: list[str], flag: str) -> str:
    return args[args.index(flag) + 1]


def test_adapters(variables: Any, fleet_of: Any) -> None:
    args = _args(variables, fleet_of, adapters=ADAPTERS, adapters_max_rank=16)
    begin = args.index("--enable-lora")
    assert args[begin:] == [
        *("--enable-lora", "--max-loras", "2", "--max-lora-rank", "16", "--lora-modules"),
        # Below the folder of the model that is mounted; under their names verbatim.
        *(f"sql=/models/adapters/sql/{'a' * 40}", f"css=/models/adapters/css/{'a' * 40}"),
    ]


def test_stream(variables: Any, fleet_of: Any, commit: str) -> None:
    weights = {"repository": "o/n", "revision": commit, "load": "stream", "stream_concurrency": 32}
    args = _args(variables, fleet_of, weights=weights)
    assert _after(args, "--load-format") == "runai_streamer"
    assert _after(args, "--model-loader-extra-config") == '{"concurrency":32}'
    # It reads the mounted files, not the bucket.
    assert _after(args, "--model").startswith("/models/")
    del weights["stream_concurrency"]
    concurrency = _after(_args(variables, fleet_of, weights=weights), "--model-loader-extra-config")
    assert json.loads(concurrency) == {"concurrency": 16}


def test_offloading_is_of_the_kv_cache(variables: Any, fleet_of: Any) -> None:
    args = _args(variables, fleet_of, engine={"kv_offload_gib": 3})
    assert _after(args, "--kv-offloading-size") == "3" and _after(args, "--kv-offloading-backend") == "native"
    assert "--cpu-offload-gb" not in args
    assert "--kv-offloading-size" not in _args(variables, fleet_of, engine={})


def test_several_nodes(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0]["gpu"] = {"pool": "lab", "count": 2, "nodes": 3}
    variables["llmfleet_models"][0]["engine"] = {"extra_args": ["--enforce-eager"]}
    model = fleet_of(variables).models[0]
    leader, worker = engine_args(model), worker_args(model)
    for args, rank in ((leader, "0"), (worker, "$(LWS_WORKER_INDEX)")):
        assert _after(args, "--tensor-parallel-size") == "2" and _after(args, "--pipeline-parallel-size") == "3"
        assert _after(args, "--nnodes") == "3" and _after(args, "--node-rank") == rank
        assert _after(args, "--master-addr") == "$(LWS_LEADER_ADDRESS)" and args[-1] == "--enforce-eager"
    assert "--headless" in worker and "--headless" not in leader
    # All ranks have the same configuration.
    strip = ("serve", "--model", "--headless")
    same = [token for token in leader if token not in strip]
    assert [token if token != "$(LWS_WORKER_INDEX)" else "0" for token in worker if token not in strip] == same
