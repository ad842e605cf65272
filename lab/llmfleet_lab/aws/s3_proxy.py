# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests passed on to versitygw: signed anew with its root keys, bodies streamed both ways in blocks."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from urllib.parse import urlsplit

from llmfleet_lab.aws import sigv4
from llmfleet_lab.aws.aws_chunked import unsigned_chunks
from llmfleet_lab.aws.config import ObjectStore
from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.request import BLOCK, ClientGone, Request
from llmfleet_lab.aws.response import Response

# Headers between two neighbours, and those of the client's own signature.
_NOT_PASSED_ON = {
    *("authorization", "connection", "expect", "host", "keep-alive", "proxy-connection", "te", "transfer-encoding"),
    *("upgrade", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "content-length"),
}
_NOT_PASSED_BACK = {"connection", "keep-alive", "transfer-encoding"}
_PRESIGNED = {
    f"X-Amz-{name}"
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature", "Security-Token")
}
_UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


class S3Proxy:
    """A way to versitygw."""

    def __init__(self, store: ObjectStore, region: str) -> None:
        self._store = store
        self._region = region
        parts = urlsplit(store.endpoint)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._authority = parts.netloc

    def ask(self, method: str, path: str, query: list[tuple[str, str]]) -> tuple[int, bytes]:
        """A request of our own without a body; status and content. path: percent-encoded. Raises AwsFault."""
        connection = self._connect()
        try:
            headers = sigv4.sign(
                method, path, query, [("host", self._authority)], sigv4.EMPTY_HASH, self._store.keys, self._region
            )
            target = path + (
                "?" + "&".join(f"{key}={value}" if value else key for key, value in query) if query else ""
            )
            connection.request(method, target, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error) from None
        finally:
            connection.close()

    def forward(self, request: Request, path: str, upload: bool) -> Response:
        """Pass a client's request on. path: percent-encoded, path-style. upload: whether its body becomes an object.

        Raises AwsFault when versitygw is away.
        """
        raw_query = "&".join(
            item for item in request.raw_query.split("&") if item and item.partition("=")[0] not in _PRESIGNED
        )
        query = [(key, value) for key, value in request.query if key not in _PRESIGNED]
        headers = [(name, value) for name, value in request.headers if name not in _NOT_PASSED_ON]
        headers.append(("host", self._authority))
        payload, body, length, headers = _body(request, headers, upload)
        if length is not None:
            headers.append(("content-length", str(length)))
        else:
            headers.append(("transfer-encoding", "chunked"))
        signed = sigv4.sign(request.method, path, query, headers, payload, self._store.keys, self._region)
        connection = self._connect()
        try:
            connection.putrequest(
                request.method, f"{path}?{raw_query}" if raw_query else path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in signed:
                connection.putheader(name, value)
            connection.endheaders()
            _send(connection, body, chunked=length is None)
            answer = connection.getresponse()
        except BaseException as error:
            # An upload closed half-way is one that was broken off: versitygw stores nothing of it.
            connection.close()
            if isinstance(error, OSError | http.client.HTTPException) and not isinstance(error, ClientGone):
                raise _unreachable(error) from None
            raise
        passed_back = [(name, value) for name, value in answer.getheaders() if name.lower() not in _NOT_PASSED_BACK]
        return Response(answer.status, passed_back, _Blocks(connection, answer))

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=300, blocksize=BLOCK)
        try:
            connection.connect()
        except OSError as error:
            raise _unreachable(error) from None
        return connection


def _unreachable(error: Exception) -> AwsFault:
    return AwsFault("ServiceUnavailable", f"The object store of the lab does not answer: {error!r}", 503)


def _body(
    request: Request, headers: list[tuple[str, str]], upload: bool
) -> tuple[str, Iterator[bytes], int | None, list[tuple[str, str]]]:
    """Payload hash, blocks, length (None: sent chunked) and headers of the body as it is passed on."""
    payload = request.header("x-amz-content-sha256") or sigv4.UNSIGNED
    headers = _without_coding(headers)
    if payload.startswith("STREAMING-AWS4-"):
        # Signatures of chunks mean nothing to versitygw, which shares no key with the client.
        return _UNSIGNED_CHUNKS, unsigned_chunks(request), None, headers
    raw = iter(request.read, b"")
    if request.chunked:
        return payload, raw, None, headers
    size = request.content_length
    if payload == sigv4.UNSIGNED and upload and size:
        # versitygw keeps what it has of such an upload when it is broken off, unless the end is marked.
        begin, end = b"%x\r\n" % size, b"\r\n0\r\n\r\n"
        headers = [*headers, ("x-amz-decoded-content-length", str(size))]
        return _UNSIGNED_CHUNKS, chain([begin], raw, [end]), len(begin) + size + len(end), headers
    return payload, raw, size, headers


def _without_coding(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers without the content coding aws-chunked: S3 does not keep it with an object, versitygw would."""
    kept = []
    for name, value in headers:
        if name == "content-encoding":
            value = ",".join(part for part in value.split(",") if part.strip() != "aws-chunked")
            if not value:
                continue
        kept.append((name, value))
    return kept


def _send(connection: http.client.HTTPConnection, body: Iterator[bytes], chunked: bool) -> None:
    """Send the body. When versitygw stops listening, it has answered already: its answer is read then."""
    for block in body:
        try:
            connection.send(b"%x\r\n%b\r\n" % (len(block), block) if chunked else block)
        except (BrokenPipeError, ConnectionResetError):
            return
    if chunked:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(b"0\r\n\r\n")


class _Blocks:
    """The content of an answer in blocks; close() ends the connection."""

    def __init__(self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        self._connection = connection
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        while block := self._answer.read(BLOCK):
            yield block

    def close(self) -> None:
        self._answer.close()
        self._connection.close()
