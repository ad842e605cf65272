# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service and operation a request asks for, told by botocore's service models."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.exceptions
import botocore.session

from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.sigv4 import Claim

# Signing names that are not botocore's service names.
_SERVICES = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi", "elasticloadbalancing": "elbv2"}
_READS = re.compile(
    r"(Get|List|Describe|Head|AssumeRole|Lookup|Search|Filter|Simulate|Validate|Test|Select|Query|Scan|Batch(Get|Check)"
    r"|Decode|Estimate|Preview|StartQuery)"
)


@dataclass(frozen=True)
class Call:
    """service: botocore's name. operation: "" when it could not be told. uri: decoded members of the path."""

    service: str
    operation: str
    protocol: str
    region: str
    uri: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def mutating(self) -> bool:
        """Whether the operation changes something, told by its name; an unknown one counts as a change."""
        return not (_READS.match(self.operation) or self.dry_run)


@functools.cache
def service_model(service: str) -> Any:
    """botocore's model of a service, None when it has none of that name."""
    try:
        return botocore.session.Session().get_service_model(service)
    except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError):
        return None


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    pattern: re.Pattern[str]
    members: tuple[str, ...]
    query: frozenset[tuple[str, str | None]]
    headers: frozenset[str]

    @property
    def weight(self) -> tuple[int, int]:
        return len(self.query) + len(self.headers), -len(self.members)


@functools.cache
def _routes(service: str) -> list[_Route]:
    model = service_model(service)
    routes = []
    for name in model.operation_names:
        if name == "ListDirectoryBuckets":
            # On the path of ListBuckets; told apart only by the host it is sent to.
            continue
        operation = model.operation_model(name)
        path, _, query = operation.http["requestUri"].partition("?")
        needs: set[tuple[str, str | None]] = {
            (key, value or None) for key, value in parse_qsl(query, keep_blank_values=True)
        }
        headers = set()
        shape = operation.input_shape
        if service == "s3" and shape is not None:
            # S3 tells operations on one path apart by required parameters and headers.
            for member in shape.required_members:
                where = shape.members[member].serialization
                if where.get("location") == "querystring":
                    needs.add((where["name"], None))
                elif where.get("location") == "header":
                    headers.add(where["name"].lower())
        parts = re.split(r"\{([^}]+)\}", path.rstrip("/") or "/")
        pattern = "".join(
            re.escape(part) if index % 2 == 0 else ("(.+)" if part.endswith("+") else "([^/]+)")
            for index, part in enumerate(parts)
        )
        members = tuple(part.rstrip("+") for part in parts[1::2])
        routes.append(
            _Route(name, operation.http["method"], re.compile(pattern), members, frozenset(needs), frozenset(headers))
        )
    # The most specific first; of S3's operations with two names, the newer one.
    return sorted(routes, key=lambda route: (route.weight, route.operation), reverse=True)


def match_rest(service: str, request: Request, path: str) -> tuple[str, dict[str, str]]:
    """The operation of a REST request and the decoded members of its path (percent-encoded); ("", {}) for none."""
    query = {(key, value) for key, value in request.query}
    names = {(key, None) for key, _ in request.query}
    target = path if path == "/" else path.rstrip("/")
    for route in _routes(service):
        if route.method != request.method or not route.query <= (query | names):
            continue
        found = route.pattern.fullmatch(target)
        if found and all(request.header(name) is not None for name in route.headers):
            values = (unquote(value) for value in found.groups())
            return route.operation, dict(zip(route.members, values, strict=True))
    return "", {}


def classify(request: Request, claim: Claim, s3_path: str) -> Call:
    """What the request asks for. s3_path: path-style form of the path, used when the service is S3."""
    service = _SERVICES.get(claim.service, claim.service)
    model = service_model(service)
    if model is None:
        return Call(service, "", "json", claim.region)
    protocol: str = model.protocol
    if protocol in ("rest-json", "rest-xml"):
        operation, uri = match_rest(service, request, s3_path if service == "s3" else request.path)
        return Call(service, operation, protocol, claim.region, uri)
    target = request.header("x-amz-target")
    if target:
        return Call(service, target.rpartition(".")[2], "json", claim.region)
    rpc = re.fullmatch(r"/service/[^/]+/operation/(\w+)", request.path)
    if rpc:
        return Call(service, rpc[1], "json", claim.region)
    form = dict(request.query) if claim.expires is not None else dict(parse_qsl(request.body.decode("latin-1")))
    dry_run = form.get("DryRun") == "true"
    return Call(service, form.get("Action") or request.parameter("Action") or "", protocol, claim.region, {}, dry_run)
