# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab says on the terminal: one line a step, with the time since the command began."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Thread-safe lines on standard error, each led by the seconds since the command began."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def elapsed(self) -> float:
        """Seconds since the command began."""
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        """Print one line."""
        with self._lock:
            print(f"[{self.elapsed():7.1f}s] {text}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Time a step that is worth a line of its own."""
        begin = time.monotonic()
        yield
        self.say(f"{text}: {time.monotonic() - begin:.1f} s")
