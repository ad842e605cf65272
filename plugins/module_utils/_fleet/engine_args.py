# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of vLLM for a model."""

from __future__ import annotations

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import MODEL_PORT

MODELS_FOLDER = "/models"


def engine_args(model: Model) -> list[str]:
    """Return the arguments in a fixed order, the user's own last."""
    args = ["--model", f"{MODELS_FOLDER}/{model.revision}", "--served-model-name", model.name]
    args += ["--host", "0.0.0.0", "--port", str(MODEL_PORT)]
    args += ["--max-model-len", str(model.get("engine.context_length"))]
    args += ["--max-num-seqs", str(model.get("engine.max_sequences"))]
    args += ["--gpu-memory-utilization", str(model.get("engine.gpu_memory_utilization"))]
    args += ["--tensor-parallel-size", str(model.get("gpu.count"))]
    args.append("--enable-prefix-caching" if model.get("engine.prefix_caching") else "--no-enable-prefix-caching")
    # Requests that run when a replica is told to end may take as long as the gateway waits for them.
    args += ["--shutdown-timeout", str(model.timeout_seconds)]
    if model.get("engine.quantization") != "none":
        args += ["--quantization", model.get("engine.quantization")]
    if model.get("engine.tool_call_parser"):
        args += ["--enable-auto-tool-choice", "--tool-call-parser", model.get("engine.tool_call_parser")]
    if model.get("engine.reasoning_parser"):
        args += ["--reasoning-parser", model.get("engine.reasoning_parser")]
    return [*args, *model.get("engine.extra_args")]
