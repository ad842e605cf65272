# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config.json and ledgers of many kinds: what is read from them, and what is not guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_architecture import architecture, longest_context
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_ledger import ledger_files, ledger_key
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet

from tests.unit.fleet.fit_models import CODER, GUARD, QWEN3

SHAPE = {"num_hidden_layers": 12, "hidden_size": 512, "num_attention_heads": 8, "vocab_size": 1000}


@pytest.mark.parametrize(
    ("config", "context", "says"),
    [
        (CODER, 32768, "max_position_embeddings 32768"),
        (GUARD, 131072, "max_position_embeddings 131072"),
        ({}, 0, ""),
        ({"max_position_embeddings": 4096, "n_positions": 2048}, 2048, "n_positions 2048"),
        ({"max_position_embeddings": 8192, "model_max_length": 131072}, 131072, "model_max_length 131072"),
        ({"max_position_embeddings": True}, 0, ""),
        # The engine takes lengths of yarn as scaled already: seen with 0.32.0, which refused 4096 here.
        (
            {"max_position_embeddings": 1024, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}},
            1024,
            "max_position_embeddings 1024",
        ),
        (
            {"max_position_embeddings": 1024, "rope_scaling": {"type": "linear", "factor": 4}},
            4096,
            "max_position_embeddings 1024, times rope scaling 4",
        ),
        (
            {"max_position_embeddings": 1024, "rope_parameters": {"rope_type": "dynamic", "factor": 2.0}},
            2048,
            "max_position_embeddings 1024, times rope scaling 2",
        ),
        (
            {
                "model_type": "gemma3_text",
                "max_position_embeddings": 1024,
                "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 8.0}},
            },
            1024,
            "max_position_embeddings 1024",
        ),
        (
            {"max_position_embeddings": 1024, "rope_parameters": {"a": {"rope_type": "default"}}},
            1024,
            "max_position_embeddings 1024",
        ),
    ],
)
def test_longest_context(config: dict[str, Any], context: int, says: str) -> None:
    assert longest_context(config) == (context, says)


@pytest.mark.parametrize(
    ("config", "sliding", "window"),
    [
        # Qwen2 names a window and does not use it.
        ({"model_type": "qwen2", "sliding_window": 4096, "use_sliding_window": False}, 0, 0),
        ({"model_type": "qwen2", "sliding_window": 4096}, 0, 0),
        ({"model_type": "llama"}, 0, 0),
        ({"model_type": "mistral", "sliding_window": None}, 0, 0),
        ({"model_type": "mistral", "sliding_window": 4096}, 12, 4096),
        ({"model_type": "phi3", "sliding_window": 2047}, 12, 2047),
        ({"model_type": "gemma2", "sliding_window": 4096}, 6, 4096),
        ({"model_type": "gemma3_text", "sliding_window": 512}, 10, 512),
        (
            {
                "model_type": "gpt_oss",
                "sliding_window": 128,
                "layer_types": ["sliding_attention", "full_attention"] * 6,
            },
            6,
            128,
        ),
        ({"model_type": "qwen3", "sliding_window": None, "layer_types": ["full_attention"] * 12}, 0, 0),
    ],
)
def test_sliding_layers(config: dict[str, Any], sliding: int, window: int) -> None:
    shape = architecture(SHAPE | config)
    assert (shape.sliding, shape.window, shape.unknown) == (sliding, window, "")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "mamba2"}, "the KV cache of the family mamba2 is not known here"),
        ({"model_type": "qwen3_next"}, "the KV cache of the family qwen3_next is not known here"),
        ({"model_type": "llama", "v_head_dim": 128}, "its keys and values differ in size"),
        ({"model_type": "deepseek_v3"}, "it has no kv_lora_rank and qk_rope_head_dim"),
        (
            {"model_type": "deepseek_v3", "kv_lora_rank": 512, "qk_rope_head_dim": 64, "index_topk": 8},
            "its sparse attention has a cache of its own",
        ),
        (
            {"model_type": "qwen3", "layer_types": ["linear_attention", "full_attention"] * 6},
            "its layers are of the kinds full_attention, linear_attention",
        ),
        (
            {"model_type": "qwen3", "layer_types": ["sliding_attention"] * 12},
            "its layers slide, and nothing tells how far",
        ),
        (
            {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 4096},
            "it has a sliding window, and nothing tells of which layers",
        ),
        (
            {"model_type": "llama", "quantization_config": {"quant_method": "x", "kv_cache_scheme": {"num_bits": 8}}},
            "the checkpoint brings a quantization of the KV cache",
        ),
    ],
)
def test_what_is_not_known_is_said(config: dict[str, Any], reason: str) -> None:
    assert architecture(SHAPE | config).unknown == reason


def test_shapes() -> None:
    qwen3 = architecture(QWEN3)
    # Explicit: 32 heads of 128 are as wide as the model by chance only.
    assert (qwen3.head_dim, qwen3.kv_heads, qwen3.latent, qwen3.tied) == (128, 8, 0, False)
    assert architecture(QWEN3 | {"head_dim": 64}).head_dim == 64
    assert architecture(CODER).head_dim == 3584 // 28
    assert architecture(SHAPE | {"model_type": "llama"}).kv_heads == 8
    assert architecture(SHAPE | {"model_type": "llama", "dtype": "torch.float16"}).dtype == "float16"
    latent = SHAPE | {"model_type": "deepseek_v3", "kv_lora_rank": 512, "qk_rope_head_dim": 64}
    assert architecture(latent).latent == 576
    experts = {"model_type": "qwen3_moe", "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768}
    assert architecture(SHAPE | experts | {"intermediate_size": 4096}).intermediate == 8 * 768


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "config.json has no model_type"),
        ({"model_type": "llama"}, "config.json has no num_hidden_layers, hidden_size, num_attention_heads"),
        (SHAPE | {"model_type": "llama", "hidden_size": "512"}, "config.json has no hidden_size"),
        ({"model_type": "gemma3", "text_config": SHAPE}, "what it has is below text_config"),
    ],
)
def test_without_a_shape(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        architecture(config)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "not of version 1"),
        ({"repository": "o/other"}, "the ledger is of o/other at"),
        ({"requested_revision": "main"}, "at main"),
        ({"files": {}}, "no list of files"),
        ({"files": [{"path": "a"}]}, "no list of files"),
        ({"files": [{"path": "a", "size": "3"}]}, "no list of files"),
        (None, "not JSON"),
    ],
)
def test_ledgers(
    change: dict[str, Any] | None, reason: str, variables: Any, fleet_of: Callable[[Any], Fleet], commit: str
) -> None:
    model = fleet_of(variables).models[0]
    assert ledger_key(model) == f"models/qwen/{commit}/.llmfleet/ledger.json"
    good = {
        "version": 1,
        "repository": "Qwen/Qwen3-8B",
        "requested_revision": commit,
        "files": [{"path": "a", "size": 3}],
    }
    assert ledger_files(model, json.dumps(good).encode()) == [{"path": "a", "size": 3}]
    with pytest.raises(ValueError, match=reason):
        ledger_files(model, b"{" if change is None else json.dumps(good | change).encode())
