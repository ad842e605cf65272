# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving bytes from a source to the store.

Workers take parts of files from one queue, read each part by a ranged request into memory, hash the parts of a file in
order while they are uploaded, and complete a file's multipart upload only when its hash is the expected one. A file of
which a killed run had uploaded parts is completed first, and its object read again: S3 shows no part before that.
Memory is bounded: so many buffers times the part size.
"""

from __future__ import annotations

import collections
import contextlib
import io
import math
import threading
import time
from collections.abc import Callable

from .failures import CorruptError, FetchError, TemporaryError
from .files import RemoteFile
from .settings import MIB, Config
from .sources import Source
from .store import Store
from .transfer import Part, Transfer
from .uploads import Uploads
from .waiting import Patience, Stop


class Mover:
    """Workers that move files from a source to the store. ``hashes``: path -> sha256 of what arrived."""

    def __init__(
        self, config: Config, source: Source, store: Store, uploads: Uploads, stop: Stop, say: Callable[[str], None]
    ) -> None:
        self._config, self._source, self._stop, self._say = config, source, stop, say
        self._store, self._uploads = store, uploads
        # Half as many buffers again as connections: parts that wait for their turn to be hashed do not idle a worker.
        # Parts are taken in order and each takes a buffer first, so the next part to hash always has one: no deadlock.
        self._buffers = threading.Semaphore(config.connections + max(config.connections // 2, 1))
        self._queue: collections.deque[tuple[Transfer, int]] = collections.deque()
        self._state = threading.Condition()
        self._unfinished = 0
        self._failure: BaseException | None = None
        self.hashes: dict[str, str] = {}
        self.bytes = 0

    @property
    def finished(self) -> int:
        """Files that arrived."""
        return len(self.hashes)

    def transfer(self, file: RemoteFile) -> Transfer:
        """How a file is fetched from its beginning. S3 takes at most 10,000 parts."""
        return Transfer(file, max(self._config.part_size, math.ceil(file.size / 10_000 / MIB) * MIB))

    def move(self, transfers: list[Transfer], tick: Callable[[], None]) -> None:
        """Move all files; ``tick`` is called twice a second. Raises the first failure.

        No upload is left open then, unless another run can go on with it.
        """
        self._unfinished = len(transfers)
        for transfer in transfers:
            self._enqueue(transfer)
        threads = [threading.Thread(target=self._work, daemon=True) for _number in range(self._config.connections)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                self._state_wait()
                tick()
                if self._failure is None:
                    self._stop.check()
        except BaseException as error:
            self._fail(error)
        if self._failure is not None:
            self._stop.set()
            deadline = time.monotonic() + 10
            for thread in threads:
                thread.join(max(deadline - time.monotonic(), 0))
            if not (isinstance(self._failure, FetchError) and self._failure.retryable):
                self._drop_uploads()
            raise self._failure

    def _state_wait(self) -> None:
        with self._state:
            if self._failure is None and self._unfinished:
                self._state.wait(0.5)
                return
        time.sleep(0.05)

    def _enqueue(self, transfer: Transfer, first: bool = False) -> None:
        # All parts of a resumed file may be there: the last one is uploaded again, so that somebody completes it.
        missing = transfer.missing or [transfer.uploaded.pop()["PartNumber"] - 1]
        items = [(transfer, index) for index in missing]
        with self._state:
            if first:
                self._queue.extendleft(reversed(items))
            else:
                self._queue.extend(items)
            self._state.notify_all()

    def _take(self) -> tuple[Transfer, int] | None:
        with self._state:
            while not self._queue and self._unfinished and self._failure is None:
                self._state.wait(0.5)
                self._stop.check()
            return self._queue.popleft() if self._queue and self._failure is None else None

    def _work(self) -> None:
        try:
            while True:
                while not self._buffers.acquire(timeout=0.5):
                    self._stop.check()
                item = self._take()
                if item is None:
                    self._buffers.release()
                    return
                self._part(*item)
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._state:
            if self._failure is None:
                self._failure = error
            self._state.notify_all()
        self._stop.set()

    def _part(self, transfer: Transfer, index: int) -> None:
        part = Part(self._read(transfer, index))
        if transfer.parts == 1:
            self._single(transfer, part)
            return
        with transfer.lock:
            if transfer.upload is None:
                transfer.upload = self._uploads.begin(transfer)
            upload = transfer.upload
            if transfer.resumed:
                part.holds = 1
            else:
                transfer.waiting[index] = part
        self._hash(transfer)
        uploaded = self._uploads.part(transfer.file, upload, index, part.buffer)
        with transfer.lock:
            transfer.uploaded.append(uploaded)
        self._done_with(transfer, part)
        self._finish(transfer)

    def _read(self, transfer: Transfer, index: int) -> io.BytesIO:
        """One part from the source, going on where a failure cut it."""
        start, stop = transfer.bounds(index)
        buffer = io.BytesIO()
        patience = Patience(self._stop, self._config.patience, self._say)
        while True:
            try:
                for chunk in self._source.read(transfer.file, start + buffer.tell(), stop):
                    self._stop.check()
                    buffer.write(chunk)
                    patience.progress()
                    with self._state:
                        self.bytes += len(chunk)
                if start + buffer.tell() == stop:
                    return buffer
                raise TemporaryError(f"{transfer.file.path}: {stop - start - buffer.tell()} bytes did not come")
            except TemporaryError as error:
                patience.wait(error)

    def _hash(self, transfer: Transfer) -> None:
        """Hash every part whose turn has come; one thread at a time for a file."""
        while True:
            with transfer.lock:
                if transfer.hashing or transfer.hashed not in transfer.waiting:
                    return
                part = transfer.waiting.pop(transfer.hashed)
                transfer.hashing = True
            transfer.hashes.update(part.buffer.getbuffer())
            with transfer.lock:
                transfer.hashing = False
                transfer.hashed += 1
            self._done_with(transfer, part)
            self._finish(transfer)

    def _done_with(self, transfer: Transfer, part: Part) -> None:
        with transfer.lock:
            part.holds -= 1
            free = part.holds == 0
        if free:
            self._buffers.release()

    def _finish(self, transfer: Transfer) -> None:
        """Complete the file after its last part was hashed and uploaded; the one who sees that first does it."""
        with transfer.lock:
            hashed = transfer.resumed or transfer.hashed == transfer.parts
            if not hashed or len(transfer.uploaded) < transfer.parts or transfer.upload is None:
                return
            upload, transfer.upload = transfer.upload, None
        file = transfer.file
        try:
            if transfer.resumed:
                self._uploads.complete(transfer, upload)
                self._say(f"{file.path}: an earlier run has uploaded a part of it, so it is read again")
                transfer.hashes = self._store.hashes(file, self._stop)
                transfer.hashes.verify()
            else:
                transfer.hashes.verify()
                self._uploads.complete(transfer, upload)
        except CorruptError as error:
            if transfer.resumed:
                self._store.delete(file.path)
            self._uploads.drop(file.path)
            self._again(transfer, error)
            return
        self._uploads.settle(file.path)
        self._arrived(transfer)

    def _single(self, transfer: Transfer, part: Part) -> None:
        """A file of one part: hash, check, put."""
        transfer.hashes.update(part.buffer.getbuffer())
        try:
            transfer.hashes.verify()
        except CorruptError as error:
            self._again(transfer, error)
        else:
            self._store.put(transfer.file, part.buffer, transfer.hashes.sha256)
            self._arrived(transfer)
        self._buffers.release()

    def _again(self, transfer: Transfer, error: CorruptError) -> None:
        """Fetch a corrupt file once more, or give up."""
        if transfer.attempt > 1:
            raise CorruptError(f"{error} (fetched twice; nothing of it was kept)")
        self._say(f"{error}; fetching it once more")
        with self._state:
            self.bytes -= min(self.bytes, transfer.file.size)
        # What an earlier run has uploaded is no attempt of ours.
        self._enqueue(Transfer(transfer.file, transfer.part_size, 1 if transfer.resumed else 2), first=True)

    def _arrived(self, transfer: Transfer) -> None:
        with self._state:
            self.hashes[transfer.file.path] = transfer.hashes.sha256
            self._unfinished -= 1
            self._state.notify_all()

    def _drop_uploads(self) -> None:
        """Leave no upload behind; what cannot be dropped now is found by the next run."""
        for path in list(self._uploads.notes):
            with contextlib.suppress(FetchError, KeyError):
                self._uploads.drop(path)
