# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config.json files of the reference fleet and of small models, as their repositories have them: what the fit needs."""

from __future__ import annotations

from typing import Any

Config = dict[str, Any]
QWEN2: Config = {
    "model_type": "qwen2",
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "max_position_embeddings": 32768,
    "sliding_window": 131072,
    "use_sliding_window": False,
    "max_window_layers": 28,
}
CODER: Config = QWEN2 | {
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
}
FIM: Config = QWEN2 | {
    "hidden_size": 1536,
    "intermediate_size": 8960,
    "num_attention_heads": 12,
    "num_hidden_layers": 28,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
}
QWEN3: Config = {
    "model_type": "qwen3",
    "hidden_size": 4096,
    "intermediate_size": 12288,
    "num_attention_heads": 32,
    "num_hidden_layers": 36,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151936,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "max_position_embeddings": 40960,
    "rope_scaling": None,
    "sliding_window": None,
    "use_sliding_window": False,
}
GUARD: Config = {
    "model_type": "llama",
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_attention_heads": 32,
    "num_hidden_layers": 16,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 128256,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
    "max_position_embeddings": 131072,
    "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "original_max_position_embeddings": 8192},
}
# Parameters of the four, two bytes each in their files.
SIZES = {"coder": 2 * 7_615_616_512, "qwen3": 2 * 8_190_735_360, "fim": 2 * 1_543_714_304, "guard": 2 * 1_498_482_688}
REFERENCE = {"coder": CODER, "qwen3": QWEN3, "fim": FIM, "guard": GUARD}


def files(size: int, *more: str) -> list[dict[str, Any]]:
    """A ledger's files: weights of a size, and more of one byte."""
    return [{"path": "model.safetensors", "size": size}, *({"path": path, "size": 1} for path in more)]
