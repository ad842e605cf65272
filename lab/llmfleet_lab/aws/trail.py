# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that lag behind: what was made is not in them yet, and what is gone still is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

_KEPT = 500


class Trail[T]:
    """What there was, and when. note() is called after every operation."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._past: deque[tuple[float, list[T]]] = deque(maxlen=_KEPT)

    def note(self, items: Iterable[T]) -> None:
        """Keep what there is now."""
        found = list(items)
        if not self._past or [id(item) for item in found] != [id(item) for item in self._past[-1][1]]:
            self._past.append((self._clock(), found))

    def ago(self, seconds: float) -> list[T]:
        """What there was so many seconds ago."""
        moment = self._clock() - seconds
        return next((items for noted, items in reversed(self._past) if noted <= moment), [])
