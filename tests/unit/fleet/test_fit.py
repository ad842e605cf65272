# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit of models: figures of the reference fleet, figures that a real engine logged, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Errors, Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit import Fit, fit, fit_of, read_checkpoint, told
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_memory import Gpu, gpu_of
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_refusals import refuse
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_settings import GIB, Settings, settings
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet
from llmfleet_lab import tinymodel

from tests.unit.fleet.fit_models import CODER, GUARD, QWEN3, REFERENCE, SIZES, files

L4 = Gpu("l4", 22 * GIB)
# Settings of the reference fleet (its platform gives each one L4).
SET = {
    "coder": Settings(32768, 32, 0.92, "fp8", offload_gib=16, adapters=2, rank=64),
    "qwen3": Settings(32768, 32, 0.92, "fp8", offload_gib=16),
    "fim": Settings(8192, 64, 0.92, "fp8"),
    "guard": Settings(8192, 64, 0.92, "none"),
}
# KiB of a token: 2 x layers x KV heads x head size x 2 bytes.
A_TOKEN = {"coder": 56, "qwen3": 144, "fim": 28, "guard": 32}
# GiB of weights: linear layers at half, the vocabulary as it is; the last is not quantized.
WEIGHTS = {
    "coder": (SIZES["coder"] - 4 * 152064 * 3584) / 2 + 4 * 152064 * 3584,
    "qwen3": (SIZES["qwen3"] - 4 * 151936 * 4096) / 2 + 4 * 151936 * 4096,
    "fim": (SIZES["fim"] - 2 * 151936 * 1536) / 2 + 2 * 151936 * 1536,
    "guard": SIZES["guard"],
}


def found(name: str, gpu: Gpu | None = L4, size: int = 0, config: dict[str, Any] | None = None, **changes: Any) -> Fit:
    """The fit of a model of the reference fleet, some settings changed."""
    checkpoint = read_checkpoint(config or REFERENCE[name], files(size or SIZES[name]))
    return fit_of(name, replace(SET[name], **changes), gpu, checkpoint)


def lines(one: Fit, gpus: int = 1) -> list[str]:
    """The errors of a fit; gpus: of a node."""
    errors = Errors()
    refuse(one, "l4", gpus, "owner/name", Where("llmfleet_models[3] (m)", errors))
    return errors.lines


@pytest.mark.parametrize("name", list(REFERENCE))
def test_the_reference_fleet_fits_an_l4(name: str) -> None:
    one = found(name)
    assert one.cache is not None and one.cache.token_bytes == A_TOKEN[name] * 1024
    assert one.weights == int(WEIGHTS[name])
    assert one.budget is not None and one.space == one.budget - one.weights - one.adapters - one.allowance
    assert one.tokens == one.space // (16 * one.cache.token_bytes) * 16
    assert one.starts and lines(one) == []


def test_the_reference_fleet_in_words() -> None:
    assert told(found("coder")) == [
        "coder: KV cache of 190,032 tokens (56.0 KiB each), 5.8 sequences of 32,768 at once (32 of 5,938); longest "
        "context 32,768 (max_position_embeddings 32768); 299,593 tokens more in the host's memory",
        "coder: of 20.2 GiB (0.92 of the 22.0 GiB of one l4): weights 8.1 GiB, adapters 0.6 GiB, allowance 1.3 GiB, "
        "KV cache 10.1 GiB",
    ]
    assert told(found("guard"))[0].startswith("guard: KV cache of ") and "at once;" in told(found("guard"))[0]


