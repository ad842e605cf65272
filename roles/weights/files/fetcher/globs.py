# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which paths of a repository globs select."""

from __future__ import annotations

import fnmatch
import os

DEFAULT_PATTERNS = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "adapter_config.json",
    "params.json",
    "configuration.json",
    "quantize_config.json",
    "quant_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "modules.json",
    "*_Pooling/config.json",
    "sentence_*config*.json",
    "tokenizer*",
    "*.tiktoken",
    "tekken.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "chat_template*",
)
# Formats that can run code when they are loaded: fetched only by a glob that itself ends like this.
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz")


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether globs select the path (``*`` also crosses ``/``); a pickle format needs a glob that names it."""
    suffix = os.path.splitext(path)[1].lower()
    for glob in patterns:
        if suffix in PICKLE_SUFFIXES and not glob.lower().endswith(suffix):
            continue
        if fnmatch.fnmatchcase(path, glob):
            return True
    return False
