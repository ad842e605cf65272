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
    """One file on its way. ``lock`` guards everything below it; the hash advances part by part, in order.

    ``resumed``: some of its parts are of an earlier run, so that nothing is hashed before all of it is there.
    """

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
    resumed: bool = False

    def __post_init__(self) -> None:
        self.hashes = Hashes(self.file)

    @property
    def parts(self) -> int:
        """Number of parts; 1 also for an empty file."""
        return max(math.ceil(self.file.size / self.part_size), 1)

    def go_on(self, upload: str, uploaded: list[dict[str, Any]]) -> None:
        """Take over an upload of which parts are there: its hash is known only by reading the whole of it again."""
        self.upload, self.uploaded, self.resumed = upload, uploaded, True

    @property
    def missing(self) -> list[int]:
        """Indexes of the parts that are not uploaded, in order."""
        there = {each["PartNumber"] - 1 for each in self.uploaded}
        return [index for index in range(self.parts) if index not in there]

    def size_of(self, index: int) -> int:
        """Bytes of a part."""
        start, stop = self.bounds(index)
        return stop - start

    def bounds(self, index: int) -> tuple[int, int]:
        """First byte of a part and the byte after its last."""
        return index * self.part_size, min((index + 1) * self.part_size, self.file.size)
