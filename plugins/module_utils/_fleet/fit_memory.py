# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of a GPU, and what of it is neither weights nor KV cache.

vLLM takes gpu_memory_utilization of what the GPU has in all, subtracts what it measures after a step of the greatest
size with dummy input (weights, the peak of activations, what CUDA and NCCL hold) and an estimate of its CUDA graphs,
and gives the rest to the KV cache (determine_available_memory of vllm/v1/worker/gpu_worker.py; request_memory of
vllm/v1/worker/utils.py; https://docs.vllm.ai/en/latest/configuration/conserving_memory/).

What it measures cannot be computed: `allowance` is a stated allowance, on the high side, and no measurement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_architecture import Architecture
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_settings import GIB, Settings
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Pool

MIB = 1024 * 1024
# What CUDA's context and the libraries' own buffers take, and NCCL's where several GPUs talk.
CONTEXT, NCCL = 512 * MIB, 512 * MIB
# CUDA graphs of a model of 1 to 8 billion parameters; what grows with the model is in the activations.
GRAPHS = 512 * MIB
# Copies of the logits, in 32 bits, that sampling makes.
_LOGITS = 4


@dataclass(frozen=True)
class Gpu:
    """The smallest GPU of a pool. memory: bytes that a process sees."""

    name: str
    memory: int


def gpu_of(pool: Pool) -> Gpu | None:
    """The GPU of a pool's instance types that has the least memory; None for a static pool, of which it is unknown."""
    found = [Gpu(item.gpu_name, item.gpu_visible) for item in pool.types]
    return min(found, key=lambda gpu: gpu.memory) if found else None


def budget(gpu: Gpu, how: Settings) -> int:
    """Bytes of a GPU that the engine takes."""
    return math.ceil(gpu.memory * how.utilization)


def allowance(shape: Architecture, how: Settings, batched: int) -> int:
    """Bytes on a GPU for activations, graphs, and the libraries. batched: tokens of the greatest step.

    Activations: of one layer at a time, each token has four vectors of the hidden size and three of the intermediate
    size, which tensor parallelism splits; at the end each sequence has logits over the vocabulary. (For a model of 8
    billion parameters and 8192 tokens this is 1.7 GiB.)
    """
    vectors = 4 * shape.hidden + 3 * shape.intermediate / how.tensor
    activations = batched * vectors * how.bytes_of(shape) + how.sequences * shape.vocabulary * 4 * _LOGITS
    several = NCCL if how.tensor * how.pipeline > 1 else 0
    return int(activations) + CONTEXT + several + (0 if how.eager else GRAPHS)


def size(count: float) -> str:
    """Bytes in the unit that suits them, with one decimal."""
    if count >= GIB / 10:
        return f"{count / GIB:.1f} GiB"
    if count >= MIB:
        return f"{count / MIB:.1f} MiB"
    return f"{count / 1024:.1f} KiB"
