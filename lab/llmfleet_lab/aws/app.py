# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one endpoint of all AWS APIs: tells who asks for what, lets the right part answer, and logs it."""

from __future__ import annotations

import socket
import traceback
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from llmfleet_lab.aws import authorization, control, credentials, ec2_guard, operations, s3_front, sigv4
from llmfleet_lab.aws.addons import Addons
from llmfleet_lab.aws.associations import Associations
from llmfleet_lab.aws.faults import AwsFault, render
from llmfleet_lab.aws.injection import CONNECTION_RESET, LOST_REPLY, Injection
from llmfleet_lab.aws.operations import Call
from llmfleet_lab.aws.request import ClientGone, Request
from llmfleet_lab.aws.request_log import Entry, RequestLog, now
from llmfleet_lab.aws.response import Response
from llmfleet_lab.aws.s3files.service import S3Files
from llmfleet_lab.aws.sigv4 import Claim
from llmfleet_lab.aws.world import World

_UNKNOWN = Call("", "", "query", "")


class Application:
    """The WSGI application.

    own_names: host names of the endpoint, in front of which virtual-host style requests have a bucket.
    """

    def __init__(
        self,
        world: World,
        s3: s3_front.S3Front,
        s3files: S3Files,
        associations: Associations,
        addons: Addons,
        injection: Injection,
        log: RequestLog,
        own_names: Iterable[str],
    ) -> None:
        self._world = world
        self._s3 = s3
        self._s3files = s3files
        self._associations = associations
        self._addons = addons
        self._injection = injection
        self._log = log
        self._own_names = tuple(own_names)
        self._control = control.Control(injection, log, s3files.store, addons, world)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        ours = request.path.startswith(control.PREFIX)
        response = self._control.serve(request) if ours else self._aws(request)
        start_response(response.status_line, response.headers)
        return response.body

    def _aws(self, request: Request) -> Response:
        request_id = str(uuid.uuid4())
        claim = sigv4.claim_of(request)
        call, lost = _UNKNOWN, None
        try:
            if claim is None:
                raise _unsigned(request)
            path = s3_front.path_style(request, self._own_names)
            call = operations.classify(request, claim, path)
            protocol = "s3" if call.service == "s3" else call.protocol
            caller = credentials.authenticate(request, claim, protocol, self._world)
            authorization.check(request, call, caller, self._world)
            lost = self._injection.take(call)
            response = Response(0) if lost == CONNECTION_RESET else self._route(request, call, claim, path)
            if response.status == 404 and authorization.absence_is_hidden(call, caller, self._world):
                _close(response)
                raise AwsFault("AccessDenied", "Access Denied", 403)
        except AwsFault as fault:
            response = _fault_response(fault, call, request, request_id)
        except ClientGone:
            # There is nobody to answer.
            raise
        except Exception:
            traceback.print_exc()
            failure = AwsFault("InternalFailure", "The emulated service failed: see the log of the lab's AWS.", 500)
            response = _fault_response(failure, call, request, request_id)
        logged_id = response.header("x-amzn-requestid") or response.header("x-amz-request-id")
        if logged_id is None:
            response.headers.append(("x-amz-request-id" if call.service == "s3" else "x-amzn-RequestId", request_id))
        self._log.add(
            Entry(
                time=now(),
                service=call.service,
                operation=call.operation,
                method=request.method,
                path=request.path,
                status=response.status,
                access_key_id=claim.access_key_id if claim else "",
                mutating=call.mutating,
                request_id=logged_id or request_id,
                actions=tuple(action for action, _resource in authorization.needs(request, call))
                if call.operation
                else (),
            )
        )
        if lost in (LOST_REPLY, CONNECTION_RESET):
            _close(response)
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError("the reply was to be lost")
        return response

    def _route(self, request: Request, call: Call, claim: Claim, path: str) -> Response:
        self._s3files.purge()
        if call.service == "s3":
            return self._s3.serve(request, call, claim, path)
        if call.service == "s3files":
            return self._s3files.serve(request, call)
        if call.service == "eks" and self._associations.answers(call):
            return self._associations.serve(request, call)
        if call.service == "eks" and self._addons.answers(call):
            return self._addons.serve(request, call)
        if call.service == "ec2":
            ec2_guard.check(request, call, self._world)
        return self._world.serve(request, claim)


def _unsigned(request: Request) -> AwsFault:
    """The error for a request without a signature. moto is never asked unsigned: it would answer anybody."""
    if request.header("x-amz-target"):
        return credentials.missing("json", "")
    form = (request.header("content-type") or "").startswith("application/x-www-form-urlencoded")
    return credentials.missing("query", "" if form or request.parameter("Action") else "s3")


def _fault_response(fault: AwsFault, call: Call, request: Request, request_id: str) -> Response:
    service = call.service or ("s3" if fault.code == "AccessDenied" else "")
    headers, content = render(fault, call.protocol, service, request_id)
    if request.method == "HEAD":
        return Response(fault.status, [("Content-Length", "0")])
    return Response.of(fault.status, headers, content)


def _close(response: Response) -> None:
    close = getattr(response.body, "close", None)
    if close is not None:
        close()
