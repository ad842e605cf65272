# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The revisions that a model needs in the bucket: its own weights, and those of its adapters."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import compile_cache
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model

# What an adapter is, without the states of its training that many repositories keep in folders beside it.
ADAPTER_FILES = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "added_tokens.json",
    "chat_template*",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer*",
    "vocab.json",
)


@dataclass(frozen=True)
class Fetch:
    """One revision to fetch. name: of the model or adapter. folder: below the volume and the bucket's models/."""

    name: str
    repository: str
    revision: str
    folder: str
    files: list[str] | None
    token_secret: str | None
    cache: str | None = None


def fetches(model: Model) -> list[Fetch]:
    """What a model needs: its weights first, then each adapter."""
    weights = Fetch(
        name=model.name,
        repository=model.get("weights.repository"),
        revision=model.revision,
        folder=f"{model.name}/{model.revision}",
        files=model.get("weights.files"),
        token_secret=model.get("weights.token_secret"),
        cache=compile_cache.volume_folder(model),
    )
    adapters = [
        Fetch(
            name=adapter.name,
            repository=adapter.repository,
            revision=adapter.revision,
            folder=f"{model.name}/{adapter.folder}",
            files=list(ADAPTER_FILES),
            token_secret=adapter.token_secret,
        )
        for adapter in model.adapters
    ]
    return [weights, *adapters]
