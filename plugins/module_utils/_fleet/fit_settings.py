# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an engine is set, as far as the fit of its model depends on it: fields of the description, the user's flags."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_architecture import BYTES, Architecture
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model

GIB = 1024**3
# Tokens of a block of the KV cache: CacheConfig's default, and what vLLM's CPU platform sets.
_BLOCK, _CPU_BLOCK, _CPU_LATENT_BLOCK = 16, 128, 16


@dataclass(frozen=True)
class Settings:
    """context, block: tokens. tensor, pipeline: GPUs. kv_bytes: of a KV cache of a given size, None where
    the engine measures what is left.

    dtype: of weights and activations, "" as the checkpoint. cache: the KV cache's dtype, auto as the weights. batched:
    tokens of a step, 0 for the engine's default. cpu: the engine runs without GPUs. long: any context is allowed.
    overridden: config.json is not all that decides the model's shape. other_image: not the engine of the card.
    """

    context: int
    sequences: int
    utilization: float
    quantization: str
    tensor: int = 1
    pipeline: int = 1
    offload_gib: int = 0
    adapters: int = 0
    rank: int = 0
    dtype: str = ""
    cache: str = "auto"
    batched: int = 0
    eager: bool = False
    kv_bytes: int | None = None
    block: int = 0
    cpu: bool = False
    long: bool = False
    overridden: bool = False
    other_image: bool = False

    def dtype_of(self, shape: Architecture) -> str:
        """What the engine computes in: 32-bit checkpoints become 16-bit ones unless asked for."""
        if self.dtype and self.dtype != "auto":
            return self.dtype
        return "bfloat16" if shape.dtype in ("float32", "float") else shape.dtype

    def bytes_of(self, shape: Architecture) -> int:
        """Bytes of a weight that is not quantized."""
        return BYTES.get(self.dtype_of(shape), 2)

    def block_of(self, shape: Architecture) -> int:
        """Tokens of a block."""
        if self.block:
            return self.block
        if not self.cpu:
            return _BLOCK
        return _CPU_LATENT_BLOCK if shape.latent else _CPU_BLOCK


def settings(model: Model) -> Settings:
    """Return the settings of a checked model."""
    flags = _flags(model.get("engine.extra_args"))
    env = model.get("engine.env")
    # The engine of the CPU platform takes the size of its KV cache from this variable, in whole GiB.
    space = str(env.get("VLLM_CPU_KVCACHE_SPACE", ""))
    given = flags.get("kv-cache-memory-bytes", "")
    kv_bytes = int(given) if given.isdecimal() else None
    return Settings(
        context=model.get("engine.context_length"),
        sequences=model.get("engine.max_sequences"),
        utilization=float(model.get("engine.gpu_memory_utilization")),
        quantization=model.get("engine.quantization"),
        tensor=model.get("gpu.count"),
        pipeline=model.get("gpu.nodes"),
        offload_gib=model.get("engine.kv_offload_gib"),
        adapters=len(model.get("adapters")),
        rank=model.get("adapters_max_rank"),
        dtype=flags.get("dtype", "").lower(),
        cache=flags.get("kv-cache-dtype", "auto").lower(),
        batched=_number(flags.get("max-num-batched-tokens", "")),
        eager="enforce-eager" in flags,
        kv_bytes=int(space) * GIB if space.isdecimal() and int(space) else kv_bytes,
        block=_number(flags.get("block-size", "")),
        cpu=space != "",
        long=str(env.get("VLLM_ALLOW_LONG_MAX_MODEL_LEN", "")) not in ("", "0"),
        other_image=model.get("engine.image") is not None,
        overridden=any(flag.partition(".")[0] == "hf-overrides" for flag in flags),
    )


def _flags(tokens: list[str]) -> dict[str, str]:
    """Flag without dashes -> value, "" where it has none. The description has refused all but full names."""
    found = {}
    for token in tokens:
        flag, _equals, value = token.partition("=")
        found[flag.removeprefix("--").replace("_", "-")] = value
    return found


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
