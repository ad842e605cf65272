# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the requests of the hub look-alike share: deliberate failures, rate limits, signed links, the request log."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from llmfleet_lab.hub_store import HubStore, Options, Repository


class Refusal(Exception):
    """An answer that is not 2xx: status, the hub's error code (X-Error-Code) and its message."""

    def __init__(self, status: int, message: str, code: str | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class HubState:
    """What requests share: repositories, counters of the deliberate failures, the key of signed links, the log."""

    def __init__(self, root: Path, log: Path | None) -> None:
        self.store = HubStore(root)
        self.cdn: str | None = None
        self._key = secrets.token_bytes(32)
        self._log = log.open("a", buffering=1) if log else None
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], int] = {}
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def record(self, entry: dict[str, Any]) -> None:
        """Append one request to the log as a line of JSON."""
        with self._lock:
            if self._log:
                self._log.write(json.dumps(entry) + "\n")

    def taken(self, repository: str, what: str) -> int:
        """Count one more use of ``what`` and return how many there were before."""
        with self._lock:
            before = self._counts.get((repository, what), 0)
            self._counts[repository, what] = before + 1
            return before

    def limit(self, client: str, repository: Repository, options: Options) -> None:
        """Refuse the first requests of the client's window, as the repository's rate limit says."""
        if options.rate_limit is None:
            return
        limit, now = options.rate_limit, time.monotonic()
        with self._lock:
            start, count = self._windows.get((client, repository.name), (now, 0))
            if now - start >= limit.window_seconds:
                start, count = now, 0
            self._windows[client, repository.name] = (start, count + 1)
        if count < limit.first:
            raise Refusal(
                429,
                "We had to rate limit your IP. Pass a HF_TOKEN to get a higher limit.",
                Retry_After=str(limit.retry_after),
                RateLimit=f'"resolvers";r=0;t={limit.retry_after}',
                RateLimit_Policy=f'"fixed window";"resolvers";q={limit.first};w={int(limit.window_seconds)}',
            )

    def spend(self, client: str, repository: Repository, options: Options) -> dict[str, str]:
        """Take one request of the client's budget: headers that tell what is left; Refusal when nothing is."""
        if options.budget is None:
            return {}
        budget, now = options.budget, time.monotonic()
        with self._lock:
            start, count = self._windows.get((client, f"{repository.name} budget"), (now, 0))
            if now - start >= budget.window_seconds:
                start, count = now, 0
            self._windows[client, f"{repository.name} budget"] = (start, count + 1)
        left = max(budget.requests - count - 1, 0)
        header = f'"resolvers";r={left};t={math.ceil(start + budget.window_seconds - now)}'
        if count >= budget.requests:
            raise Refusal(429, "We had to rate limit your IP.", RateLimit=header)
        return {"RateLimit": header}

    def sign(self, path: str, expires: float) -> str:
        """The signature of a link to ``path`` that works until ``expires`` (seconds since the epoch)."""
        return hmac.new(self._key, f"{expires:.3f}\n{path}".encode(), hashlib.sha256).hexdigest()
