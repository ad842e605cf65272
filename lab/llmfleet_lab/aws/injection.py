# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: the next calls of an operation fail as asked, so that retries can be seen to work."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call, service_model

# The operation is carried out, and the connection is cut without an answer.
LOST_REPLY = "LostReply"
_STATUS = {
    "RequestLimitExceeded": 503,
    "SlowDown": 503,
    "ServiceUnavailable": 503,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerException": 500,
    "ServerException": 500,
}


@dataclass
class Injected:
    """A fault to come. operation: "*" for all of the service. times: how many calls fail. status: HTTP status."""

    service: str
    operation: str
    error: str
    times: int
    status: int
    message: str


class Injection:
    """The faults that were asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Injected] = []

    def add(self, document: Any) -> dict[str, Any]:
        """Add a fault from {service, operation, error, times, status, message}; times, status, message are optional.

        Raises ValueError that names what is wrong.
        """
        if not isinstance(document, dict):
            raise ValueError("the body is not a JSON object")
        unknown = sorted(set(document) - {"service", "operation", "error", "times", "status", "message"})
        if unknown:
            raise ValueError(f"{unknown[0]}: unknown key")
        for key in ("service", "operation", "error"):
            if not isinstance(document.get(key), str) or not document[key]:
                raise ValueError(f"{key}: missing, expected a string")
        service, operation, error = document["service"], document["operation"], document["error"]
        model = service_model(service)
        if model is None or (operation != "*" and operation not in model.operation_names):
            raise ValueError(f"operation: {service}:{operation} is no operation of AWS")
        times = document.get("times", 1)
        if not isinstance(times, int) or isinstance(times, bool) or times < 1:
            raise ValueError(f"times: got {times!r}, expected an integer of at least 1")
        status = document.get("status", _status(model, error))
        if not isinstance(status, int) or not 400 <= status <= 599:
            raise ValueError(f"status: got {status!r}, expected 400 to 599")
        message = str(document.get("message", f"{error} on demand"))
        fault = Injected(service, operation, error, times, status, message)
        with self._lock:
            self._faults.append(fault)
        return asdict(fault)

    def pending(self) -> list[dict[str, Any]]:
        """The faults that are still to come."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def take(self, call: Call) -> str | None:
        """Use up one fault for this call: raises AwsFault, or answers LOST_REPLY; None when there is none."""
        with self._lock:
            for fault in self._faults:
                if fault.service == call.service and fault.operation in ("*", call.operation):
                    fault.times -= 1
                    if fault.times == 0:
                        self._faults.remove(fault)
                    break
            else:
                return None
        if fault.error == LOST_REPLY:
            return LOST_REPLY
        members = {"errorCode": fault.error} if call.service == "s3files" else {}
        raise AwsFault(fault.error, fault.message, fault.status, members)


def _status(model: Any, error: str) -> int:
    """The status that the service's model gives to the error, else a usual one."""
    for shape in model.error_shapes:
        if shape.name == error or shape.metadata.get("error", {}).get("code") == error:
            status = shape.metadata.get("error", {}).get("httpStatusCode")
            if status:
                return int(status)
    return _STATUS.get(error, 400)
