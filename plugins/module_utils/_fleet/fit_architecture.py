# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a repository's config.json says of a model: its shape, its longest context, and what its KV cache is made of.

Keys are read as vLLM 0.32 reads them (vllm/transformers_utils/model_arch_config_convertor.py and
_get_and_verify_max_len of vllm/config/model.py, https://github.com/vllm-project/vllm). Only families whose KV cache
was looked up there are computed: for all others a reason is given in place of a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Config = Mapping[str, Any]
BYTES = {"float32": 4, "float": 4, "float16": 2, "half": 2, "bfloat16": 2}
# Families of decoders whose layers all have attention of one kind, or full and sliding attention in turns.
_PLAIN = frozenset(
    (
        *("cohere", "cohere2", "gemma", "gemma2", "gemma3_text", "glm", "glm4", "glm4_moe", "gpt_oss", "granite"),
        *("granitemoe", "llama", "mistral", "mixtral", "olmo", "olmo2", "olmoe", "phi3", "qwen2", "qwen2_moe", "qwen3"),
        *("qwen3_moe", "smollm3", "starcoder2"),
    )
)
# Families with a latent per token (MLA).
_LATENT = frozenset(("deepseek_v2", "deepseek_v3", "glm4_moe_lite", "kimi_k2"))
# Families in which a window, where there is one and no list of layers, is that of all layers.
_ALL_SLIDE = frozenset(("mistral", "mixtral", "phi3", "starcoder2"))
_KV_HEADS = ("n_head_kv", "num_kv_heads", "num_key_value_heads", "multi_query_group_num", "num_attention_groups")
_LENGTHS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "model_max_length",
    "max_target_positions",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
# Kinds of rope scaling whose factor is in max_position_embeddings already.
_SCALED = frozenset(("su", "longrope", "llama3", "yarn", "deepseek_yarn", "deepseek_llama_scaling"))
_EXPERTS = ("num_experts", "moe_num_experts", "n_routed_experts", "num_local_experts")
_ACTIVE = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk", "moe_top_k")


@dataclass(frozen=True)
class Architecture:
    """A model's shape. Sizes are elements, lengths tokens.

    intermediate: of what one token passes, its experts together. latent: elements of a token and layer with MLA,
    else 0. window: of the sliding layers, 0 without. context: the most that vLLM takes, 0 when nothing says it;
    context_from: what says it. dtype: of the checkpoint. quantized: method of a checkpoint that is quantized, else "".
    unknown: why the KV cache cannot be computed, else "".
    """

    model_type: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    dtype: str
    quantized: str
    context: int
    context_from: str
    latent: int = 0
    window: int = 0
    sliding: int = 0
    experts: int = 0
    unknown: str = ""


def architecture(config: Config) -> Architecture:
    """Read a config.json. Raises ValueError when it has not even a shape."""
    kind = config.get("model_type")
    if not isinstance(kind, str):
        raise ValueError("config.json has no model_type")
    heads = _integer(config, "num_attention_heads")
    hidden = _integer(config, "hidden_size")
    layers = _integer(config, "num_hidden_layers")
    missing = [
        key
        for key, value in (("num_hidden_layers", layers), ("hidden_size", hidden), ("num_attention_heads", heads))
        if not value
    ]
    if missing:
        nested = " at its top: what it has is below text_config" if isinstance(config.get("text_config"), dict) else ""
        raise ValueError(f"config.json has no {', '.join(missing)}{nested}")
    kv_heads = next((found for key in _KV_HEADS if (found := _integer(config, key))), heads)
    experts = max((_integer(config, key) for key in _EXPERTS), default=0)
    active = max((_integer(config, key) for key in _ACTIVE), default=0)
    wide = _integer(config, "moe_intermediate_size") or _integer(config, "intermediate_size")
    context, context_from = longest_context(config)
    sliding, window, odd = _windows(config, kind, layers)
    latent = _integer(config, "kv_lora_rank")
    latent = latent + _integer(config, "qk_rope_head_dim") if latent and kind in _LATENT else 0
    quantization = config.get("quantization_config") or config.get("compression_config") or {}
    return Architecture(
        model_type=kind,
        layers=layers,
        hidden=hidden,
        intermediate=max(wide * active, _integer(config, "intermediate_size")) if experts else wide or 4 * hidden,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=_integer(config, "head_dim") or hidden // heads,
        vocabulary=_integer(config, "vocab_size"),
        # Left out of files by Transformers where it is the default, which it is for most families that tie.
        tied=config.get("tie_word_embeddings", kind.startswith("gemma")) is True,
        dtype=_dtype(config),
        quantized=str(quantization.get("quant_method") or "unnamed") if quantization else "",
        context=context,
        context_from=context_from,
        latent=latent,
        window=window,
        sliding=sliding,
        experts=experts,
        unknown=_unknown(config, kind, quantization) or odd,
    )


def longest_context(config: Config) -> tuple[int, str]:
    """(Tokens, what says so) of the longest context that vLLM takes for the model; (0, "") when nothing says it.

    The least of the keys that tell it, times the factor of a rope scaling that is not counted in them already.
    """
    found = [(value, key) for key in _LENGTHS if (value := _integer(config, key))]
    if not found:
        return 0, ""
    length, key = min(found, key=lambda pair: pair[0])
    if own := _integer(config, "model_max_length"):
        length, key = own, "model_max_length"
    factor = 1.0
    for scaling in _rope(config):
        if scaling.get("rope_type", scaling.get("type")) not in _SCALED:
            given = scaling.get("factor")
            factor = float(given) if isinstance(given, int | float) and not isinstance(given, bool) else factor
    if factor == 1.0 or "gemma3" in str(config.get("model_type")):
        return length, f"{key} {length}"
    return int(length * factor), f"{key} {length}, times rope scaling {factor:g}"


def _rope(config: Config) -> Iterator[Config]:
    """The rope settings of a model: one map, or one a kind of layer."""
    for key in ("rope_scaling", "rope_parameters"):
        given = config.get(key)
        if isinstance(given, dict):
            below = [part for part in given.values() if isinstance(part, dict)]
            yield from below or [given]


def _integer(config: Config, key: str) -> int:
    """The value of a key that is a positive integer, else 0."""
    value = config.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _dtype(config: Config) -> str:
    value = config.get("dtype") or config.get("torch_dtype")
    name = str(value).removeprefix("torch.")
    return name if name in BYTES else "float32"


def _windows(config: Config, kind: str, layers: int) -> tuple[int, int, str]:
    """(Layers that slide, their window, why neither can be told)."""
    window = _integer(config, "sliding_window")
    kinds = config.get("layer_types")
    if isinstance(kinds, list) and kinds:
        if set(kinds) - {"full_attention", "sliding_attention"}:
            names = ", ".join(sorted({str(name) for name in kinds}))
            return 0, 0, f"its layers are of the kinds {names}"
        sliding = kinds.count("sliding_attention")
        if sliding and not window:
            return 0, 0, "its layers slide, and nothing tells how far"
        return sliding, window if sliding else 0, ""
    if not window or config.get("use_sliding_window") is False:
        return 0, 0, ""
    if kind in _ALL_SLIDE:
        return layers, window, ""
    if kind == "gemma2":
        return (layers + 1) // 2, window, ""
    if kind in ("gemma3_text", "cohere2"):
        pattern = _integer(config, "sliding_window_pattern") or (6 if kind == "gemma3_text" else 4)
        return layers - layers // pattern, window, ""
    if kind.startswith("qwen") and config.get("use_sliding_window") is not True:
        return 0, 0, ""
    return 0, 0, "it has a sliding window, and nothing tells of which layers"


def _unknown(config: Config, kind: str, quantization: Config) -> str:
    """Why the KV cache of a model cannot be computed, "" when it can."""
    if kind in _LATENT:
        if not _integer(config, "kv_lora_rank") or not _integer(config, "qk_rope_head_dim"):
            return "it has no kv_lora_rank and qk_rope_head_dim"
        if "index_topk" in config or "compress_ratios" in config:
            return "its sparse attention has a cache of its own"
    elif kind not in _PLAIN:
        return f"the KV cache of the family {kind} is not known here"
    elif "v_head_dim" in config and config["v_head_dim"] not in (None, config.get("head_dim")):
        return "its keys and values differ in size"
    if quantization.get("kv_cache_scheme"):
        return "the checkpoint brings a quantization of the KV cache"
    return ""
