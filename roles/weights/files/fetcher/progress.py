# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a fetch is."""

from __future__ import annotations

import time
from typing import Protocol

from .settings import Config
from .telling import bytes_text, say, time_text


class Work(Protocol):
    """What goes on: bytes that came, files that are finished."""

    @property
    def bytes(self) -> int:
        """Bytes so far."""

    @property
    def finished(self) -> int:
        """Files so far."""


class Progress:
    """A line at intervals: bytes, rate of the last interval, time left."""

    def __init__(self, config: Config, work: Work, total: int, files: int) -> None:
        self.total, self._files, self._work, self._interval = total, files, work, config.progress
        self._last = (time.monotonic(), 0)

    def tick(self) -> None:
        """Say where we are, if it is time to."""
        now, done = time.monotonic(), self._work.bytes
        then, before = self._last
        if now - then < self._interval:
            return
        self._last = (now, done)
        rate = max(done - before, 0) / (now - then)
        left = f"{time_text((self.total - done) / rate)} left" if rate > 0 else "nothing came"
        share = 100 * done / self.total if self.total else 100
        say(
            f"{bytes_text(done)} of {bytes_text(self.total)} ({share:.0f}%), {bytes_text(rate)}/s, {left}, "
            f"{self._work.finished} of {self._files} files"
        )
