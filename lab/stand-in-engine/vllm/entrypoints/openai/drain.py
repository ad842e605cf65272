# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of an engine, as vLLM 0.32 does it with --shutdown-timeout.

At SIGTERM nothing new is begun: it is answered 500. What runs may run on for so many seconds, and the engine ends when
nothing runs any more, or cuts what is left. Without the flag, or with 0, it cuts at once.
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer


class Drain:
    """Counts the requests that run."""

    def __init__(self) -> None:
        self._running = 0
        self._ending = False
        self._changed = threading.Condition()

    @contextmanager
    def request(self) -> Iterator[bool]:
        """Count a request while it runs; false when it must not begin any more."""
        with self._changed:
            accepted = not self._ending
            self._running += accepted
        try:
            yield accepted
        finally:
            with self._changed:
                self._running -= accepted
                self._changed.notify_all()

    def end(self, server: HTTPServer, arguments: list[str]) -> None:
        """Begin to end a server, in a thread: this is called by a signal."""
        parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
        parser.add_argument("--shutdown-timeout", type=float, default=0.0)
        given, _rest = parser.parse_known_args(arguments)
        threading.Thread(target=self._drain, args=(server, given.shutdown_timeout)).start()

    def _drain(self, server: HTTPServer, seconds: float) -> None:
        with self._changed:
            self._ending = True
            print(f"stand-in engine: ends; {self._running} requests run, for at most {seconds:.0f} s", flush=True)
            self._changed.wait_for(lambda: self._running == 0, timeout=seconds)
        server.shutdown()
