# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of vLLM for a model."""

from __future__ import annotations

import json

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import MODEL_PORT

MODELS_FOLDER = "/models"
# What the LeaderWorkerSet controller sets in every container of a group; the kubelet puts the values into arguments.
LEADER_ADDRESS, WORKER_INDEX = "LWS_LEADER_ADDRESS", "LWS_WORKER_INDEX"


def engine_args(model: Model) -> list[str]:
    """Return the arguments in a fixed order, the user's own last. Of several nodes: those of the leader."""
    args = ["--model", f"{MODELS_FOLDER}/{model.revision}", *_common(model)]
    if model.nodes > 1:
        args += _group(model, "0")
    return [*args, *model.get("engine.extra_args")]


def worker_args(model: Model) -> list[str]:
    """Return those of a worker of several nodes, for the `vllm` command: the module of the leader has no headless."""
    args = ["serve", f"{MODELS_FOLDER}/{model.revision}", *_common(model), *_group(model, f"$({WORKER_INDEX})")]
    return [*args, "--headless", *model.get("engine.extra_args")]


def _common(model: Model) -> list[str]:
    args = ["--served-model-name", model.name, "--host", "0.0.0.0", "--port", str(MODEL_PORT)]
    args += ["--max-model-len", str(model.get("engine.context_length"))]
    args += ["--max-num-seqs", str(model.get("engine.max_sequences"))]
    args += ["--gpu-memory-utilization", str(model.get("engine.gpu_memory_utilization"))]
    args += ["--tensor-parallel-size", str(model.get("gpu.count"))]
    args.append("--enable-prefix-caching" if model.get("engine.prefix_caching") else "--no-enable-prefix-caching")
    # Requests that run when a replica is told to end may take as long as the gateway waits for them.
    args += ["--shutdown-timeout", str(model.timeout_seconds)]
    if model.get("engine.quantization") != "none":
        args += ["--quantization", model.get("engine.quantization")]
    if model.get("engine.kv_offload_gib"):
        # GiB, over all GPUs of the replica.
        args += ["--kv-offloading-size", str(model.get("engine.kv_offload_gib")), "--kv-offloading-backend", "native"]
    if model.get("engine.tool_call_parser"):
        args += ["--enable-auto-tool-choice", "--tool-call-parser", model.get("engine.tool_call_parser")]
    if model.get("engine.reasoning_parser"):
        args += ["--reasoning-parser", model.get("engine.reasoning_parser")]
    return [*args, *_adapters(model), *_loader(model)]


def _adapters(model: Model) -> list[str]:
    if not model.adapters:
        return []
    args = ["--enable-lora", "--max-loras", str(len(model.adapters))]
    args += ["--max-lora-rank", str(model.get("adapters_max_rank")), "--lora-modules"]
    return [*args, *(f"{adapter.name}={MODELS_FOLDER}/{adapter.folder}" for adapter in model.adapters)]


def _loader(model: Model) -> list[str]:
    if model.get("weights.load") != "stream":
        return []
    settings = json.dumps({"concurrency": model.get("weights.stream_concurrency")}, separators=(",", ":"))
    return ["--load-format", "runai_streamer", "--model-loader-extra-config", settings]


def _group(model: Model, rank: str) -> list[str]:
    """What makes one engine of several nodes: a stage of the pipeline each."""
    args = ["--pipeline-parallel-size", str(model.nodes), "--distributed-executor-backend", "mp"]
    return [*args, "--nnodes", str(model.nodes), "--node-rank", rank, "--master-addr", f"$({LEADER_ADDRESS})"]


def compiled_with(model: Model) -> list[str]:
    """Return what of the arguments decides the code that the engine compiles."""
    fields = ("engine.context_length", "engine.max_sequences", "engine.quantization", "gpu.count", "gpu.nodes")
    decides = [f"{field}={model.get(field)}" for field in fields]
    if model.adapters:
        decides += [f"adapters={len(model.adapters)}", f"adapters_max_rank={model.get('adapters_max_rank')}"]
    if model.get("engine.kv_offload_gib"):
        decides.append("kv_offload")
    return [*decides, *model.get("engine.extra_args")]
