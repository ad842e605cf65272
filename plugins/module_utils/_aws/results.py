# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an ensure function acts and what it answers, and the forms in which resources are returned to a play."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging


@dataclass(frozen=True)
class Result:
    """changed: whether anything was (in check mode: would be) written. before, after: the resource, {} where absent."""

    changed: bool
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


def _now() -> float:
    return time.monotonic()


@dataclass(frozen=True)
class Run:
    """How an ensure function acts. check: write nothing. wait: until the state is reached.

    timeout: seconds for all waits together. began: when they began to count.
    """

    check: bool = False
    wait: bool = True
    timeout: float = 900.0
    began: float = field(default_factory=_now)

    @property
    def left(self) -> float:
        """Seconds that are left to wait."""
        return min(self.timeout, max(0.0, self.timeout - (time.monotonic() - self.began)))


def plain(resource: Mapping[str, Any] | None) -> dict[str, Any]:
    """A service's answer for a play: snake_case keys, times in ISO 8601, tags as a mapping with keys untouched."""
    if not resource:
        return {}
    fields = {key: value for key, value in resource.items() if key not in ("tags", "ResponseMetadata")}
    answer: dict[str, Any] = _times(camel_dict_to_snake_dict(fields))
    tags = resource.get("tags") or {}
    answer["tags"] = dict(tags) if isinstance(tags, Mapping) else tagging.from_list(tags)
    return answer


def _times(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _times(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_times(item) for item in value]
    return value


def stable_token(*parts: str) -> str:
    """An idempotency token of 64 characters that a repeated run computes again, so that a lost reply makes no twin."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
