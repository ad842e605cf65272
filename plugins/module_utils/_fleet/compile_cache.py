# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of compiled code (VLLM_CACHE_ROOT), so that a second start of the same thing compiles nothing.

It is on the volume of the weights, below a folder of the model that is the only thing the engine may write there.
"""

from __future__ import annotations

import hashlib
import json
import re

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.engine_args import compiled_with
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model, Pool
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import CACHE_FOLDER
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

MOUNT = "/cache"
# Where the engine compiles to when the volume cannot be written: for this start only.
INSTEAD = "/tmp/vllm"
# The engine fails at a cache that it cannot write. The mark tells when a cache was last of use.
OR_INSTEAD = (
    'mkdir -p "$VLLM_CACHE_ROOT" && touch "$VLLM_CACHE_ROOT/.used" || { '
    'echo "$VLLM_CACHE_ROOT cannot be written: compiling for this start only" >&2; '
    f"export VLLM_CACHE_ROOT={INSTEAD}; }}; "
    'exec "$@"'
)


def engine_image(model: Model) -> str:
    """The image of a model's engine."""
    return str(model.get("engine.image") or versions().images["vllm"])


def volume_folder(model: Model) -> str:
    """The model's folder on the volume."""
    return f"{CACHE_FOLDER}/{model.name}"


def cache_root(model: Model, pool: Pool) -> str:
    """Return VLLM_CACHE_ROOT: by version, GPU, revision and a hash of all that decides the code."""
    image = engine_image(model)
    gpus = sorted({item.gpu_name for item in pool.types}) or [pool.name]
    decides = json.dumps([image, gpus, model.revision, compiled_with(model)]).encode()
    digest = hashlib.sha256(decides).hexdigest()[:10]
    parts = (_version(image), "+".join(gpus), model.revision[:12], digest)
    return "/".join([MOUNT, *(re.sub(r"[^a-z0-9.+-]+", "-", part.lower()).strip(".-") or "x" for part in parts)])


def _version(image: str) -> str:
    """What of an image's name tells people its version: the tag, else the beginning of the digest."""
    name, _at, digest = image.partition("@sha256:")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or digest[:12]
