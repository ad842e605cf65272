# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retries: which failures are repeated and how long, also over a real connection."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import s3files as api
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import DEFAULT, Backoff, call, retryable
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client as make_client
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
)

FS = "fs-0123456789abcdef0"


def client_error(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (client_error("ThrottlingException", 429), True),
        (client_error("ThrottlingException", 400), True),
        (client_error("InternalServerException", 500), True),
        (client_error("TooManyRequestsException", 429), True),
        (client_error("RequestLimitExceeded", 503), True),
        (client_error("ServerException", 500), True),
        (client_error("ConcurrentModification", 409), True),
        (client_error("", 502), True),
        (client_error("SomethingNew", 504), True),
        (ConnectionClosedError(endpoint_url="https://x"), True),
        (EndpointConnectionError(endpoint_url="https://x"), True),
        (ReadTimeoutError(endpoint_url="https://x"), True),
        (ConnectionResetError(), True),
        (client_error("ConflictException", 409), False),
        (client_error("ValidationException", 400), False),
        (client_error("ExpiredTokenException", 403), False),
        (client_error("ServiceQuotaExceededException", 402), False),
        (SSLError(endpoint_url="https://x", error="self-signed"), False),
        (ParamValidationError(report="bad"), False),
        (ValueError(), False),
    ],
    ids=repr,
)
def test_which_failures_are_repeated(failure: Exception, expected: bool) -> None:
    assert retryable(failure) is expected


def test_every_error_of_the_services_that_passes_is_repeated(s3files: Any, eks: Any) -> None:
    """What the service models call a fault of the service, or throttling, must be in the list."""
    for script in (s3files, eks):
        for shape in script.client.meta.service_model.error_shapes:
            status = shape.metadata.get("error", {}).get("httpStatusCode", 0)
            if shape.name in ("ServiceUnavailableException", "ServerException") or status in (429, 500, 503):
                assert retryable(client_error(shape.name, status)), shape.name


def failing(*failures: Exception) -> Callable[[], str]:
    left = list(failures)

    def operation() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return operation


def test_pauses_are_bounded_and_random(clock: list[float]) -> None:
    failures = [client_error("ThrottlingException", 429)] * 9
    assert call(failing(*failures)) == "done"
    assert len(clock) == 9
    assert all(0 <= pause <= min(20.0, 0.5 * 2 ** (number + 1)) for number, pause in enumerate(clock))
    assert len(set(clock)) > 1


def test_attempts_end(clock: list[float]) -> None:
    with pytest.raises(ClientError):
        call(failing(*[client_error("ThrottlingException", 429)] * 10))
    assert len(clock) == DEFAULT.attempts - 1


def test_an_endpoint_that_cannot_be_reached_is_given_up_sooner(clock: list[float]) -> None:
    with pytest.raises(EndpointConnectionError):
        call(failing(*[EndpointConnectionError(endpoint_url="https://x")] * 10))
    assert len(clock) == DEFAULT.unreachable - 1


def test_what_cannot_be_cured_is_not_repeated(clock: list[float]) -> None:
    with pytest.raises(ClientError):
        call(failing(client_error("ValidationException", 400)), backoff=Backoff(attempts=5))
    assert clock == []


class Service:
    """An HTTP server that plays a list of reactions to requests: (status, body), or None to break the connection."""

    def __init__(self, reactions: list[tuple[int, dict[str, Any]] | None]) -> None:
        self.requests: list[str] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.requests.append(self.path)
                reaction = reactions.pop(0)
                if reaction is None:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                body = json.dumps(reaction[1]).encode()
                self.send_response(reaction[0])
                if "errorCode" in reaction[1]:
                    self.send_header("x-amzn-errortype", reaction[1]["errorCode"])
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., tuple[Any, Service]]]:
    """Start a service with these reactions; returns a client of it, made by session.py from a profile, and itself."""
    started: list[Service] = []

    def start(*reactions: tuple[int, dict[str, Any]] | None) -> tuple[Any, Service]:
        service = Service(list(reactions))
        started.append(service)
        config, credentials = tmp_path / "config", tmp_path / "credentials"
        config.write_text(f"[profile lab]\nendpoint_url = {service.url}\n")
        credentials.write_text("[lab]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = not-a-secret\n")
        aws = {"profile": "lab", "config_file": str(config), "credentials_file": str(credentials)}
        return make_client(session(aws, "eu-west-3"), "s3files"), service

    yield start
    for service in started:
        service.server.shutdown()
        service.server.server_close()


THROTTLED = (429, {"errorCode": "ThrottlingException", "message": "slow down"})
BROKEN = (500, {"errorCode": "InternalServerException", "message": "oops"})
FOUND = (200, {"fileSystemId": FS, "status": "available"})


def test_throttling_faults_and_resets_on_the_wire_are_survived(
    serve: Callable[..., tuple[Any, Service]], clock: list[float]
) -> None:
    client, service = serve(THROTTLED, BROKEN, None, (503, {}), FOUND)
    found = api.get_file_system(client, FS)
    assert found == {"fileSystemId": FS, "status": "available"}
    assert service.requests == [f"/file-systems/{FS}"] * 5
    assert len(clock) == 4


def test_the_sdk_does_not_repeat_as_well(serve: Callable[..., tuple[Any, Service]]) -> None:
    client, service = serve(*[THROTTLED] * 10)
    with pytest.raises(ClientError):
        call(client.get_file_system, fileSystemId=FS, backoff=Backoff(attempts=2))
    assert len(service.requests) == 2


def test_a_refusal_on_the_wire_is_not_repeated(serve: Callable[..., tuple[Any, Service]]) -> None:
    client, service = serve((400, {"errorCode": "ValidationException", "message": "bad id"}))
    with pytest.raises(AwsError, match=f"cannot read file system {FS}: ValidationException: bad id"):
        api.get_file_system(client, FS)
    assert len(service.requests) == 1


def test_a_missing_resource_on_the_wire_is_none(serve: Callable[..., tuple[Any, Service]]) -> None:
    client, _service = serve((404, {"errorCode": "ResourceNotFoundException", "message": "no"}))
    assert api.get_file_system(client, FS) is None
