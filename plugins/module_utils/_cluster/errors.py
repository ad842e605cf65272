# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the Kubernetes side. Their text is meant for the user and never holds a token or a Secret's value."""

from __future__ import annotations

import re
from typing import Any

# An "Invalid value" repeats the rejected value, which can be a whole pod template with its environment.
_REPEATED_VALUE = re.compile(r"^(Invalid value|Duplicate value|Unsupported value|Not found): .*: (?=[^:]+$)", re.S)
_LONGEST = 600


class ClusterError(Exception):
    """Anything about a cluster that ends the task: the text is the message."""


class Unreachable(ClusterError):
    """The API server gave no usable answer within the time allowed."""


class UnknownKind(ClusterError):
    """The API server does not serve this apiVersion and kind (its CRD is missing)."""

    def __init__(self, api_version: str, kind: str) -> None:
        """Name what is missing."""
        super().__init__(f"the cluster does not serve {api_version} {kind}: its CRD is not installed")
        self.api_version = api_version
        self.kind = kind


class ApiError(ClusterError):
    """An answer of the API server with an error status.

    Attributes: status (HTTP code), reason (the Status object's reason, such as "NotFound"), message (its text),
    told (whether it was a Status object),
    causes (list of {reason, field, message}), kind (the details' kind: "namespaces" when a namespace is missing),
    retry_after (seconds or None).
    """

    def __init__(self, status: int, body: Any, retry_after: float | None = None) -> None:
        """Take the HTTP code and the decoded body: a Status object, or text from something in between."""
        details: dict[str, Any] = {}
        message, reason = "", ""
        if isinstance(body, dict):
            details = body.get("details") or {}
            message = str(body.get("message") or "")
            reason = str(body.get("reason") or "")
        elif body:
            message = str(body)
        self.status = status
        self.told = isinstance(body, dict)
        self.reason = reason
        self.message = message or f"HTTP {status}"
        self.causes: list[dict[str, str]] = [c for c in details.get("causes") or [] if isinstance(c, dict)]
        self.kind = str(details.get("kind") or "")
        self.retry_after = retry_after
        super().__init__(f"{self.brief()} (HTTP {status})")

    def brief(self) -> str:
        """Return what is wrong, field by field, without the rejected values that the server repeats."""
        if self.status == 422 and self.causes:
            parts = [f"{c.get('field', '?')}: {_REPEATED_VALUE.sub('', c.get('message', ''))}" for c in self.causes]
            return "; ".join(parts)[:_LONGEST]
        return self.message[:_LONGEST]

    @property
    def passing(self) -> bool:
        """Tell whether the same request may well succeed later: throttling, a server that starts or is overloaded.

        A 500 without a reason is none of these: so the server tells that it does not know a field.
        """
        if self.status == 500:
            return not self.told or self.reason in ("InternalError", "ServerTimeout") or "etcdserver" in self.message
        return self.status in (429, 502, 503, 504)

    @property
    def conflicts(self) -> list[tuple[str, str]]:
        """Return (manager, field path) for each field that another manager owns; empty when it is no such conflict."""
        found = []
        for cause in self.causes:
            if cause.get("reason") == "FieldManagerConflict":
                match = re.search(r'conflicts? with "((?:[^"\\]|\\.)*)"', cause.get("message", ""))
                found.append((match.group(1) if match else "another manager", cause.get("field", "?")))
        return found
