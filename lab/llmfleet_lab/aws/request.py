# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request as it came over the wire: undecoded path and query, every header, and a body that may be streamed."""

from __future__ import annotations

import io
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Set by the request handler of server.py: all headers with lower-case names, in order.
HEADERS_KEY = "llmfleet.headers"
BLOCK = 1 << 20


class ClientGone(ConnectionError):
    """The client broke off while its request was read."""


class Request:
    """One HTTP request over a WSGI environment."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        target: str = environ["RAW_URI"]
        if not target.startswith("/"):
            parts = urlsplit(target)
            target = f"{parts.path or '/'}?{parts.query}"
        # Percent-encoded, as signed.
        self.path, _, self.raw_query = target.partition("?")
        self.headers: list[tuple[str, str]] = list(environ[HEADERS_KEY])
        self._input = environ["wsgi.input"]
        self.chunked = bool(environ.get("wsgi.input_terminated"))
        length = self.header("content-length") or "0"
        self.content_length = int(length) if length.isdigit() else 0
        self._left = self.content_length
        self._ended = not self.chunked and self._left == 0

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The decoded query parameters, in order."""
        return parse_qsl(self.raw_query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The value of a header (name in lower case), several of them joined by commas."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in self.query if key == name), None)

    def read(self, size: int = BLOCK) -> bytes:
        """Up to `size` bytes of the body; b"" at its end. Raises ClientGone."""
        if self._ended:
            return b""
        try:
            data: bytes = self._input.read(size if self.chunked else min(size, self._left))
        except OSError as error:
            raise ClientGone(str(error)) from None
        if self.chunked:
            self._ended = not data
            return data
        if not data:
            raise ClientGone(f"the client broke off with {self._left} bytes of the body to come")
        self._left -= len(data)
        self._ended = self._left == 0
        return data

    @cached_property
    def body(self) -> bytes:
        """The whole body, for services whose requests are small. Rewinds the WSGI input for other applications."""
        content = b"".join(iter(self.read, b""))
        self.environ["wsgi.input"] = io.BytesIO(content)
        self.environ["CONTENT_LENGTH"] = str(len(content))
        self.environ.pop("wsgi.input_terminated", None)
        self.environ.pop("HTTP_TRANSFER_ENCODING", None)
        return content
