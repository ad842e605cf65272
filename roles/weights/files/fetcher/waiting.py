# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting: until told to stop, until the hub lets requests through again, before another try."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable

from .failures import StoppedError, TemporaryError


class Stop:
    """Set by a signal or by the first failure; everything that waits or loops looks at it."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.signal: str | None = None

    def on_signal(self, number: int, _frame: object) -> None:
        """Signal handler."""
        self.signal = signal.Signals(number).name
        self._event.set()

    def set(self) -> None:
        """Stop everything."""
        self._event.set()

    def check(self) -> None:
        """Raise StoppedError once stopped."""
        if self._event.is_set():
            raise StoppedError(f"stopped by {self.signal}" if self.signal else "stopped")

    def sleep(self, seconds: float) -> None:
        """Sleep, or raise StoppedError as soon as stopped."""
        self._event.wait(max(seconds, 0))
        self.check()


class Gate:
    """Holds all requests to the hub back at its limits, which are per address and not per connection."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._until = 0.0

    def close(self, seconds: float) -> bool:
        """Let nothing through for so long; whether it was open."""
        now = time.monotonic()
        was_open = self._until <= now
        self._until = max(self._until, now + seconds)
        return was_open

    def wait(self) -> None:
        """Wait until open; those who waited leave one by one."""
        while (left := self._until - time.monotonic()) > 0:
            self._stop.sleep(left + random.uniform(0, 0.5))
        self._stop.check()


class Patience:
    """How long to go on with one thing that fails: exponential waits with jitter, bounded since the last progress."""

    def __init__(self, stop: Stop, limit: float, say: Callable[[str], None]) -> None:
        self._stop, self._limit, self._say = stop, limit, say
        self.progress()

    def progress(self) -> None:
        """Something came through: start counting anew."""
        self._failures, self._since = 0, time.monotonic()

    def wait(self, error: TemporaryError) -> None:
        """Wait before the next try; raise ``error`` when that would take longer than the limit."""
        self._failures += 1
        delay = error.wait
        if delay is None:
            delay = min(0.5 * 2 ** (self._failures - 1), 30) * random.uniform(0.5, 1)
        delay += random.uniform(0, 0.1 * delay)
        spent = time.monotonic() - self._since
        if spent + delay > self._limit or self._failures > 30:
            raise TemporaryError(f"{error}; gave up after {self._failures} tries in {spent:.0f} s") from None
        self._say(f"{error}; next try in {delay:.1f} s")
        self._stop.sleep(delay)
