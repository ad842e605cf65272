# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content coding aws-chunked, as clients send it with a signature in every chunk."""

from __future__ import annotations

from collections.abc import Iterator

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.request import BLOCK, Request

# Chunks are bounded by what SDKs send (64 KiB to some MiB); a line is a size, a signature or a checksum.
_LONGEST_LINE = 8192


class _Reader:
    def __init__(self, request: Request) -> None:
        self._request = request
        self._buffer = b""

    def _fill(self) -> bool:
        data = self._request.read(BLOCK)
        self._buffer += data
        return bool(data)

    def line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_LINE or not self._fill():
                if not self._buffer:
                    return b""
                raise _malformed()
        found, _, self._buffer = self._buffer.partition(b"\r\n")
        return found

    def blocks(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._buffer and not self._fill():
                raise _malformed()
            block, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(block)
            yield block


def _malformed() -> AwsFault:
    return AwsFault(
        "IncompleteBody", "The request body is not in the coding aws-chunked that its headers announce.", 400
    )


def _size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise _malformed() from None


def unsigned_chunks(request: Request) -> Iterator[bytes]:
    """The same coding without signatures: chunks first, then the trailers except for their signature."""
    reader = _Reader(request)
    while size := _size(reader.line()):
        yield b"%x\r\n" % size
        yield from reader.blocks(size)
        if reader.line():
            raise _malformed()
        yield b"\r\n"
    yield b"0\r\n"
    for trailer in _trailers(reader):
        yield trailer + b"\r\n"
    yield b"\r\n"


def _trailers(reader: _Reader) -> list[bytes]:
    found = []
    while line := reader.line():
        if not line.lower().startswith(b"x-amz-trailer-signature"):
            found.append(line)
    return found