# What vLLM 0.32.0 logged on CPU as "CPU KV cache size", each with VLLM_CPU_KVCACHE_SPACE=1 and --dtype=float32:
# changes of the lab's small model, its context, tokens.
LOGGED: dict[str, tuple[dict[str, Any], int, int]] = {
    "full attention": ({}, 1024, 1_048_576),
    "every layer slides": (
        {
            "model_type": "mistral",
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "hidden_size": 256,
            "sliding_window": 512,
        },
        4096,
        399_457,
    ),
    "one layer of six is full": (
        {
            "model_type": "gemma3_text",
            "num_hidden_layers": 14,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "hidden_size": 256,
            "sliding_window": 512,
            "sliding_window_pattern": 6,
        },
        4096,
        106_184,
    ),
    "latent": (
        {
            "model_type": "deepseek_v2",
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "hidden_size": 256,
            "kv_lora_rank": 512,
            "qk_rope_head_dim": 64,
            "v_head_dim": 128,
        },
        4096,
        233_008,
    ),
    "linear rope scaling": (
        {"max_position_embeddings": 1024, "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
        4096,
        1_048_576,
    ),
}


@pytest.mark.parametrize("name", list(LOGGED))
def test_tokens_are_those_that_a_real_engine_logged(name: str) -> None:
    changes, context, tokens = LOGGED[name]
    how = Settings(context, 4, 0.1, "none", dtype="float32", eager=True, kv_bytes=GIB, cpu=True)
    one = fit_of(name, how, None, read_checkpoint(tinymodel._config() | changes, files(1_837_568)))
    assert one.tokens == tokens
    assert lines(one) == []


def test_an_engine_on_cpu_in_words(variables: Any, fleet_of: Callable[[Any], Fleet]) -> None:
    variables["llmfleet_models"][0] |= {
        "gpu": {"pool": "lab"},
        "engine": {
            "context_length": 1024,
            "max_sequences": 4,
            "extra_args": ["--dtype=float32", "--enforce-eager"],
            "env": {"VLLM_CPU_KVCACHE_SPACE": "1"},
        },
    }
    fleet = fleet_of(variables)
    one = fit(fleet.models[0], fleet.pool("lab"), read_checkpoint(tinymodel._config(), files(1_837_568)))
    assert told(one) == [
        "qwen: KV cache of 1,048,576 tokens (1.0 KiB each), 1024.0 sequences of 1,024 at once; longest context 8,192 "
        "(max_position_embeddings 8192)",
        "qwen: of the CPU engine: weights 1.8 MiB, KV cache 1.0 GiB",
    ]


def test_a_static_pool_has_figures_and_no_verdict() -> None:
    one = found("qwen3", None, quantization="none", context=40960)
    assert (one.tokens, one.sequences, one.longest, one.space, one.budget) == (None,) * 5
    assert one.starts and lines(one) == []
    assert told(one) == [
        "qwen3: 144.0 KiB of KV cache a token; longest context max_position_embeddings 40960",
        "qwen3: of a GPU of a pool whose memory is not known: weights 15.3 GiB, allowance 1.3 GiB",
    ]


def test_a_context_that_the_memory_does_not_hold() -> None:
    assert lines(found("qwen3", quantization="none")) == [
        "llmfleet_models[3] (m).engine.context_length: got 32768: one sequence needs 4.5 GiB of KV cache, and 3.7 GiB "
        "are left; accepted: at most 26624, engine.gpu_memory_utilization 0.96, or engine.quantization fp8"
    ]
    # Each suggestion holds, and a little less does not.
    for changes, starts in (
        ({"context": 26624}, True),
        ({"context": 27648}, False),
        ({"utilization": 0.96}, True),
        ({"utilization": 0.95}, False),
    ):
        assert found("qwen3", quantization="none", **changes).starts is starts, changes
    assert "or gpu.count 2" in lines(found("qwen3", quantization="none"), gpus=4)[0]


def test_weights_that_do_not_fit() -> None:
    large = {"size": 4 * SIZES["qwen3"]}
    assert lines(found("qwen3", **large), gpus=8) == [
        "llmfleet_models[3] (m).gpu.pool: got 'l4': a GPU of the pool gives the engine 20.2 GiB, and the model needs "
        "31.7 GiB of weights and 1.3 GiB beside them; accepted: gpu.count 2, or a pool of larger or more GPUs"
    ]
    assert found("qwen3", tensor=2, **large).starts and not found("qwen3", tensor=1, **large).starts
    (line,) = lines(found("qwen3", **large))
    assert line.endswith("accepted: a pool of larger or more GPUs")
    assert "missing 12.7 GiB" in told(found("qwen3", **large))[1]


def test_a_context_that_the_model_was_not_made_for() -> None:
    line = "llmfleet_models[3] (m).engine.context_length: got 65536: config.json says max_position_embeddings 40960; "
    assert lines(found("qwen3", context=65536)) == [line + "accepted: at most 40960"]
    # No more than what the memory holds is suggested.
    assert lines(found("qwen3", context=65536, quantization="none")) == [line + "accepted: at most 26624"]
    assert lines(found("qwen3", context=65536, long=True)) == []


@pytest.mark.parametrize(
    ("wanted", "has", "got"),
    [
        ("fp8", "awq", "the weights of owner/name are quantized already, by awq; accepted: none"),
        ("gptq", "compressed-tensors", "quantized already, by compressed-tensors; accepted: none"),
        ("awq", "", "the weights of owner/name are not quantized; accepted: none, fp8"),
        ("gptq", "", "the weights of owner/name are not quantized; accepted: none, fp8"),
        ("awq", "awq", ""),
        ("none", "gptq", ""),
        ("fp8", "fp8", ""),
        ("fp8", "", ""),
        ("bitsandbytes", "", "vLLM 0.32.0 does not have it any more; accepted: none, fp8"),
        ("bitsandbytes", "bitsandbytes", "vLLM 0.32.0 does not have it any more; accepted: none"),
    ],
)
def test_quantization(wanted: str, has: str, got: str) -> None:
    config = QWEN3 | ({"quantization_config": {"quant_method": has}} if has else {})
    one = found("qwen3", config=config, size=6 * GIB if has else 0, quantization=wanted)
    assert len(lines(one)) == bool(got)
    assert not got or lines(one)[0].startswith(f"llmfleet_models[3] (m).engine.quantization: got '{wanted}'")
    assert not got or got in lines(one)[0]
    if has:
        # A quantized checkpoint is what its files are.
        assert one.weights == 6 * GIB


def test_another_image_may_have_what_the_pinned_engine_has_not() -> None:
    one = found("qwen3", quantization="bitsandbytes", other_image=True)
    assert lines(one) == []
    # Linear weights at 4 bits, and 32 bits for each 64 of them.
    linear = SIZES["qwen3"] / 2 - 2 * 151936 * 4096
    assert one.weights == int(linear * 0.5625 + 4 * 151936 * 4096)


def test_older_quantized_repositories_have_a_file_that_says_so() -> None:
    checkpoint = read_checkpoint(QWEN3, files(6 * GIB, "quant_config.json"))
    assert lines(fit_of("m", replace(SET["qwen3"], quantization="awq"), L4, checkpoint)) == []


def test_heads_that_cannot_be_shared() -> None:
    assert lines(found("coder", tensor=3), gpus=8) == [
        "llmfleet_models[3] (m).gpu.count: got 3: the model's 28 attention heads cannot be shared by so many GPUs; "
        "accepted: 1, 2, 4, 7"
    ]


def test_kv_heads_are_replicated_and_weights_are_split() -> None:
    one, four = found("coder", adapters=0), found("coder", adapters=0, tensor=4)
    assert one.cache is not None and four.cache is not None
    assert four.cache.token_bytes == one.cache.token_bytes // 4
    assert four.weights == one.weights // 4
    seven = found("coder", adapters=0, tensor=7)
    assert seven.cache is not None and seven.cache.token_bytes == four.cache.token_bytes
    two = found("coder", adapters=0, pipeline=2)
    assert two.cache is not None and two.cache.token_bytes == one.cache.token_bytes // 2
    # Half of the layers, and of the two embeddings one.
    assert two.weights == one.weights // 2


def test_adapters() -> None:
    # By hand: rank 64, two bytes; a layer's q, k, v, o, gate, up and down, and the vocabulary.
    a_layer = 64 * ((3584 + 3584) * 2 + (3584 + 512) * 2 + (3584 + 18944) * 3)
    assert found("coder").adapters == 2 * 2 * (28 * a_layer + 64 * (3584 + 152064))
    assert found("coder", adapters=0).adapters == 0
    shared = found("coder", tensor=4).adapters
    assert found("coder").adapters / 4 < shared < found("coder").adapters


@pytest.mark.parametrize(
    ("changes", "token"),
    [
        ({"cache": "fp8"}, 72 * 1024),
        ({"cache": "bfloat16"}, 144 * 1024),
        ({"dtype": "float32"}, 288 * 1024),
        ({"cache": "int4_per_token_head"}, None),
        ({"overridden": True}, None),
    ],
)
def test_types_of_the_cache(changes: dict[str, Any], token: int | None) -> None:
    one = found("qwen3", **changes)
    assert one.as_dict()["kv_token"] == token
    assert bool(one.unknown) is (token is None)
    if one.unknown:
        assert told(one)[0] == f"qwen3: KV cache not computed: {one.unknown}"
        assert one.tokens is None and lines(one) == []


def test_what_is_unknown_is_said_and_weights_are_judged_all_the_same() -> None:
    config = QWEN3 | {"model_type": "jamba"}
    assert lines(found("qwen3", config=config)) == []
    assert "the KV cache of the family jamba is not known here" in told(found("qwen3", config=config))[0]
    assert "gpu.pool: got 'l4'" in lines(found("qwen3", config=config, size=4 * SIZES["qwen3"]))[0]


def test_settings_are_those_of_the_description(variables: Any, fleet_of: Callable[[Any], Fleet]) -> None:
    variables["llmfleet_models"][0] |= {
        "engine": {
            "context_length": 2048,
            "max_sequences": 7,
            "quantization": "fp8",
            "gpu_memory_utilization": 0.8,
            "extra_args": [
                "--kv_cache_dtype=fp8",
                "--max-num-batched-tokens=512",
                "--block-size=32",
                "--kv-cache-memory-bytes=1000",
                "--enforce-eager",
                "--dtype=float16",
            ],
            "env": {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"},
        }
    }
    fleet = fleet_of(variables)
    how = settings(fleet.models[0])
    assert how == Settings(
        context=2048,
        sequences=7,
        utilization=0.8,
        quantization="fp8",
        rank=64,
        dtype="float16",
        cache="fp8",
        batched=512,
        eager=True,
        kv_bytes=1000,
        block=32,
        long=True,
    )
    gpu = gpu_of(fleet.pool("l4"))
    assert gpu == L4 and gpu_of(fleet.pool("lab")) is None


def test_the_smallest_gpu_of_a_pool_counts(variables: Any, fleet_of: Callable[[Any], Fleet]) -> None:
    variables["llmfleet_gpu_pools"][0]["instance_families"] = ["p4d", "p5"]
    variables["llmfleet_gpu_pools"][0] |= {"gpu_count": 8, "limit": 8}
    gpu = gpu_of(fleet_of(variables).pool("l4"))
    assert gpu is not None and gpu.name == "a100" and gpu.memory < 40 * GIB


def test_a_checkpoint_of_32_bits_is_loaded_in_16() -> None:
    one = found("guard", config=GUARD | {"torch_dtype": "float32"}, size=2 * SIZES["guard"])
    assert one.weights == found("guard").weights
    assert one.cache == found("guard").cache


def test_weights_are_those_that_the_engine_loads() -> None:
    listed = [
        {"path": "model-00001-of-00002.safetensors", "size": 5},
        {"path": "model-00002-of-00002.safetensors", "size": 6},
        {"path": "consolidated.safetensors", "size": 11},
        {"path": "original/model.safetensors", "size": 11},
        {"path": "pytorch_model.bin", "size": 11},
    ]
    assert read_checkpoint(CODER, listed).size == 11
    assert read_checkpoint(CODER, listed[2:]).size == 11
    with pytest.raises(ValueError, match="names no file of weights"):
        read_checkpoint(CODER, [{"path": "config.json", "size": 3}])
