# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file on its way, and its parts in memory."""

from __future__ import annotations

import io
import math
import threading
from dataclasses import dataclass, field
from typing import Any

from .files import Hashes, RemoteFile


@dataclass
class Part:
    """A part in memory, held until it is both hashed and uploaded."""

    buffer: io.BytesIO
    holds: int = 2


@dataclass
class Transfer:
    """One file on its way. ``lock`` guards everything below it; the hash advances part by part, in order."""

    file: RemoteFile
    part_size: int
    attempt: int = 1
    lock: threading.Lock = field(default_factory=threading.Lock)
    hashes: Hashes = field(init=False)
    upload: str | None = None
    waiting: dict[int, Part] = field(default_factory=dict)
    hashed: int = 0
    hashing: bool = False
    uploaded: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hashes = Hashes(self.file)

    @property
    def parts(self) -> int:
        """Number of parts; 1 also for an empty file."""
        return max(math.ceil(self.file.size / self.part_size), 1)

    def bounds(self, index: int) -> tuple[int, int]:
        """First byte of a part and the byte after its last."""
        return index * self.part_size, min((index + 1) * self.part_size, self.file.size)
