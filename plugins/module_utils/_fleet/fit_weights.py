# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of weights on one GPU.

Linear layers and the vocabulary are split over the GPUs of tensor parallelism, layers over the nodes of pipeline
parallelism. Quantization while loading takes linear layers only (vllm/model_executor/layers/quantization/online): a
weight of 16 bits becomes one of 8 with fp8, or of 4 with bitsandbytes, which keeps a 32-bit scale for each 64 weights.
The embeddings of the vocabulary stay what they are. A checkpoint that is quantized is what its files are.
Adapters: see vllm/lora: the engine holds max_loras slots of the greatest rank for every linear layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_architecture import BYTES, Architecture
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_settings import Settings

# Bytes of a linear weight after quantization while loading.
ONLINE = {"fp8": 1.0, "bitsandbytes": 0.5 + 4 / 64}
# Files by which older quantized repositories say that they are.
QUANTIZED_BY = ("quantize_config.json", "quant_config.json")


def checkpoint_bytes(files: Sequence[Mapping[str, Any]]) -> int:
    """Bytes of the weights that the engine loads. files: {path, size} as the ledger has them; 0 when there are none.

    Those at the top of the repository; safetensors before older formats; Mistral's `consolidated` files hold the same
    again.
    """
    top = {str(file["path"]): int(file["size"]) for file in files if "/" not in str(file["path"])}
    for suffix in (".safetensors", ".bin", ".pt"):
        found = {path: size for path, size in top.items() if path.endswith(suffix)}
        own = {path: size for path, size in found.items() if not path.startswith("consolidated")}
        if found:
            return sum((own or found).values())
    return 0


def stage_layers(shape: Architecture, how: Settings) -> int:
    """Layers of the fullest node."""
    return -(-shape.layers // how.pipeline)


def weights_bytes(shape: Architecture, how: Settings, checkpoint: int) -> int:
    """Bytes of weights on the fullest GPU. checkpoint: bytes of the files."""
    stored, used = BYTES[shape.dtype], how.bytes_of(shape)
    one = shape.vocabulary * shape.hidden
    embeddings = one if shape.tied else 2 * one
    if shape.quantized:
        linear_bytes = max(0.0, checkpoint - embeddings * min(stored, 2))
        embedding_bytes = min(stored, 2)
    else:
        elements = max(0.0, checkpoint / stored - embeddings)
        linear_bytes = elements * ONLINE.get(how.quantization, used)
        embedding_bytes = used
    share = stage_layers(shape, how) / shape.layers
    # The first node has the embedding of what comes in, the last that of what goes out.
    here = one if how.pipeline > 1 else embeddings
    return int((linear_bytes * share + here * embedding_bytes) / how.tensor)


def adapter_bytes(shape: Architecture, how: Settings) -> int:
    """Bytes of the adapters' slots on one GPU, those of experts left out.

    An adapter of a layer is two matrices of the rank: one on what comes in, one on what goes out. The one on the side
    that tensor parallelism does not split is whole on every GPU.
    """
    if not how.adapters:
        return 0
    rank, gpus = how.rank, how.tensor
    queries, values = shape.heads * shape.head_dim, max(shape.kv_heads // gpus, 1) * shape.head_dim * gpus
    columns = [(shape.hidden, queries), (shape.hidden, values), (shape.hidden, values)]
    rows = [(queries, shape.hidden)]
    if not shape.experts:
        columns += [(shape.hidden, shape.intermediate)] * 2
        rows += [(shape.intermediate, shape.hidden)]
    a_layer = sum(rank * (into + out / gpus) for into, out in columns)
    a_layer += sum(rank * (into / gpus + out) for into, out in rows)
    vocabulary = rank * (shape.hidden + shape.vocabulary)
    return int((a_layer * stage_layers(shape, how) + vocabulary) * how.adapters * how.bytes_of(shape))
