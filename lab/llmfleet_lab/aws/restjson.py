# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol REST-JSON from the server's side: requests checked, and answers shaped, by botocore's model."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call, service_model
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.response import Response

Handler = Callable[[dict[str, Any]], Mapping[str, Any]]


class Invalid(Exception):
    """A request that the model forbids; the message names the member."""


def serve(
    request: Request, call: Call, handlers: Mapping[str, Handler], invalid: Callable[[str], AwsFault]
) -> Response:
    """Read, check and carry out one operation.

    handlers: operation -> function from input members to output members. invalid: makes the service's own error of a
    message about a bad request. Raises AwsFault.
    """
    operation = service_model(call.service).operation_model(call.operation)
    try:
        parameters = _read(request, call, operation)
        if operation.input_shape is not None:
            check(operation.input_shape, parameters, "")
    except Invalid as error:
        raise invalid(str(error)) from None
    output = handlers[call.operation](parameters)
    status = operation.http.get("responseCode", 200)
    if status == 204:
        return Response(204)
    content = shaped(operation.output_shape, output) if operation.output_shape is not None else {}
    return Response.of(status, [("Content-Type", "application/json")], json.dumps(content).encode())


def _read(request: Request, call: Call, operation: Any) -> dict[str, Any]:
    """The input members from path, query and body."""
    shape = operation.input_shape
    if shape is None:
        return {}
    found: dict[str, Any] = {}
    document: Any = {}
    if request.body:
        try:
            document = json.loads(request.body)
        except ValueError:
            raise Invalid("the request body is not JSON") from None
        if not isinstance(document, dict):
            raise Invalid("the request body is not a JSON object")
    for name, member in shape.members.items():
        where = member.serialization.get("location")
        wire = member.serialization.get("name", name)
        if where == "uri":
            found[name] = call.uri[wire]
        elif where == "querystring":
            values = [value for key, value in request.query if key == wire]
            if values:
                found[name] = values if member.type_name == "list" else _from_text(member, values[0], name)
        elif document.get(wire) is not None:
            found[name] = document[wire]
    return found


def _from_text(shape: Any, text: str, name: str) -> Any:
    if shape.type_name in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise Invalid(f"{name}: got {text!r}, expected an integer") from None
    if shape.type_name == "boolean":
        if text.lower() not in ("true", "false"):
            raise Invalid(f"{name}: got {text!r}, expected true or false")
        return text.lower() == "true"
    return text


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    # The classes of letters, separators and digits, in the syntax of Python's re.
    return re.compile(pattern.replace(r"\p{L}", r"\w").replace(r"\p{Z}", " ").replace(r"\p{N}", r"\d"))


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
    "structure": dict,
    "map": dict,
    "list": list,
}


def check(shape: Any, value: Any, path: str) -> None:
    """Check a value against a shape: type, required members, pattern, enumeration, length and range.

    Raises Invalid naming the first member that is wrong.
    """
    kind = shape.type_name
    expected = _TYPES.get(kind)
    if expected is not None and (not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean")):
        raise Invalid(f"{path or 'input'}: got a {type(value).__name__}, expected {kind}")
    limits = shape.metadata
    if kind in ("integer", "long", "float", "double"):
        _within(limits, value, f"{path}: got {value}, expected a value")
    elif kind in ("string", "list", "map"):
        _within(limits, len(value), f"{path}: got length {len(value)}, expected a length")
    if kind == "structure":
        for name in shape.required_members:
            if name not in value:
                raise Invalid(f"{path}{'.' if path else ''}{name}: missing, and required")
        for name, item in value.items():
            if name in shape.members and item is not None:
                check(shape.members[name], item, f"{path}{'.' if path else ''}{name}")
    elif kind == "list":
        for index, item in enumerate(value):
            check(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        for key, item in value.items():
            check(shape.key, key, f"{path} (key)")
            check(shape.value, item, f"{path}.{key}")
    elif kind == "string":
        _check_text(shape, value, path)


def _within(limits: Mapping[str, Any], number: float, message: str) -> None:
    if "min" in limits and number < limits["min"]:
        raise Invalid(f"{message} of at least {limits['min']}")
    if "max" in limits and number > limits["max"]:
        raise Invalid(f"{message} of at most {limits['max']}")


def _check_text(shape: Any, value: str, path: str) -> None:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        raise Invalid(f"{path}: got {value!r}, expected one of {', '.join(allowed)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not _pattern(pattern).fullmatch(value):
        raise Invalid(f"{path}: got {value!r}, expected a match of {pattern}")


def shaped(shape: Any, value: Any) -> Any:
    """A value as the wire has it: members by the shape, absent ones left out, timestamps in seconds.

    Raises TypeError for a member that the shape does not have or lacks: the caller's mistake, not the client's.
    """
    kind = shape.type_name
    if kind == "structure":
        unknown = set(value) - set(shape.members)
        missing = {name for name in shape.required_members if value.get(name) is None}
        if unknown or missing:
            raise TypeError(f"{shape.name}: unknown members {sorted(unknown)}, missing members {sorted(missing)}")
        return {
            shape.members[name].serialization.get("name", name): shaped(shape.members[name], item)
            for name, item in value.items()
            if item is not None
        }
    if kind == "list":
        return [shaped(shape.member, item) for item in value]
    if kind == "map":
        return {key: shaped(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return value.timestamp() if isinstance(value, datetime) else value
    return value
