# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer on its way to the client."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass
class Response:
    """status: HTTP status. headers: in order. body: blocks of bytes; its close(), where it has one, is called."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: Iterable[bytes] = ()

    @classmethod
    def of(cls, status: int, headers: list[tuple[str, str]], content: bytes) -> Response:
        """An answer whose whole content is at hand."""
        return cls(status, [*headers, ("Content-Length", str(len(content)))], [content])

    def header(self, name: str) -> str | None:
        """The first value of a header; name in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def status_line(self) -> str:
        """As WSGI wants it."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return f"{self.status} Unknown"


def call_wsgi(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Response:
    """Run a WSGI application to its end and return its answer."""
    response = Response(500)

    def start(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        response.status = int(status.split(" ", 1)[0])
        response.headers = list(headers)
        return lambda _data: None

    result = application(environ, start)
    try:
        response.body = [b"".join(result)]
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    return response
