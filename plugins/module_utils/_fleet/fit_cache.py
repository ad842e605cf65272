# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The KV cache: bytes of a token, and how many tokens and sequences a space holds.

As vLLM 0.32 counts them (vllm/v1/kv_cache_interface.py, vllm/v1/core/kv_cache_utils.py and get_num_kv_heads of
vllm/config/model.py, https://github.com/vllm-project/vllm), which is what its log calls "KV cache size: N tokens":

* A token has keys and values in each layer: 2 x KV heads x head size x bytes of a number. KV heads are split over the
  GPUs of tensor parallelism; where there are fewer than GPUs, each GPU has one. With MLA it has one latent a layer, on
  every GPU.
* Space is given in blocks of tokens. Where layers with full and with sliding attention mix, they are put into groups of
  the same number of layers, and a block is one of a group. A sequence keeps of a sliding layer its window and the
  tokens of the steps that are under way, and a block more, as the window need not begin where a block does.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_architecture import Architecture
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_settings import GIB, Settings
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_weights import stage_layers

# Tokens that a step may have: by default for GPUs below 70 GiB and A100s, and for larger ones; on CPU for each process.
_BATCHED, _BATCHED_LARGE, _LARGE = 2048, 8192, 70 * GIB
# Bytes of a number of the KV cache, by --kv-cache-dtype.
_CACHE_BYTES = {"float16": 2, "bfloat16": 2, "half": 2, "fp8": 1, "fp8_e4m3": 1, "fp8_e5m2": 1, "fp8_inc": 1}
# No context is longer than this.
_LONGEST = 1 << 24


@dataclass(frozen=True)
class Cache:
    """The KV cache of one GPU. token_bytes: of a token in all layers of the fullest node. block: tokens.

    full, sliding: groups of layers, each of so many layers; keep: tokens of a sliding layer that a sequence keeps.
    """

    token_bytes: int
    layer_bytes: int
    block: int
    group: int
    full: int
    sliding: int
    keep: int

    def blocks(self, space: int) -> int:
        """Blocks that so many bytes hold."""
        return max(0, space // (self.group * self.layer_bytes * self.block))

    def blocks_of(self, context: int) -> int:
        """Blocks of one sequence of a context."""
        found = self.full * _ceil(context, self.block)
        if self.sliding:
            found += self.sliding * (_ceil(min(self.keep, context), self.block) + 1)
        return found

    def sequences(self, space: int, context: int) -> float:
        """Sequences of a context that fit at once."""
        return self.blocks(space) / self.blocks_of(context)

    def tokens(self, space: int, context: int) -> int:
        """Tokens that fit, of sequences of a context."""
        return int(self.sequences(space, context) * context)

    def longest(self, space: int, most: int) -> int:
        """The longest context of which one sequence fits. most: no longer; 0 for no bound."""
        has = self.blocks(space)
        low, high = 0, most or _LONGEST
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.blocks_of(middle) <= has else (low, middle - 1)
        return low


def _ceil(number: int, by: int) -> int:
    return -(-number // by)


def batched_tokens(how: Settings, gpu: str, memory: int) -> int:
    """Tokens of a step. gpu: name of the GPU; memory: its bytes."""
    if how.batched:
        return how.batched
    default = _BATCHED_LARGE if memory >= _LARGE and gpu != "a100" else _BATCHED
    if how.cpu:
        default *= how.tensor * how.pipeline
    return min(default, how.sequences * how.context)


def cache_unknown(how: Settings) -> str:
    """Why the engine's own settings keep its KV cache from being computed, "" when they do not."""
    if how.cache == "auto" or how.cache in _CACHE_BYTES:
        return ""
    return f"a KV cache of the type {how.cache} is not computed here"


def cache(shape: Architecture, how: Settings, batched: int) -> Cache:
    """Return the KV cache of a model whose architecture is known. batched: tokens of a step."""
    size = _CACHE_BYTES.get(how.cache, how.bytes_of(shape))
    elements = shape.latent or 2 * max(1, shape.kv_heads // how.tensor) * shape.head_dim
    layers = stage_layers(shape, how)
    sliding = _ceil(shape.sliding * layers, shape.layers)
    full = layers - sliding
    if full and sliding:
        few, many = sorted((full, sliding))
        group = many if many < 1.5 * few else few
        groups = (_ceil(full, group), _ceil(sliding, group))
    else:
        group, groups = layers, (1 if full else 0, 1 if sliding else 0)
    # Two steps are under way at once, on CPU one.
    under_way = batched * (how.pipeline if how.cpu else how.pipeline + 1)
    return Cache(
        token_bytes=elements * size * layers,
        layer_bytes=elements * size,
        block=how.block_of(shape),
        group=group,
        full=groups[0],
        sliding=groups[1],
        keep=shape.window - 1 + under_way if shape.window else 0,
    )
