# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirrors of the hub as sources: a folder, a bucket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .failures import CorruptError, NotFoundError, TemporaryError
from .files import CHUNK, Facts, RemoteFile
from .s3 import s3_errors
from .settings import COMMIT, Config


class Mirror:
    """What folders and buckets have in common: the layouts of a mirror of the hub.

    ``<owner>/<name>/<commit>/…`` with ``<owner>/<name>/refs/<branch>``, or huggingface_hub's cache:
    ``models--<owner>--<name>/snapshots/<commit>/…`` with ``models--<owner>--<name>/refs/<branch>``.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.facts = Facts()

    def listing(self, revision: str) -> tuple[str, list[RemoteFile]]:
        """The commit and files of the first layout that has the revision."""
        flat = self._config.repository
        cache = "models--" + flat.replace("/", "--")
        for refs, commits in ((f"{flat}/refs", flat), (f"{cache}/refs", f"{cache}/snapshots")):
            commit = revision if COMMIT.fullmatch(revision) else (self._text(f"{refs}/{revision}") or "").strip()
            if COMMIT.fullmatch(commit) and (files := self._files(f"{commits}/{commit}")):
                return commit, files
        raise NotFoundError(
            f"{self._config.source} has no revision {revision} of {flat}: looked for {flat}/<commit>/ and "
            f"{cache}/snapshots/<commit>/"
        )

    def _text(self, path: str) -> str | None:
        raise NotImplementedError

    def _files(self, folder: str) -> list[RemoteFile]:
        raise NotImplementedError


class Folder(Mirror):
    """A folder that mirrors the hub's layout."""

    def _text(self, path: str) -> str | None:
        try:
            return (Path(self._config.source) / path).read_text()
        except OSError:
            return None

    def _files(self, folder: str) -> list[RemoteFile]:
        base = Path(self._config.source) / folder
        return [self._file(base, path) for path in sorted(base.rglob("*")) if path.is_file()]

    @staticmethod
    def _file(base: Path, path: Path) -> RemoteFile:
        stat = path.stat()
        identity = f"file:{stat.st_size}:{stat.st_mtime_ns}"
        blob = path.resolve().name if path.is_symlink() else ""  # the cache names blobs by their hash
        sha256 = blob if re.fullmatch(r"[0-9a-f]{64}", blob) else None
        oid = blob if COMMIT.fullmatch(blob) else None
        return RemoteFile(path.relative_to(base).as_posix(), stat.st_size, identity, str(path), sha256, oid)

    def read(self, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        """Read the range of the file."""
        try:
            with open(file.locator, "rb") as stream:
                stream.seek(start)
                while start < stop:
                    chunk = stream.read(min(CHUNK, stop - start))
                    if not chunk:
                        raise CorruptError(f"{file.locator}: became shorter while it was read")
                    yield chunk
                    start += len(chunk)
        except OSError as error:
            raise TemporaryError(f"{file.locator}: {error.strerror}") from None


class Bucket(Mirror):
    """A bucket (prefix) that mirrors the hub's layout."""

    def __init__(self, config: Config, client: Any) -> None:
        super().__init__(config)
        self._client = client
        self._bucket, _slash, prefix = config.source.removeprefix("s3://").partition("/")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""

    def _text(self, path: str) -> str | None:
        with s3_errors(f"read s3://{self._bucket}/{self._prefix}{path}"):
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + path)["Body"].read()
                return str(body.decode())
            except self._client.exceptions.NoSuchKey:
                return None

    def _files(self, folder: str) -> list[RemoteFile]:
        base = f"{self._prefix}{folder}/"
        files = []
        with s3_errors(f"list s3://{self._bucket}/{base}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=base):
                for each in page.get("Contents", ()):
                    if not each["Key"].endswith("/"):
                        path, etag = each["Key"].removeprefix(base), each["ETag"].strip('"')
                        files.append(RemoteFile(path, each["Size"], f"etag:{etag}", each["Key"]))
        return files

    def read(self, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        """Read the range of the object, which must still be the one that was listed."""
        if start == stop:
            return
        etag = '"' + file.identity.removeprefix("etag:") + '"'
        with s3_errors(f"read s3://{self._bucket}/{file.locator}"):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=file.locator, Range=f"bytes={start}-{stop - 1}", IfMatch=etag
            )
            yield from answer["Body"].iter_chunks(CHUNK)
