# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit of a model: what its weights and its KV cache need of a GPU, and what that leaves room for.

Formulas and their sources: fit_architecture.py (config.json), fit_weights.py, fit_cache.py, fit_memory.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import fit_cache, fit_memory, fit_weights
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_architecture import Architecture, architecture
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_cache import Cache
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_memory import Gpu
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_settings import GIB, Settings, settings
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model, Pool


@dataclass(frozen=True)
class Checkpoint:
    """What the bucket has of a model. size: bytes of its weights. marked: quantized, by a file beside them."""

    shape: Architecture
    size: int
    marked: bool = False


@dataclass(frozen=True)
class Fit:
    """Bytes are those of the fullest GPU. gpu: None where its memory is unknown, and then budget is too.

    space: of the KV cache, None where it is unknown; it may be negative. cache: None where unknown tells why.
    """

    name: str
    checkpoint: Checkpoint
    how: Settings
    gpu: Gpu | None
    weights: int
    adapters: int
    allowance: int
    budget: int | None
    space: int | None
    cache: Cache | None
    unknown: str

    @property
    def longest(self) -> int | None:
        """The longest context that memory and model allow; None where it is unknown."""
        if self.cache is None or self.space is None:
            return None
        return self.cache.longest(self.space, 0 if self.how.long else self.checkpoint.shape.context)

    @property
    def tokens(self) -> int | None:
        """Tokens that the KV cache holds, as the engine's log counts them; None where it is unknown."""
        if self.cache is None or self.space is None:
            return None
        return self.cache.tokens(self.space, self.how.context)

    @property
    def sequences(self) -> float | None:
        """Sequences of the whole context that fit at once; None where it is unknown."""
        if self.cache is None or self.space is None:
            return None
        return self.cache.sequences(self.space, self.how.context)

    @property
    def starts(self) -> bool:
        """Whether memory keeps the engine from starting in no way that is known."""
        if self.space is None:
            return True
        if self.space <= 0:
            return False
        return self.cache is None or self.cache.blocks_of(self.how.context) <= self.cache.blocks(self.space)

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON can carry them: bytes, tokens; null where unknown."""
        return {
            "name": self.name,
            "gpu": self.gpu.name if self.gpu else None,
            "gpu_memory": self.gpu.memory if self.gpu else None,
            "budget": self.budget,
            "weights": self.weights,
            "adapters": self.adapters,
            "allowance": self.allowance,
            "kv_space": self.space,
            "kv_token": self.cache.token_bytes if self.cache else None,
            "kv_tokens": self.tokens,
            "sequences": None if self.sequences is None else round(self.sequences, 2),
            "longest_context": self.longest,
            "model_context": self.checkpoint.shape.context or None,
            "unknown": self.unknown,
        }


def read_checkpoint(config: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> Checkpoint:
    """What config.json and the ledger's files say. Raises ValueError when they do not describe a model."""
    size = fit_weights.checkpoint_bytes(files)
    if not size:
        raise ValueError("the ledger names no file of weights")
    marked = any(file["path"] in fit_weights.QUANTIZED_BY for file in files)
    return Checkpoint(architecture(config), size, marked)


def fit(model: Model, pool: Pool, checkpoint: Checkpoint) -> Fit:
    """Return the fit of a checked model to the smallest GPU of its pool."""
    return fit_of(model.name, settings(model), fit_memory.gpu_of(pool), checkpoint)


def fit_of(name: str, how: Settings, gpu: Gpu | None, checkpoint: Checkpoint) -> Fit:
    """Return the fit of an engine that is set in some way to a GPU."""
    shape = checkpoint.shape
    batched = fit_cache.batched_tokens(how, gpu.name if gpu else "", gpu.memory if gpu else 0)
    weights = fit_weights.weights_bytes(shape, how, checkpoint.size)
    adapters = fit_weights.adapter_bytes(shape, how)
    allowance = fit_memory.allowance(shape, how, batched)
    budget = fit_memory.budget(gpu, how) if gpu else None
    space = how.kv_bytes
    if space is None and budget is not None:
        space = budget - weights - adapters - allowance
    unknown = shape.unknown or fit_cache.cache_unknown(how)
    if how.overridden:
        unknown = "--hf-overrides may change its shape"
    return Fit(
        name=name,
        checkpoint=checkpoint,
        how=how,
        gpu=gpu,
        weights=weights,
        adapters=adapters,
        allowance=allowance,
        budget=budget,
        space=space,
        cache=None if unknown else fit_cache.cache(shape, how, batched),
        unknown=unknown,
    )


def told(found: Fit) -> list[str]:
    """The figures for people: what the KV cache holds, and what the memory goes to."""
    size, how = fit_memory.size, found.how
    parts = [f"weights {size(found.weights)}"]
    if found.adapters:
        parts.append(f"adapters {size(found.adapters)}")
    if not how.cpu:
        parts.append(f"allowance {size(found.allowance)}")
    if found.space is not None:
        parts.append(f"KV cache {size(found.space)}" if found.space > 0 else f"missing {size(-found.space)}")
    where = "a GPU of a pool whose memory is not known"
    if how.cpu:
        where = "the CPU engine"
    elif found.gpu and found.budget is not None:
        where = f"{size(found.budget)} ({how.utilization:g} of the {size(found.gpu.memory)} of one {found.gpu.name})"
    return [f"{found.name}: {_held(found)}", f"{found.name}: of {where}: {', '.join(parts)}"]


def _held(found: Fit) -> str:
    """What the KV cache holds."""
    how, own = found.how, found.checkpoint.shape.context_from
    if found.cache is None:
        return f"KV cache not computed: {found.unknown}"
    each = fit_memory.size(found.cache.token_bytes)
    if found.tokens is None or found.sequences is None or found.longest is None:
        return f"{each} of KV cache a token; longest context {own or 'unknown'}"
    text = f"KV cache of {found.tokens:,} tokens ({each} each), "
    text += f"{found.sequences:.1f} sequences of {how.context:,} at once"
    if 1 <= found.sequences < how.sequences:
        text += f" ({how.sequences} of {found.tokens // how.sequences:,})"
    text += f"; longest context {found.longest:,}"
    if found.longest == found.checkpoint.shape.context and not how.long:
        text += f" ({own})"
    if how.offload_gib:
        gpus = how.tensor * how.pipeline
        text += f"; {how.offload_gib * GIB // (found.cache.token_bytes * gpus):,} tokens more in the host's memory"
    return text
