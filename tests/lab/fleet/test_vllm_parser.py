# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded options, and what we take or refuse, against the parser of the vLLM that the lab runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import vllm_options
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.engine_args import engine_args
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_flags import ExtraArgs, managed_flag
from llmfleet_lab.lifecycle import make_plan
from llmfleet_lab.paths import Paths

from tests.unit.fleet.bad_descriptions import TABLES

TOOLS = Path(__file__).resolve().parents[2] / "tools"
FREE = ["--enforce-eager", "--dtype=float32", "--seed=3", "--block-size=16", "--no-async-scheduling", "--enforce_eager"]
VALUES = ("", "=1", "=0.5", "=auto", '={"a": 1}', ".a=1")
MODEL = {
    "name": "qwen",
    "weights": {"repository": "o/n", "revision": "0" * 40, "load": "stream", "stream_concurrency": 32},
    "gpu": {"pool": "lab", "count": 2, "nodes": 2},
    "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "8Gi"}},
    "adapters": [{"name": name, "repository": f"o/{name}", "revision": "a" * 40} for name in ("sql", "css")],
    "adapters_max_rank": 256,
    "engine": {
        "kv_offload_gib": 4,
        "tool_call_parser": "hermes",
        "reasoning_parser": "qwen3",
        "quantization": "fp8",
        "prefix_caching": False,
        "extra_args": FREE,
    },
}


def spellings() -> list[str]:
    """Tokens that the parser may take for a managed option: its names, their beginnings, underscores; with values."""
    names = [name for option in vllm_options.OPTIONS if managed_flag(option) for name in option["names"]]
    cut = [name[: len(name) - less] for name in names for less in (0, 1, 2, 4) if len(name) - less > 4]
    flags = [*cut, *(f"--{name[2:].replace('-', '_')}" for name in cut if name.startswith("--"))]
    # And those that the tables of bad descriptions have, as people write them.
    tables = sorted(TABLES.glob("flags*.yml"))
    lists = [case["set"]["engine.extra_args"] for path in tables for case in yaml.safe_load(path.read_text())["cases"]]
    written = [token for value in lists if isinstance(value, list) for token in value if isinstance(token, str)]
    return list(dict.fromkeys([flag + value for flag in dict.fromkeys(flags) for value in VALUES] + written))


@pytest.fixture(scope="module")
def engine_arguments() -> list[str]:
    """The arguments of a model with every field that makes one."""
    fleet = describe(
        {
            "llmfleet_cluster": {"name": "lab", "region": "eu-west-3", "account": "123456789012"},
            "llmfleet_gpu_pools": [{"name": "lab", "static": True, "gpu_count": 4}],
            "llmfleet_models": [MODEL],
        }
    )
    return engine_args(fleet.models[0])


@pytest.fixture(scope="module")
def answers(paths: Paths, engine_arguments: list[str]) -> dict[str, Any]:
    """What the parser says: recorded text, and by the arguments as JSON what it makes of them."""
    # The lab's tree is compiled for Debian's Python.
    questions = [engine_arguments, *([token] for token in (*FREE, *spellings()))]
    done = subprocess.run(
        ["/usr/bin/python3", "-S", "-B", str(TOOLS / "ask_vllm_parser.py")],
        input=json.dumps(questions),
        env={**os.environ, "PYTHONPATH": str(make_plan(paths).folder("vllm")), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    by_arguments = {json.dumps(key): value for key, value in zip(questions, answer["parsed"], strict=True)}
    return {"recorded": answer["recorded"], "parsed": by_arguments}


def test_the_recorded_options_are_the_installed_ones(answers: dict[str, Any]) -> None:
    assert Path(str(vllm_options.__file__)).read_text(encoding="utf-8") == answers["recorded"]


def test_the_parser_takes_our_arguments(answers: dict[str, Any], engine_arguments: list[str]) -> None:
    found = answers["parsed"][json.dumps(engine_arguments)]
    assert found is not None
    wanted = {
        "--model": f"/models/{'0' * 40}",
        "--served-model-name": "['qwen']",
        "--max-model-len": "4096",
        "--tensor-parallel-size": "2",
        "--shutdown-timeout": "600",
        "--quantization": "fp8",
        "--tool-call-parser": "hermes",
        "--reasoning-parser": "qwen3",
        "--seed": "3",
        "--load-format": "runai_streamer",
        "--model-loader-extra-config": "{'concurrency': 32}",
        "--kv-offloading-size": "4.0",
        "--max-loras": "2",
        "--max-lora-rank": "256",
        "--pipeline-parallel-size": "2",
        "--nnodes": "2",
        "--master-addr": "$(LWS_LEADER_ADDRESS)",
    }
    assert wanted.items() <= found.items()
    assert found["--no-enable-prefix-caching"] == "False"


def test_what_we_take_is_taken_and_touches_nothing_managed(answers: dict[str, Any]) -> None:
    options = {name: option for option in vllm_options.OPTIONS for name in option["names"]}
    for token in FREE:
        assert ExtraArgs().refusal(token) is None
        assert answers["parsed"][json.dumps([token])] is not None
    for key, found in answers["parsed"].items():
        tokens = json.loads(key)
        if len(tokens) == 1 and ExtraArgs().refusal(tokens[0]) is None:
            assert found is not None and not any(managed_flag(options[name]) for name in found), tokens


def test_what_the_parser_takes_for_a_managed_flag_is_refused(answers: dict[str, Any]) -> None:
    options = {name: option for option in vllm_options.OPTIONS for name in option["names"]}
    seen = set()
    for token in spellings():
        found = answers["parsed"][json.dumps([token])] or {}
        for name in found:
            flag = managed_flag(options[name])
            if flag:
                seen.add(flag)
                assert "managed flag" in (ExtraArgs().refusal(token) or ("",))[0], token
    # Not all of them take one of the values that were tried; most do.
    assert len(seen) > 25
