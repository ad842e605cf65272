# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of a model that do nothing in the fleet that they are in: no errors, but told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_scaling import is_scaled
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import shown
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import Field
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model

_OF_SCALING = tuple(
    f"scaling.{name}"
    for name in ("running_target", "kv_cache_target", "waiting_target", "polling_interval", "scale_down_after")
)
# Prometheus forgets a sample after 5 minutes; one scrape in between may fail.
_SLOWEST_SCRAPE = 120


def idle_fields(model: Model, place: str, platform: Mapping[str, Any], fields: tuple[Field, ...]) -> list[str]:
    """Return a line for each field of a model that drives nothing. place: of the model; fields: the table of models."""
    defaults = {field.path: field.default for field in fields}
    given = {path for path, default in defaults.items() if model.get(path) != default}
    idle = _of_scaling(model, given, str(platform["monitoring"])), _of_monitoring(model, given, platform)
    return [f"{place}.{path}: got {shown(model.get(path))}: {reason}" for part in idle for path, reason in part]


def _of_scaling(model: Model, given: Set[str], monitoring: str) -> Iterator[tuple[str, str]]:
    if not is_scaled(model):
        # The target of waiting requests is that of an alert, too.
        alerts = monitoring != "none" and model.get("alerts.enabled")
        for path in _OF_SCALING:
            if path in given and not (alerts and path == "scaling.waiting_target"):
                yield path, "drives nothing: scaling.min and scaling.max fix the replicas"
    for hours in model.get("scaling.schedule"):
        if hours["replicas"] <= model.get("scaling.min"):
            yield "scaling.schedule", f"its {hours['replicas']} replicas are there in any case: scaling.min"


def _of_monitoring(model: Model, given: Set[str], platform: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    interval = duration.seconds(model.get("metrics_interval"))
    if platform["monitoring"] == "none":
        for path in ("metrics_interval", "alerts.enabled", "alerts.extra_rules"):
            if path in given:
                yield path, "drives nothing: llmfleet_monitoring is none"
        if is_scaled(model):
            yield "scaling.max", "the triggers read what somebody else must scrape: llmfleet_monitoring is none"
        return
    if "alerts.extra_rules" in given and not model.get("alerts.enabled"):
        yield "alerts.extra_rules", "drives nothing: alerts.enabled is false"
    if is_scaled(model) and interval > _SLOWEST_SCRAPE:
        yield "metrics_interval", f"above {_SLOWEST_SCRAPE}s, series come and go: scaling stands still in between"
