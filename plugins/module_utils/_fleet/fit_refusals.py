# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that cannot start, told before their workload is made, each with the nearest settings that can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit import Fit, fit_of
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fit_memory import size
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_options import VERSION

# Methods that the pinned engine refuses with "Unknown quantization method".
_GONE = ("bitsandbytes",)
# What a description takes, and steps in which suggestions are made.
_LEAST_CONTEXT, _CONTEXT_STEP, _MOST_UTILIZATION = 1024, 1024, 98


def refuse(found: Fit, pool: str, gpus: int, repository: str, where: Where) -> None:
    """Report why the engine cannot start. pool: its name; gpus: of a node; where: the model's place."""
    # One cause after the other: what follows from a wrong quantization or count is no news.
    if _quantization(found, repository, where) or _count(found, gpus, where):
        return
    too_long = _context(found, where)
    if found.space is not None and found.space <= 0 and found.budget is not None:
        needs = f"needs {size(found.weights + found.adapters)} of weights and {size(found.allowance)} beside them"
        reason = f"a GPU of the pool gives the engine {size(found.budget)}, and the model {needs}"
        accepted = _joined([*_others(found, gpus), "a pool of larger or more GPUs"])
        where.at("gpu").at("pool").refuse(pool, reason, accepted)
    elif not found.starts and found.cache is not None and found.space is not None and not too_long:
        needed = found.cache.blocks_of(found.how.context) * found.cache.group * found.cache.layer_bytes
        reason = f"one sequence needs {size(needed * found.cache.block)} of KV cache, and {size(found.space)} are left"
        where.at("engine").at("context_length").refuse(found.how.context, reason, _joined(list(_nearest(found, gpus))))


def _quantization(found: Fit, repository: str, where: Where) -> bool:
    """The engine takes a checkpoint's own quantization or none; awq and gptq cannot be made while loading."""
    wanted, has = found.how.quantization, found.checkpoint.shape.quantized
    if wanted == "none" or found.how.overridden:
        return False
    place = where.at("engine").at("quantization")
    if wanted in _GONE and not found.how.other_image:
        place.refuse(wanted, f"vLLM {VERSION} does not have it any more", "none" if has else "none, fp8")
        return True
    if has and has != wanted:
        place.refuse(wanted, f"the weights of {repository} are quantized already, by {has}", "none")
        return True
    if not has and wanted in ("awq", "gptq") and not found.checkpoint.marked:
        place.refuse(wanted, f"the weights of {repository} are not quantized", "none, fp8")
        return True
    return False


def _count(found: Fit, gpus: int, where: Where) -> bool:
    heads, count = found.checkpoint.shape.heads, found.how.tensor
    if heads % count == 0 or found.how.overridden:
        return False
    counts = ", ".join(str(number) for number in range(1, gpus + 1) if heads % number == 0)
    reason = f"the model's {heads} attention heads cannot be shared by so many GPUs"
    where.at("gpu").at("count").refuse(count, reason, counts)
    return True


def _context(found: Fit, where: Where) -> bool:
    """A context above what the model was made for."""
    shape = found.checkpoint.shape
    if not shape.context or found.how.context <= shape.context or found.how.long or found.how.overridden:
        return False
    most = shape.context if found.longest is None else min(shape.context, max(_rounded(found.longest), _LEAST_CONTEXT))
    where.at("engine").at("context_length").refuse(
        found.how.context, f"config.json says {shape.context_from}", f"at most {most}"
    )
    return True


def _rounded(context: int) -> int:
    """A context as people write it."""
    return context // _CONTEXT_STEP * _CONTEXT_STEP if context >= _CONTEXT_STEP else context


def _nearest(found: Fit, gpus: int) -> Iterator[str]:
    """Each change of one setting with which the engine starts."""
    if found.longest is not None and (most := _rounded(found.longest)) >= _LEAST_CONTEXT:
        yield f"at most {most}"
    yield from _others(found, gpus)


def _others(found: Fit, gpus: int) -> Iterator[str]:
    """The changes of one setting besides the context."""
    if found.gpu is None or found.how.kv_bytes is not None:
        return

    def starts(**changes: Any) -> bool:
        return fit_of(found.name, replace(found.how, **changes), found.gpu, found.checkpoint).starts

    def first(values: range, change: Callable[[int], dict[str, Any]]) -> int | None:
        return next((value for value in values if starts(**change(value))), None)

    now = int(found.how.utilization * 100)
    hundredths = first(range(now + 1, _MOST_UTILIZATION + 1), lambda value: {"utilization": value / 100})
    if hundredths is not None:
        yield f"engine.gpu_memory_utilization {hundredths / 100:g}"
    shape = found.checkpoint.shape
    if found.how.quantization == "none" and not shape.quantized and starts(quantization="fp8"):
        yield "engine.quantization fp8"
    count = next((n for n in range(found.how.tensor + 1, gpus + 1) if shape.heads % n == 0 and starts(tensor=n)), None)
    if count is not None:
        yield f"gpu.count {count}"


def _joined(ways: list[str]) -> str:
    """Alternatives in one text."""
    if not ways:
        return "a pool of larger or more GPUs"
    return ways[0] if len(ways) == 1 else f"{', '.join(ways[:-1])}, or {ways[-1]}"
