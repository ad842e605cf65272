# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A threaded HTTP server around a WSGI application: werkzeug's, which moto's server brings along."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from llmfleet_lab.aws.config import Listen
from llmfleet_lab.aws.request import HEADERS_KEY
from llmfleet_lab.errors import LabError

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Handler(WSGIRequestHandler):
    # Headers and content are written one after the other: without this, the second waits for an acknowledgement.
    disable_nagle_algorithm = True
    timeout = 300

    def make_environ(self) -> dict[str, Any]:
        """As werkzeug's, and every header as it came: werkzeug drops those with an underscore, which are signed."""
        environ = super().make_environ()
        environ[HEADERS_KEY] = [(name.lower(), value.strip()) for name, value in self.headers.items()]
        return environ

    def handle_expect_100(self) -> bool:
        """Leave it to werkzeug, which answers when the application runs."""
        return True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: requests are logged by the applications."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Errors of connections, without request lines: these may hold signatures."""
        if type == "error":
            print(f"{self.address_string()}: {message % args if args else message}", file=sys.stderr)


class Server:
    """A listening server. port: the one in use."""

    def __init__(self, application: Wsgi, listen: Listen, tls: tuple[Path, Path] | None = None) -> None:
        """Bind and listen; requests wait until start(). tls: files of certificate and key. Raises LabError."""
        family = socket.AF_INET6 if ":" in listen.address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                bound.bind((listen.address, listen.port))
                bound.listen(128)
            except OSError as error:
                where = f"{listen.address}:{listen.port}"
                raise LabError(f"cannot listen on {where}: {error.strerror}") from None
            self._server: BaseWSGIServer = make_server(
                listen.address, listen.port, application, threaded=True, request_handler=_Handler, fd=bound.fileno()
            )
        self.port: int = self._server.port
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            # The handshake is left to the thread of the connection: a silent client must not hold up the others.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the socket."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
