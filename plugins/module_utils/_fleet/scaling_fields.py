# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields below scaling of a model."""

from __future__ import annotations

import zoneinfo
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import cron
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import Accept, Refused, integer, number
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import REQUIRED, Field, Items


def _check_cron(value: Any) -> None:
    if not isinstance(value, str):
        raise Refused("not a string")
    wrong = cron.problem(value)
    if wrong is not None:
        raise Refused(f"not a cron expression: {wrong}")


def _check_zone(value: Any) -> None:
    if not isinstance(value, str) or value not in zoneinfo.available_timezones():
        raise Refused("not a time zone")


CRON = Accept("a cron expression of five fields", _check_cron)
SCHEDULE = Items(
    (
        Field("start", CRON, REQUIRED, "when the warm hours begin"),
        Field("end", CRON, REQUIRED, "when they end"),
        Field("timezone", Accept("an IANA time zone", _check_zone), REQUIRED, "zone of both"),
        Field("replicas", integer(1), REQUIRED, "replicas meanwhile"),
    )
)


def _positive(value: Any, item: dict[str, Any]) -> bool:
    """What wakes a model that is scaled to zero is not there yet."""
    return isinstance(value, int) and value > 0


SCALING_FIELDS: tuple[Field, ...] = (
    Field(
        "scaling.min",
        integer(0),
        1,
        "least replicas; as many as scaling.max, and no schedule: no scaler",
        built=False,
        built_for=_positive,
        built_text="1 or more",
    ),
    Field("scaling.max", integer(1), 3, "most replicas"),
    Field(
        "scaling.running_target",
        number(0, 1, above=True),
        0.7,
        "running requests a replica, as a share of engine.max_sequences",
    ),
    Field("scaling.kv_cache_target", number(0, 1, above=True), 0.6, "use of the KV cache a replica"),
    Field("scaling.waiting_target", integer(1), 8, "waiting requests a replica; beyond it for long, an alert"),
    Field("scaling.saturation_target", number(0, 1, above=True), None, "saturation of the pool", built=False),
    Field(
        "scaling.polling_interval",
        integer(5, 300, " (seconds)"),
        15,
        "acts below one replica only; above, how often KEDA renews its status",
    ),
    Field(
        "scaling.scale_down_after",
        integer(60, 3600, " (seconds)"),
        300,
        "for so long the load must be lower before a replica goes, then one a minute",
    ),
    Field("scaling.schedule", SCHEDULE, [], "warm hours: at least so many replicas meanwhile"),
)
