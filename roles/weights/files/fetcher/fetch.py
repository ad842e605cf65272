# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb fetch: hub, bucket or folder -> s3://<bucket>/<prefix>/, the ledger last."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Mapping
from typing import Any

from .failures import CorruptError, FetchError
from .files import RemoteFile, select
from .ledger import make_ledger, of_config
from .mover import Mover
from .progress import Progress
from .s3 import s3_client
from .settings import Config, read_token
from .sources import open_source
from .store import META_IDENTITY, META_SHA256, Store
from .telling import bytes_text, make_summary, say
from .uploads import Uploads
from .waiting import Stop


def fetch(config: Config, environ: Mapping[str, str], stop: Stop) -> dict[str, Any]:
    """Bring the revision into the bucket and publish its ledger; the summary. Raises FetchError."""
    begin = time.monotonic()
    token = read_token(environ)
    client = s3_client(config, environ)
    store = Store(config, client)
    _keep_cache(config, store)
    ledger = store.read_ledger()
    if ledger is not None and not of_config(ledger, config):
        ledger = None
    sizes, notes = store.listing()
    if ledger is not None and ledger.get("patterns") == list(config.patterns):
        absent = [file["path"] for file in ledger["files"] if sizes.get(file["path"]) != file["size"]]
        if not absent and not notes:
            count = len(ledger["files"])
            return make_summary(config, "present", ledger["commit"], count, 0, ledger["total_bytes"], 0, begin)
        if absent:
            say(f"{len(absent)} files of the ledger are missing or of another size: {', '.join(absent[:5])}")
    source = open_source(config, token, client, stop, say)
    # A revision that moves stays at the commit that was published first: serving pods read this prefix.
    commit, listed = source.listing(ledger["commit"] if ledger else config.revision)
    files = select(listed, config)
    total = sum(file.size for file in files)
    say(f"{config.repository} at {commit}: {len(files)} of {len(listed)} files, {bytes_text(total)}")
    uploads = Uploads(config, client)
    if unknown := uploads.read():
        say(f"dropped {unknown} unfinished uploads that nothing is known of")
    hashes = _present(config, store, uploads, [file for file in files if sizes.get(file.path) == file.size], stop)
    todo = [file for file in files if file.path not in hashes]
    for path in uploads.notes.keys() - {file.path for file in todo}:
        uploads.drop(path)
    if hashes:
        say(f"{len(hashes)} files are there already")
    mover = Mover(config, source, store, uploads, stop, say)
    transfers = [uploads.resume(file) or mover.transfer(file) for file in todo]
    left = sum(transfer.size_of(index) for transfer in transfers for index in transfer.missing)
    if (kept := sum(file.size for file in todo) - left) > 0:
        say(f"going on with {bytes_text(kept)} that an earlier run has uploaded")
    progress = Progress(config, mover, left, len(todo))
    mover.move(transfers, progress.tick)
    stop.check()
    for path in sorted(sizes.keys() - {file.path for file in files}):
        # Of another commit or other globs: the engine would load it too. Only what a fetch has written.
        if META_IDENTITY in store.metadata(path):
            say(f"deleting {path}, which is not part of this revision")
            store.delete(path)
    store.write_ledger(make_ledger(config, commit, files, hashes | mover.hashes, source.facts))
    return make_summary(config, "fetched", commit, len(files), len(todo), total, progress.total, begin)


def _keep_cache(config: Config, store: Store) -> None:
    """Make sure that there is a folder of compiled code to mount, whoever may write to it. None is no failure."""
    if not config.cache:
        return
    try:
        store.keep_folder(config.cache)
    except FetchError as error:
        say(f"without a folder for compiled code: {error}")


def _present(
    config: Config, store: Store, uploads: Uploads, candidates: list[RemoteFile], stop: Stop
) -> dict[str, str]:
    """Path -> sha256 of the candidates whose objects are of the source's content by their metadata.

    One whose upload has still a note is read: whoever completed it did not get to know what it is.
    """

    def known(file: RemoteFile) -> str | None:
        stop.check()
        metadata = store.metadata(file.path)
        if metadata.get(META_IDENTITY) != file.identity:
            return None
        sha256 = metadata.get(META_SHA256)
        if sha256 is None or file.path in uploads.notes:
            hashes = store.hashes(file, stop)
            try:
                hashes.verify()
            except CorruptError as error:
                say(f"{error}; fetching it again")
                return None
            sha256 = hashes.sha256
        return sha256 if file.sha256 in (None, sha256) else None

    with concurrent.futures.ThreadPoolExecutor(config.connections) as pool:
        found = pool.map(known, candidates)
        return {file.path: sha256 for file, sha256 in zip(candidates, found, strict=True) if sha256}
