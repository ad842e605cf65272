# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from the status of an object: the verdict on it, and the rules that stand on conditions alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DEADLINE = "ProgressDeadlineExceeded"
READY, WAITING, FAILING = "ready", "waiting", "failing"
# A controller may say no while what an object refers to is still being made.
GRACE = 45.0
# Reasons of a condition that is only not True yet. NoResources: no replica of a Gateway's proxy serves yet.
_PENDING = ("AddressNotAssigned", "NoResources", "Pending")
# The same in Envoy Gateway's words, where its reason is Invalid: what a policy refers to has no pod that serves yet.
_NOT_SERVED = "no ready endpoints"


@dataclass(frozen=True)
class Verdict:
    """state: ready, waiting or failing; a failing object counts as failed once it has been so for `grace` seconds."""

    state: str
    reason: str = ""
    grace: float = 0.0


OK = Verdict(READY)
Rule = Callable[[Mapping[str, Any]], Verdict]


def status_of(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    return obj.get("status") or {}


def seen(obj: Mapping[str, Any], observed: Any) -> bool:
    """Tell whether a status is about the present spec; a status that does not say counts as such."""
    generation = (obj.get("metadata") or {}).get("generation")
    return observed is None or generation is None or observed >= generation


def find(conditions: Any, kind: str) -> Mapping[str, Any] | None:
    return next((c for c in conditions or [] if c.get("type") == kind), None)


def text_of(condition: Mapping[str, Any]) -> str:
    parts = [f"{condition.get('type')}={condition.get('status')}", condition.get("reason"), condition.get("message")]
    return " ".join(str(part)[:300] for part in parts if part)


def conditions_of(obj: Mapping[str, Any], conditions: Any, wanted: tuple[str, ...], grace: float) -> Verdict:
    """Want all these conditions True for the present generation; False is failing, except while it is only pending."""
    for kind in wanted:
        condition = find(conditions, kind)
        if condition is None:
            return Verdict(WAITING, f"no condition {kind} yet")
        if not seen(obj, condition.get("observedGeneration")):
            return Verdict(WAITING, f"{kind} is about an earlier generation")
        if condition.get("status") == "True":
            continue
        pending = (
            condition.get("status") == "Unknown"
            or condition.get("reason") in _PENDING
            or _NOT_SERVED in str(condition.get("message"))
        )
        return Verdict(WAITING if pending else FAILING, text_of(condition), grace)
    return OK


def wants(*wanted: str, grace: float = GRACE) -> Rule:
    def rule(obj: Mapping[str, Any]) -> Verdict:
        status = status_of(obj)
        if not seen(obj, status.get("observedGeneration")):
            return Verdict(WAITING, "its controller has not seen the present generation yet")
        return conditions_of(obj, status.get("conditions"), wanted, grace)

    return rule


def per_parent(part: str, *wanted: str) -> Rule:
    """Want the conditions in each entry of status.parents or status.ancestors, and at least one entry a reference."""

    def rule(obj: Mapping[str, Any]) -> Verdict:
        entries = status_of(obj).get(part) or []
        needed = len((obj.get("spec") or {}).get("parentRefs") or [1]) if part == "parents" else 1
        for entry in entries:
            found = conditions_of(obj, entry.get("conditions"), wanted, GRACE)
            if found.state != READY:
                reference = entry.get("parentRef") or entry.get("ancestorRef") or {}
                return Verdict(
                    found.state,
                    f"{reference.get('kind', 'Gateway')} {reference.get('name')}: {found.reason}",
                    found.grace,
                )
        if len(entries) < needed:
            return Verdict(WAITING, "no controller has accepted or refused it yet")
        return OK

    return rule
