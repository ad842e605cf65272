# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting on some models of a fleet: which objects are theirs, and which may be pruned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import MODEL_LABEL

Manifest = dict[str, Any]


def of_models(objects: Sequence[Manifest], names: Sequence[str] | None) -> list[Manifest]:
    """Return the objects of some models, in their order, and those that belong to no model. names: None for all."""
    if names is None:
        return list(objects)
    wanted = {None, *names}
    return [obj for obj in objects if obj["metadata"].get("labels", {}).get(MODEL_LABEL) in wanted]


def of_models_selector(names: Sequence[str] | None) -> str:
    """Return the requirement of a label selector for the objects of some models, "" for all. names: None for all."""
    return "" if names is None else f",{MODEL_LABEL} in ({','.join(names)})"
