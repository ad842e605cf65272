# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of the emulated AWS: one JSON line a request, and counters. No body, no secret, no query."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "aws-requests.jsonl"
_KEPT = 200_000


@dataclass(frozen=True)
class Entry:
    """One request. time: ISO 8601, UTC. path: without the query, which may hold a signature.

    actions: of IAM, that it needs.
    """

    time: str
    service: str
    operation: str
    method: str
    path: str
    status: int
    access_key_id: str
    mutating: bool
    request_id: str
    actions: tuple[str, ...] = ()


class RequestLog:
    """The log file, and the last requests in memory. folder: None keeps no file."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._count = 0
        self._file = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / FILE).open("a", encoding="utf-8")

    def add(self, entry: Entry) -> None:
        """Log a request."""
        line = json.dumps(asdict(entry))
        with self._lock:
            self._entries.append(entry)
            self._count += 1
            if self._file is not None:
                self._file.write(line + "\n")
                self._file.flush()

    def counters(self, since: int = 0) -> dict[str, Any]:
        """Counts of the requests after the first `since` ones; `next` is what to ask with next time."""
        with self._lock:
            entries, count = list(self._entries), self._count
        entries = entries[max(0, len(entries) - max(0, count - since)) :]
        operations: dict[str, dict[str, int]] = {}
        for entry in entries:
            slot = operations.setdefault(f"{entry.service}:{entry.operation}", {"requests": 0, "errors": 0})
            slot["requests"] += 1
            slot["errors"] += entry.status >= 400
        changes = [f"{entry.service}:{entry.operation}" for entry in entries if entry.mutating]
        return {
            "next": count,
            "requests": len(entries),
            "mutating": len(changes),
            "mutating_operations": sorted(set(changes)),
            "operations": dict(sorted(operations.items())),
        }

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def now() -> str:
    """The time as logged."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
