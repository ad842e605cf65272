# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of one model of llmfleet_models."""

from __future__ import annotations

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import (
    BOOL,
    LABEL_VALUE,
    OBJECT_NAME,
    TEXT,
    a_duration,
    integer,
    number,
    one_of,
    one_of_many,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept_many import Each, MapOf
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import REQUIRED, Field
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_values import (
    ADAPTERS,
    CANARIES,
    ENV,
    FALLBACK,
    GLOB,
    IMAGE,
    NAME_OF_SECRET,
    OWN_KEY,
    RANK,
    REPOSITORY,
    RESOURCES,
    REVISION,
    SOURCE,
    SPECIALTIES,
    model_name,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.peer_fields import ALERT_RULES, PEERS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.scaling_fields import SCALING_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_flags import ExtraArgs
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_options import REASONING_PARSERS, TOOL_PARSERS

MODEL_FIELDS: tuple[Field, ...] = (
    Field("name", model_name(40), REQUIRED, "names every object, is the served model name"),
    Field("weights.repository", REPOSITORY, REQUIRED, "what the fetcher downloads"),
    Field("weights.revision", REVISION, REQUIRED, "path in the bucket, part of the ledger"),
    Field("weights.allow_moving_revision", BOOL, False, "allows a branch or a tag as the revision"),
    Field(
        "weights.source",
        SOURCE,
        "hub",
        "where the fetcher reads; a directory is one of the volume llmfleet_weights_source_claim",
    ),
    Field(
        "weights.token_secret",
        NAME_OF_SECRET,
        None,
        "Secret in the models' namespace whose key `token` is given to the fetcher only",
        secret=True,
    ),
    Field(
        "weights.files",
        Each(GLOB, least=1),
        None,
        "what is fetched; pickle formats only by a glob that ends like them",
        default_text="safetensors, tokenizer, configuration and chat template files",
    ),
    Field(
        "weights.load",
        one_of("mount", "stream"),
        "mount",
        "how the engine reads the mounted files: stream is `--load-format runai_streamer`",
    ),
    Field("weights.stream_concurrency", integer(1, 64), 16, "`--model-loader-extra-config`; reads at a time"),
    Field("engine.context_length", integer(1024), 4096, "`--max-model-len`"),
    Field("engine.max_sequences", integer(1), 64, "`--max-num-seqs`"),
    Field("engine.quantization", one_of("none", "fp8", "awq", "gptq", "bitsandbytes"), "none", "`--quantization`"),
    Field("engine.gpu_memory_utilization", number(0.1, 0.98), 0.92, "`--gpu-memory-utilization`"),
    Field("engine.prefix_caching", BOOL, True, "`--enable-prefix-caching` or its negation"),
    Field(
        "engine.kv_offload_gib",
        integer(0),
        0,
        "`--kv-offloading-size`, `--kv-offloading-backend`; of the memory limit",
    ),
    Field(
        "engine.tool_call_parser",
        one_of_many(TOOL_PARSERS, "a tool call parser of the pinned vLLM"),
        None,
        "`--enable-auto-tool-choice --tool-call-parser`",
    ),
    Field(
        "engine.reasoning_parser",
        one_of_many(REASONING_PARSERS, "a reasoning parser of the pinned vLLM"),
        None,
        "`--reasoning-parser`",
    ),
    Field("engine.extra_args", ExtraArgs(), [], "appended last"),
    Field("engine.env", ENV, {}, "environment of the engine", secret=True),
    Field("engine.image", IMAGE, None, "per-model override", default_text="the vLLM image of meta/versions.yml"),
    Field("gpu.pool", model_name(40), REQUIRED, "node selector, tolerations, runtime class"),
    Field("gpu.count", integer(1, 8), 1, "nvidia.com/gpu; `--tensor-parallel-size`"),
    Field("gpu.nodes", integer(1, 16), 1, "above 1 a LeaderWorkerSet; `--pipeline-parallel-size`"),
    Field(
        "resources.requests",
        RESOURCES,
        None,
        "requests of the container",
        default_text="what fits the smallest instance type of the pool",
    ),
    Field(
        "resources.limits",
        RESOURCES,
        None,
        "limits of the container",
        default_text="memory twice the request, no CPU limit",
    ),
    Field("adapters", ADAPTERS, [], "`--enable-lora`, `--lora-modules`; a fetch and a route each"),
    Field(
        "adapters_max_rank",
        RANK,
        64,
        "`--max-lora-rank`",
    ),
    Field("specialties", Each(one_of(*SPECIALTIES), distinct=True), [], "the semantic router's choice", built=False),
    *SCALING_FIELDS,
    Field("gateway.enabled", BOOL, True, "a route for the model"),
    Field(
        "gateway.endpoint_picker", BOOL, False, "an endpoint picker (two pods, an InferencePool) chooses the replica"
    ),
    Field("gateway.canaries", CANARIES, [], "share of the requests that name the model, by an endpoint picker"),
    Field("gateway.fallback", FALLBACK, [], "used when this one cannot answer", built=False),
    Field("gateway.timeout", a_duration(), "600s", "request timeout on every hop; how long a replica drains"),
    Field(
        "rollout.strategy",
        one_of("recreate", "rolling"),
        None,
        "rolling needs a free GPU and keeps the replicas serving",
        default_text="recreate where scaling.max and gpu.nodes are 1, else rolling",
    ),
    Field("rollout.priority", OBJECT_NAME, None, "PriorityClass of the pods"),
    Field(
        "availability.do_not_disrupt",
        BOOL,
        True,
        "Karpenter annotation on pods; PodDisruptionBudget when scaling.min is 2 or more",
    ),
    Field("startup.budget", a_duration(60), "900s", "startup probe; what the alert of cold starts compares with"),
    Field(
        "env_from_secrets", Each(NAME_OF_SECRET, distinct=True), [], "Secrets as environment of the engine", secret=True
    ),
    Field("network.extra_ingress", PEERS, [], "who else may ask it; added to the default rules"),
    Field("network.extra_egress", PEERS, [], "what it may reach; added to the default rules"),
    Field("metrics_interval", a_duration(), "30s", "how often the engines are scraped"),
    Field("alerts.enabled", BOOL, True, "the model's alert rules"),
    Field("alerts.extra_rules", ALERT_RULES, [], "more alert rules, after the model's"),
    Field("labels", MapOf(OWN_KEY, LABEL_VALUE), {}, "added to the pod"),
    Field("annotations", MapOf(OWN_KEY, TEXT), {}, "added to the pod"),
)
