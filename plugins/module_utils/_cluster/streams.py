# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests are under way at once: the same number at the API server, however far away it is."""

from __future__ import annotations

import threading

# At the server at once: so many keep it busy, and with more it answers later, not more.
AT_SERVER = 16
# Under way at once. The queues that API priority and fairness has for one user hold several times as many.
MOST = 64
# Seconds of one server-side apply at a server that has nothing else to do (kubectl, one after the other, on the lab).
_SERVED = 0.007
# Seconds of the fastest answer below which a server counts as near.
_NEAR = 0.005


class Streams:
    """Learns from answers. Safe to use from threads."""

    def __init__(self) -> None:
        """Nothing is known yet: the server counts as near."""
        self._lock = threading.Lock()
        self._fastest: float | None = None
        self._refused = False

    def answered(self, seconds: float, status: int) -> None:
        """Take note of an answer: the fastest ever is the round trip, 429 says that we ask for too much."""
        with self._lock:
            if self._fastest is None or seconds < self._fastest:
                self._fastest = seconds
            self._refused = self._refused or status == 429

    @property
    def number(self) -> int:
        """How many requests to have under way, so that as many as AT_SERVER are at the server."""
        with self._lock:
            if self._refused or self._fastest is None or self._fastest < _NEAR:
                return AT_SERVER
            # Little's law: of n requests, n * served / (served + round trip) are at the server.
            return min(round(AT_SERVER * (1 + self._fastest / _SERVED)), MOST)
