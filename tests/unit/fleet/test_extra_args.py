# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""engine.extra_args: managed flags in every spelling, unknown flags, values. The recorded data."""

from __future__ import annotations

import argparse
import re
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_flags import MANAGED, ExtraArgs, managed_flag
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_options import (
    OPTIONS,
    REASONING_PARSERS,
    TOOL_PARSERS,
    VERSION,
)

# The contract's list.
_TEXT = """--model --served-model-name --max-model-len --max-num-seqs --gpu-memory-utilization --quantization
--enable-prefix-caching --cpu-offload-gb --kv-offloading-size --kv-offloading-backend --enable-auto-tool-choice
--tool-call-parser --reasoning-parser --enable-lora --max-loras --max-lora-rank --lora-modules --port --host --uds
--root-path --load-format --model-loader-extra-config --tensor-parallel-size --pipeline-parallel-size --data-parallel-*
--nnodes --node-rank --headless --distributed-executor-backend --download-dir --revision --hf-token --api-key --ssl-*
--config --shutdown-timeout"""
CONTRACT = re.findall(r"\S+", _TEXT)


def refusal(token: Any) -> str:
    """Reason and accepted alternative of a token, '' when it can be used."""
    return "; ".join(ExtraArgs().refusal(token) or ())


def test_the_list_is_the_contracts() -> None:
    # And what would end the engine, or is set for several nodes.
    assert [flag for flag in MANAGED if flag not in ("--help", "--master-*")] == CONTRACT


def test_the_recorded_options_are_those_of_the_pinned_engine() -> None:
    assert versions().vllm == VERSION
    assert len(OPTIONS) > 250 and len(TOOL_PARSERS) > 30 and len(REASONING_PARSERS) > 20
    names = [name for option in OPTIONS for name in option["names"]]
    assert len(names) == len(set(names))
    for flag in MANAGED:
        assert any(name == flag or flag.endswith("*") and name.startswith(flag[:-1]) for name in names), flag


def _parser() -> argparse.ArgumentParser:
    """A parser with every recorded option: what Python's argparse itself would take a token for."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    for index, option in enumerate(OPTIONS):
        if option["values"] == "none":
            parser.add_argument(*option["names"], dest=f"o{index}", action="store_true")
        else:
            parser.add_argument(*option["names"], dest=f"o{index}", nargs="*")
    return parser


def test_every_prefix_of_every_managed_flag_that_the_parser_takes_is_refused() -> None:
    parser = _parser()
    tried = 0
    for index, option in enumerate(OPTIONS):
        if managed_flag(option) is None:
            continue
        for name in option["names"]:
            if not name.startswith("--"):
                continue
            for end in range(4, len(name) + 1):
                try:
                    parsed, _ = parser.parse_known_args([name[:end]])
                except (argparse.ArgumentError, SystemExit):
                    continue
                if not getattr(parsed, f"o{index}") and getattr(parsed, f"o{index}") != []:
                    continue
                tried += 1
                for spelling in (name[:end], "--" + name[2:end].replace("-", "_")):
                    for token in (spelling, spelling + "=1", spelling + ".key=1", spelling + ".key+=1"):
                        assert "managed flag" in refusal(token), token
    assert tried > 300


@pytest.mark.parametrize(
    ("token", "field"),
    [
        ("--max-model-len=8192", "engine.context_length"),
        ("--max_model_len=8192", "engine.context_length"),
        ("--max-model-l=1", "engine.context_length"),
        ("--no-enable-prefix-caching", "engine.prefix_caching"),
        ("--no-enable-lora", "adapters"),
        ("--no-enable-auto-tool-choice", "engine.tool_call_parser"),
        ("--device-memory-utilization=0.5", "engine.gpu_memory_utilization"),
        ("-tp=2", "gpu.count"),
        ("-tp", "gpu.count"),
        ("-q=fp8", "engine.quantization"),
        ("-dp=2", "scaling.max"),
        ("-pp=2", "gpu.nodes"),
        ("--data-parallel-rpc-port=1", "scaling.max"),
        ("--data_parallel_size=2", "scaling.max"),
        ("--ssl-keyfile=x", "nothing: the gateway"),
        ("--model-loader-extra-config.concurrency=4", "weights.stream_concurrency"),
        ("--shutdown-timeout=1", "gateway.timeout"),
        ("--config=/x.yaml", "the fields of engine"),
        ("--conf=/x.yaml", "the fields of engine"),
        ("--help", "would not start"),
    ],
)
def test_managed(token: str, field: str) -> None:
    assert "managed flag" in refusal(token)
    assert field in refusal(token)


@pytest.mark.parametrize(
    "token",
    [
        "--enforce-eager",
        "--no-enforce-eager",
        "--enforce_eager",
        "--dtype=float32",
        "--seed=-1",
        "--kv-cache-dtype=fp8",
        '--override-generation-config={"temperature": 0.5}',
        "--compilation-config.level=3",
        "--block-size=16",
        "--enable-expert-parallel",
        "--tokenizer-mode=auto",
    ],
)
def test_accepted(token: str) -> None:
    assert refusal(token) == ""


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("--enforce-eagr", "nearest: --enforce-eager"),
        ("--enforce-eag", "nearest: --enforce-eager"),
        ("--swap-space=4", "not a flag of vLLM"),
        ("--dtype", "has no value"),
        ("--dtype=float33", "not one of the flag's values"),
        ("--block-size=big", "not an integer"),
        ("--enforce-eager=true", "has a value"),
        ("--dtype float32", "not a single token"),
        ("dtype=float32", "not a single token"),
        ("--", "not a single token"),
        ("--=x", "not a single token"),
        ("--dtype=a\nb", "not a single token"),
        ("-O3", "not a single token"),
        ("", "not a single token"),
        (3, "not a string"),
        (None, "not a string"),
        ("--seed=" + "1" * 250, "257 characters"),
    ],
)
def test_refused(token: Any, reason: str) -> None:
    assert reason in refusal(token)


def test_at_most_sixteen(variables: Any, errors: Any) -> None:
    model = variables["llmfleet_models"][0]
    model["engine"] = {"extra_args": ["--enforce-eager"] * 16}
    assert errors(variables) == []
    model["engine"]["extra_args"].append("--enforce-eager")
    (line,) = errors(variables)
    assert line.startswith("llmfleet_models[0] (qwen).engine.extra_args: got 17 tokens: too many; accepted: at most 16")


def test_a_line_names_flag_and_field(variables: Any, errors: Any) -> None:
    variables["llmfleet_models"][0]["engine"] = {"extra_args": ["--enforce-eager", "--max-num-seqs=7"]}
    assert errors(variables) == [
        "llmfleet_models[0] (qwen).engine.extra_args[1]: got --max-num-seqs=…: managed flag --max-num-seqs; "
        "accepted: the field engine.max_sequences"
    ]
