# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of one model of llmfleet_models."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import accept
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import (
    BOOL,
    LABEL_KEY,
    LABEL_VALUE,
    OBJECT_NAME,
    QUANTITY,
    TEXT,
    Accept,
    Each,
    MapOf,
    Refused,
    a_duration,
    integer,
    matching,
    number,
    one_of,
    one_of_many,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import REQUIRED, Field, Items
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.peer_fields import ALERT_RULES, PEERS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.scaling_fields import SCALING_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_flags import ExtraArgs
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_options import REASONING_PARSERS, TOOL_PARSERS

COMMIT = re.compile(r"[0-9a-f]{40}")
COMMIT_TEXT = "40 hexadecimal digits"
_NAME = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME_TEXT = "lower-case letters, digits and -, starting with a letter and not ending with -"
# Set by us on every engine, or of no use to an engine that reads from a mount.
RESERVED_ENV = re.compile(r"HF_.*|VLLM_CACHE_ROOT|VLLM_NO_USAGE_STATS|HOME|USER|POD_.*")
RESERVED_KEYS = re.compile(
    r"([^/]+\.)?llmfleet\.io/.*|app\.kubernetes\.io/(name|component|part-of|managed-by)|karpenter\.sh/do-not-disrupt"
)
SPECIALTIES = ("general", "code", "code-fim", "math", "reasoning", "multilingual", "guardrail")


def _check_source(value: Any) -> None:
    if not isinstance(value, str):
        raise Refused("not a string")
    if value == "hub" or re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s*?/][^\s*?]*", value):
        return
    # A path is valid; that nothing mounts it into the fetcher is said by `built`.
    if not re.fullmatch(r"/[^\s]+", value):
        raise Refused("")


def _check_env_name(value: Any) -> None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise Refused("not the name of an environment variable")
    if RESERVED_ENV.fullmatch(value):
        raise Refused("set by the platform")


def _check_own_key(value: Any) -> None:
    accept.qualified_name(value)
    if RESERVED_KEYS.fullmatch(value):
        raise Refused("set by the platform")


def _check_resource(value: Any) -> None:
    if value == "nvidia.com/gpu":
        raise Refused("set from gpu.count")
    LABEL_KEY.check(value)
    if "/" not in value and value not in ("cpu", "memory", "ephemeral-storage"):
        raise Refused("not a resource of a container")


def _check_rank(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value not in (8, 16, 32, 64, 128, 256):
        raise Refused("")


def model_name(longest: int) -> Accept:
    """Names of models and adapters."""
    return matching(_NAME, f"{_NAME_TEXT}, at most {longest} characters", longest=longest)


REPOSITORY = matching(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", "owner/name")
# Whether it must be a commit is a rule across fields.
REVISION = matching(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", COMMIT_TEXT, "not a commit", longest=200)
GLOB = matching(r"[^\s/\\][^\s\\]*", "globs such as *.safetensors")
IMAGE = matching(r"[a-z0-9][\w./:@-]*", "an image reference such as registry/name:tag or registry/name@sha256:…")
NAME_OF_SECRET = OBJECT_NAME
ENV = MapOf(Accept("names that the platform does not set", _check_env_name), TEXT, secret=True)
OWN_KEY = Accept("a metadata key that is not the platform's own", _check_own_key)
RESOURCES = MapOf(
    Accept("cpu, memory, ephemeral-storage or example.com/resource, without nvidia.com/gpu", _check_resource), QUANTITY
)
ADAPTERS = Items(
    (
        Field("name", model_name(63), REQUIRED, "served model name, verbatim"),
        Field("repository", REPOSITORY, REQUIRED, "what the fetcher downloads"),
        Field("revision", REVISION, REQUIRED, "as weights.revision"),
        Field("token_secret", NAME_OF_SECRET, None, "given to the fetcher only", secret=True),
    ),
    most=8,
)
CANARIES = Items(
    (
        Field("adapter", model_name(63), REQUIRED, "an adapter of the model"),
        Field("weight", integer(1, 99), REQUIRED, "per cent of the model's traffic"),
    ),
    most=4,
)
FALLBACK = Items((Field("model", model_name(40), REQUIRED, "another model of the fleet"),))


def _hub_or_bucket(value: Any, item: dict[str, Any]) -> bool:
    """A folder would have to be mounted into the fetcher."""
    return str(value).startswith("s3://")


MODEL_FIELDS: tuple[Field, ...] = (
    Field("name", model_name(40), REQUIRED, "names every object, is the served model name"),
    Field("weights.repository", REPOSITORY, REQUIRED, "what the fetcher downloads"),
    Field("weights.revision", REVISION, REQUIRED, "path in the bucket, part of the ledger"),
    Field("weights.allow_moving_revision", BOOL, False, "allows a branch or a tag as the revision"),
    Field(
        "weights.source",
        Accept("hub, s3://bucket/prefix, or a directory mirroring the hub's layout", _check_source),
        "hub",
        "where the fetcher reads",
        built=False,
        built_for=_hub_or_bucket,
        built_text="hub or s3://bucket/prefix",
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
        Accept("8, 16, 32, 64, 128, 256", _check_rank),
        64,
        "`--max-lora-rank`",
    ),
    Field("specialties", Each(one_of(*SPECIALTIES), distinct=True), [], "the semantic router's choice", built=False),
    *SCALING_FIELDS,
    Field("gateway.enabled", BOOL, True, "a route for the model"),
    Field("gateway.endpoint_picker", BOOL, False, "InferencePool and endpoint picker", built=False),
    Field("gateway.canaries", CANARIES, [], "share of the model's traffic", built=False),
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
