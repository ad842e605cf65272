# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb verify: every file in the bucket is read again and has the hash that the ledger says."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Mapping
from typing import Any

from .failures import CorruptError, FetchError, NotFoundError
from .files import RemoteFile
from .ledger import of_config
from .progress import Progress
from .s3 import s3_client
from .settings import Config
from .store import Store
from .telling import bytes_text, make_summary, say
from .waiting import Stop

# Problems that are told one by one.
_TOLD = 20


def verify(config: Config, environ: Mapping[str, str], stop: Stop) -> dict[str, Any]:
    """Read and compare; the summary. CorruptError names the files that differ, NotFoundError: there is no ledger."""
    begin = time.monotonic()
    store = Store(config, s3_client(config, environ))
    ledger = store.read_ledger()
    where = f"s3://{config.bucket}/{config.ledger}"
    if ledger is None:
        raise NotFoundError(f"there is no ledger {where}: this revision was not fetched, or not to its end")
    if not of_config(ledger, config):
        raise CorruptError(
            f"the ledger {where} is of {ledger['model']}, {ledger['repository']} at {ledger['requested_revision']}"
        )
    sizes, _notes = store.listing()
    files, problems = [], []
    for file in ledger["files"]:
        path, size = file["path"], sizes.get(file["path"])
        if size == file["size"]:
            files.append(file)
        else:
            problems.append(f"{path} is missing" if size is None else f"{path} has {size} bytes, not {file['size']}")
    others = sorted(sizes.keys() - {file["path"] for file in ledger["files"]})
    if others:
        say(f"not in the ledger, and left alone: {', '.join(others[:_TOLD])}")
    total = sum(file["size"] for file in files)
    say(f"{config.repository} at {ledger['commit']}: reading {len(files)} files, {bytes_text(total)}")
    problems += _Reading(config, store, stop, files, total).problems()
    if problems:
        more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
        text = "; ".join(problems[:_TOLD])
        raise CorruptError(f"{len(problems)} of {len(ledger['files'])} files differ from the ledger: {text}{more}")
    return make_summary(config, "verified", ledger["commit"], len(files), 0, total, 0, begin)


class _Reading:
    """Reads files, several at once; counts as Progress wants it."""

    def __init__(self, config: Config, store: Store, stop: Stop, files: list[dict[str, Any]], total: int) -> None:
        self._store, self._stop, self._files = store, stop, files
        self._progress = Progress(config, self, total, len(files))
        self._pool = concurrent.futures.ThreadPoolExecutor(config.connections)
        self._lock = threading.Lock()
        self.bytes = self.finished = 0

    def problems(self) -> list[str]:
        """A text for each file whose content is not what the ledger says, in their order."""
        waiting = [self._pool.submit(self._problem, file) for file in self._files]
        left = set(waiting)
        try:
            while left:
                done, left = concurrent.futures.wait(left, 0.5, concurrent.futures.FIRST_EXCEPTION)
                for each in done:
                    each.result()
                self._progress.tick()
                self._stop.check()
        except FetchError:
            self._stop.set()
            raise
        finally:
            self._pool.shutdown(cancel_futures=True)
        return [text for each in waiting if (text := each.result())]

    def _problem(self, file: dict[str, Any]) -> str:
        listed = RemoteFile(file["path"], file["size"], "", "", sha256=file["sha256"])
        found = self._store.hashes(listed, self._stop, self._count).sha256
        with self._lock:
            self.finished += 1
        return "" if found == file["sha256"] else f"{file['path']}: expected sha256 {file['sha256']}, found {found}"

    def _count(self, count: int) -> None:
        with self._lock:
            self.bytes += count
