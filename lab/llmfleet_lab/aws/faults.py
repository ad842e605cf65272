# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that services answer, and their shape on the wire by protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape


class AwsFault(Exception):
    """An error answer of an AWS service.

    code: the service's error code. message: for people. status: HTTP status. members: further members of the error's
    shape (JSON protocols only), such as errorCode.
    """

    def __init__(self, code: str, message: str, status: int = 400, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})


def render(fault: AwsFault, protocol: str, service: str, request_id: str) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of an error answer.

    protocol: as in botocore's service models (json, rest-json, query, ec2, rest-xml). service: botocore's name.
    """
    if service == "s3":
        document = (
            f"<Error><Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>"
            f"<RequestId>{request_id}</RequestId><HostId>lab</HostId></Error>"
        )
    elif protocol == "ec2":
        document = (
            f"<Response><Errors><Error><Code>{escape(fault.code)}</Code><Message>{escape(fault.message)}</Message>"
            f"</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        )
    elif protocol in ("query", "rest-xml"):
        sender = "Receiver" if fault.status >= 500 else "Sender"
        document = (
            f"<ErrorResponse><Error><Type>{sender}</Type><Code>{escape(fault.code)}</Code>"
            f"<Message>{escape(fault.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    else:
        content = {"__type": fault.code, "message": fault.message, **fault.members}
        media_type = "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1"
        headers = [("Content-Type", media_type), ("x-amzn-ErrorType", fault.code)]
        return headers, json.dumps(content).encode()
    return [("Content-Type", "text/xml")], b'<?xml version="1.0" encoding="UTF-8"?>' + document.encode()
