# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: calls fail as asked, a number of them or a share, so that retries can be seen to work."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Any

from llmfleet_lab.aws import credentials
from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call, service_model

# The operation is carried out, and the connection is cut without an answer.
LOST_REPLY = "LostReply"
# The connection is cut before the operation is carried out.
CONNECTION_RESET = "ConnectionReset"
_CUT = (LOST_REPLY, CONNECTION_RESET)
# Kinds for which each service has an error of its own: service -> code and status.
_THROTTLED = {
    "ec2": ("RequestLimitExceeded", 503),
    "eks": ("ThrottlingException", 429),
    "iam": ("Throttling", 400),
    "s3": ("SlowDown", 503),
    "s3files": ("ThrottlingException", 429),
    "sts": ("Throttling", 400),
}
_FAILING = {
    "ec2": ("InternalError", 500),
    "eks": ("ServerException", 500),
    "iam": ("ServiceFailure", 500),
    "s3": ("InternalError", 500),
    "s3files": ("InternalServerException", 500),
    "sts": ("InternalFailure", 500),
}
EXPIRED_TOKEN = "ExpiredToken"
_KINDS = {
    "Throttled": (_THROTTLED, ("ThrottlingException", 400)),
    "ServerError": (_FAILING, ("InternalFailure", 500)),
}
_STATUS = {
    "RequestLimitExceeded": 503,
    "SlowDown": 503,
    "ServiceUnavailable": 503,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerException": 500,
    "ServerException": 500,
}
_KEYS = {"service", "operation", "error", "times", "status", "message", "rate", "seed", "after"}


@dataclass
class Injected:
    """A fault to come. service, operation: "*" for all.

    after: how many calls it spares first. times: how many fail then; None: all, until the faults are cleared.
    rate: the share of these calls that fails, drawn by `seed`. status: HTTP status; 0: that of the kind.
    """

    service: str
    operation: str
    error: str
    times: int | None
    status: int
    message: str
    rate: float = 1.0
    seed: int = 0
    after: int = 0
    draws: random.Random = field(default_factory=random.Random, repr=False)

    def described(self) -> dict[str, Any]:
        """As it is told to people."""
        return {key: getattr(self, key) for key in sorted(_KEYS)}

    def fits(self, call: Call) -> bool:
        """Whether it is about this call."""
        return self.service in ("*", call.service) and self.operation in ("*", call.operation)

    def strikes(self) -> bool:
        """Whether it fails the call at hand; counts it."""
        if self.after > 0:
            self.after -= 1
            return False
        if self.draws.random() >= self.rate:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Injection:
    """The faults that were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Injected] = []

    def add(self, document: Any) -> dict[str, Any]:
        """Add a fault from {service, operation, error} and optional members of Injected.

        error: a code of the service; or a kind, for which each service has its own: Throttled, ServerError,
        ExpiredToken; or LostReply or ConnectionReset. times is 1 unless a rate is given or the kind is ExpiredToken.
        Raises ValueError that names what is wrong.
        """
        if not isinstance(document, dict):
            raise ValueError("the body is not a JSON object")
        unknown = sorted(set(document) - _KEYS)
        if unknown:
            raise ValueError(f"{unknown[0]}: unknown key")
        for key in ("service", "operation", "error"):
            if not isinstance(document.get(key), str) or not document[key]:
                raise ValueError(f"{key}: missing, expected a string")
        service, operation, error = document["service"], document["operation"], document["error"]
        model = service_model(service) if service != "*" else None
        known = operation == "*" or (model is not None and operation in model.operation_names)
        if (model is None and service != "*") or not known:
            raise ValueError(f"operation: {service}:{operation} is no operation of AWS")
        lasting = "rate" in document or error == EXPIRED_TOKEN
        rate = document.get("rate", 1.0)
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate <= 1:
            raise ValueError(f"rate: got {rate!r}, expected a share above 0, at most 1")
        numbers = {"times": (None if lasting else 1, 1), "seed": (0, 0), "after": (0, 0)}
        found = {key: _number(document, key, default, least) for key, (default, least) in numbers.items()}
        status = document.get("status", _status(model, error))
        if not isinstance(status, int) or not (400 <= status <= 599 or status == 0):
            raise ValueError(f"status: got {status!r}, expected 400 to 599")
        fault = Injected(
            service,
            operation,
            error,
            found["times"],
            status,
            str(document.get("message", f"{error} on demand")),
            float(rate),
            found["seed"] or 0,
            found["after"] or 0,
        )
        fault.draws.seed(fault.seed)
        with self._lock:
            self._faults.append(fault)
        return fault.described()

    def pending(self) -> list[dict[str, Any]]:
        """The faults that are still to come."""
        with self._lock:
            return [fault.described() for fault in self._faults]

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def take(self, call: Call) -> str | None:
        """Use up one fault for this call: raises AwsFault, or answers LOST_REPLY, CONNECTION_RESET or None."""
        with self._lock:
            fault = next((item for item in self._faults if item.fits(call) and item.strikes()), None)
            self._faults = [item for item in self._faults if item.times != 0]
        if fault is None:
            return None
        if fault.error in _CUT:
            return fault.error
        if fault.error == EXPIRED_TOKEN:
            raise credentials.expired("s3" if call.service == "s3" else call.protocol)
        code, status = fault.error, fault.status
        if fault.error in _KINDS:
            codes, usual = _KINDS[fault.error]
            code, status = codes.get(call.service, usual)
        members = {"errorCode": code} if call.service == "s3files" else {}
        raise AwsFault(code, fault.message, status, members)


def _number(document: dict[str, Any], key: str, default: int | None, least: int) -> int | None:
    value = document.get(key, default)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{key}: got {value!r}, expected an integer of at least {least}")
    return value


def _status(model: Any, error: str) -> int:
    """The status that the service's model gives to the error, else a usual one; 0 for what has none."""
    if error in _CUT or error in _KINDS or error == EXPIRED_TOKEN:
        return 0
    for shape in model.error_shapes if model is not None else ():
        if shape.name == error or shape.metadata.get("error", {}).get("code") == error:
            status = shape.metadata.get("error", {}).get("httpStatusCode")
            if status:
                return int(status)
    return _STATUS.get(error, 400)
