# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retry of AWS calls with full jitter.

The retry lists of the SDK's legacy mode and of amazon.aws leave out error codes of the services used here
(s3files answers ThrottlingException with status 429 and InternalServerException with 500), so clients are made with a
single attempt each (session.CLIENT_OPTIONS) and this is the only place that repeats a call.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import error_code, http_status

# Without the SDK there is no client, and nothing below is reached.
with suppress(ImportError):
    from botocore.exceptions import (
        ConnectionClosedError,
        ConnectTimeoutError,
        EndpointConnectionError,
        IncompleteReadError,
        ReadTimeoutError,
        ResponseStreamingError,
        SSLError,
    )
    from botocore.exceptions import ConnectionError as BotoConnectionError

RETRYABLE_CODES = frozenset(
    {
        # throttling
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequests",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
        "SlowDown",
        # the service's own failures
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "ServerException",
        "ServiceFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Unavailable",
        "RequestTimeout",
        "RequestTimeoutException",
        # IAM: another change of the same role is in flight
        "ConcurrentModification",
    }
)
RETRYABLE_STATUSES = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Backoff:
    """How often and how long to repeat a call.

    attempts: calls in all. base, cap: seconds; before attempt n+1 the pause is drawn from 0..min(cap, base * 2**n).
    unreachable: attempts in all when no connection can be made, which is rarely a passing fault.
    """

    attempts: int = 10
    base: float = 0.5
    cap: float = 20.0
    unreachable: int = 4

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the failed attempt number `attempt`, counted from 1."""
        return random.uniform(0.0, min(self.cap, self.base * 2.0**attempt))

    def limit(self, exception: BaseException) -> int:
        """How many attempts this failure is worth: 1 for one that another attempt cannot cure."""
        if not retryable(exception):
            return 1
        if isinstance(exception, (EndpointConnectionError, ConnectTimeoutError)):
            return min(self.attempts, self.unreachable)
        return self.attempts


DEFAULT = Backoff()


def retryable(exception: BaseException) -> bool:
    """Whether the same call may succeed later: throttling, a 5xx, or a connection that broke."""
    if error_code(exception) in RETRYABLE_CODES or http_status(exception) in RETRYABLE_STATUSES:
        return True
    if isinstance(exception, SSLError):
        return False  # a certificate that is not trusted stays so
    return isinstance(
        exception,
        (
            BotoConnectionError,
            ConnectionClosedError,
            ReadTimeoutError,
            IncompleteReadError,
            ResponseStreamingError,
            ConnectionError,
        ),
    )


def call(operation: Callable[..., Any], *, backoff: Backoff = DEFAULT, **parameters: Any) -> Any:
    """Call a client's operation with keyword parameters, repeating it while the failure is retryable.

    Returns what the operation returns. Raises the last exception unchanged.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return operation(**parameters)
        except Exception as exception:
            if attempt >= backoff.limit(exception):
                raise
        time.sleep(backoff.pause(attempt))


def pages(
    operation: Callable[..., Any], result_key: str, *, token_key: str = "nextToken", **parameters: Any
) -> list[Any]:
    """All items under `result_key` of a paged operation; each page is retried by itself.

    token_key: the name of the token, the same in request and response (nextToken, NextToken).
    """
    found: list[Any] = []
    token: str | None = None
    while True:
        if token:
            parameters[token_key] = token
        page = call(operation, **parameters)
        found.extend(page.get(result_key, []))
        token = page.get(token_key)
        if not token:
            return found


# A role that was just made is not known to every service at once.
UNHEARD_SECONDS = 60.0
UNHEARD_PAUSE = 4.0


def once_heard(write: Callable[[], Any], unheard: Callable[[Exception], bool], seconds: float = UNHEARD_SECONDS) -> Any:
    """Repeat a write that names something new while the service says that there is no such thing.

    unheard: whether an exception says so; the same code often means a real mistake, which is raised in the end.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return write()
        except Exception as exception:
            if not unheard(exception) or time.monotonic() >= deadline:
                raise
        time.sleep(UNHEARD_PAUSE)
