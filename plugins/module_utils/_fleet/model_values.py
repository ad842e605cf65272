# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fields of a model accept that no other table has: names, revisions, environment, adapters."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import accept
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import (
    LABEL_KEY,
    OBJECT_NAME,
    QUANTITY,
    TEXT,
    Accept,
    Refused,
    integer,
    matching,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept_many import MapOf
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import REQUIRED, Field, Items

COMMIT = re.compile(r"[0-9a-f]{40}")
COMMIT_TEXT = "40 hexadecimal digits"
_NAME = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_NAME_TEXT = "lower-case letters, digits and -, starting with a letter and not ending with -"
_IMAGE = matching(r"[a-z0-9][\w./:@-]*", "an image reference such as registry/name:tag or registry/name@sha256:…")
# Set by us on every engine, by the controller of groups, or of no use to an engine that reads from a mount.
RESERVED_ENV = re.compile(r"HF_.*|HUGGING_?FACE_HUB_TOKEN|VLLM_CACHE_ROOT|VLLM_NO_USAGE_STATS|HOME|USER|POD_.*|LWS_.*")
# A worker that is labelled with the number of a leader is taken for one.
RESERVED_KEYS = re.compile(
    r"([^/]+\.)?llmfleet\.io/.*|app\.kubernetes\.io/(name|component|part-of|managed-by)|karpenter\.sh/do-not-disrupt|"
    r"leaderworkerset\.sigs\.k8s\.io/.*"
)
SPECIALTIES = ("general", "code", "code-fim", "math", "reasoning", "multilingual", "guardrail")


def _check_source(value: Any) -> None:
    if not isinstance(value, str):
        raise Refused("not a string")
    if value == "hub" or re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^\s*?/][^\s*?]*", value):
        return
    # Of what volume is a rule across fields.
    if not re.fullmatch(r"/[^\s]*", value) or {".", ".."} & set(value.split("/")):
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


def _check_image(value: Any) -> None:
    """An image that moves runs differently on two nodes, and finds the compiled code of another one."""
    _IMAGE.check(value)
    name, at, digest = value.partition("@")
    if at and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise Refused("its digest is not sha256: and 64 hexadecimal digits")
    if not at and name.rpartition("/")[2].partition(":")[2] in ("", "latest"):
        raise Refused("not pinned")


def _check_rank(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value not in (8, 16, 32, 64, 128, 256):
        raise Refused("")


def model_name(longest: int) -> Accept:
    """Names of models and adapters."""
    return matching(_NAME, f"{_NAME_TEXT}, at most {longest} characters", longest=longest)


REPOSITORY = matching(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", "owner/name")
# Whether it must be a commit is a rule across fields.
REVISION = matching(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)*", COMMIT_TEXT, "not a commit", longest=200)
SOURCE = Accept("hub, s3://bucket/prefix, or a directory mirroring the hub's layout", _check_source)
RANK = Accept("8, 16, 32, 64, 128, 256", _check_rank)
GLOB = matching(r"[^\s/\\][^\s\\]*", "globs such as *.safetensors")
IMAGE = Accept(_IMAGE.text, _check_image)
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
