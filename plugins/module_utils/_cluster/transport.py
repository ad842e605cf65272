# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP of the client: connections that are kept and used again, and what can be read of an answer."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import sdk
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.connection import Connection
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import Unreachable


class Transport:
    """Sends requests to one API server. Safe to use from threads; nothing is retried, no redirect is followed."""

    def __init__(self, connection: Connection, connections: int) -> None:
        """Open nothing yet. connections: how many are kept open."""
        options: dict[str, Any] = {"maxsize": connections, "retries": False}
        if connection.ssl_context is not None:
            options["ssl_context"] = connection.ssl_context
            options["server_hostname"] = connection.server_hostname
            if connection.server_hostname:
                options["assert_hostname"] = connection.server_hostname
        self._host = connection.host
        self._pools: Any = None
        if connection.proxy:
            self._pools = sdk.urllib3.ProxyManager(connection.proxy, **options)
            return
        # One host is all there is: what a pool manager works out anew for each request is a fifth of its time.
        self._path = urlsplit(connection.host).path
        self._pool = sdk.urllib3.PoolManager(**options).connection_from_url(connection.host)
        self._pool.ConnectionCls = _in_one_piece(self._pool.ConnectionCls)

    def send(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str], timeout: float) -> Any:
        """Return urllib3's answer, read to its end. target: path and query. Raises urllib3's HTTPError."""
        options: dict[str, Any] = {
            "body": body,
            "headers": headers,
            "timeout": sdk.urllib3.Timeout(connect=10.0, read=timeout),
            "redirect": False,
        }
        if self._pools is not None:
            return self._pools.request(method, self._host + target, **options)
        return self._pool.request(method, self._path + target, assert_same_host=False, **options)


def _in_one_piece(connection_class: Any) -> Any:
    """Return a connection class that sends head and body of a request together: the server wakes up once, not twice."""

    class InOnePiece(connection_class):
        _held: list[bytes] | None = None

        def request(self, *arguments: Any, **options: Any) -> None:
            self._held = []
            try:
                super().request(*arguments, **options)
                whole = b"".join(self._held)
            finally:
                self._held = None
            super().send(whole)

        def send(self, data: Any) -> None:
            if self._held is None:
                super().send(data)
            else:
                self._held.append(bytes(data))

    return InOnePiece


def decoded(data: bytes | str) -> Any:
    """Return the JSON of an answer. Raises Unreachable when it is none."""
    try:
        return json.loads(data) if data else {}
    except ValueError:
        raise Unreachable("the answer is not JSON: is this address an API server?") from None


def decoded_error(data: bytes) -> Any:
    """Return the body of an error answer: its JSON, or its text."""
    try:
        return json.loads(data)
    except ValueError:
        return data.decode("utf-8", "replace").strip()


def retry_after(value: str | None) -> float | None:
    """Return the header's seconds, at most 30, from either of its two forms."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        when = email.utils.parsedate_tz(value)
        if when is None:
            return None
        seconds = email.utils.mktime_tz(when) - time.time()
    return min(max(seconds, 0.0), 30.0)


def cause(trouble: Exception) -> str:
    """Return the reason of a transport error without the object addresses that urllib3 puts before it."""
    text = str(trouble)
    return text.rsplit("): ", 1)[-1] if isinstance(trouble, sdk.urllib3.exceptions.NewConnectionError) else text
