# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting on some models of a fleet: which objects are theirs, and which may be pruned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import MODEL_LABEL

Manifest = dict[str, Any]


def of_models(objects: Sequence[Manifest], names: Sequence[str] | None) -> list[Manifest]:
    """Return the objects of some models, in their order, and those that belong to no model. names: None for all."""
    if names is None:
        return list(objects)
    wanted = {None, *names}
    return [obj for obj in objects if obj["metadata"].get("labels", {}).get(MODEL_LABEL) in wanted]


def prune_selections(labels: Mapping[str, Any], names: Sequence[str] | None) -> list[dict[str, Any]]:
    """Return the labels of what may be pruned, one selection after the other. names: None for all models.

    What belongs to a model that was not chosen is not among the objects that are applied, and wanted all the same.
    """
    if names is None:
        return [dict(labels)]
    return [{**labels, MODEL_LABEL: name} for name in names]
