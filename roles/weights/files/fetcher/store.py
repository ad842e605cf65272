# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket that weights go to."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

from .failures import TemporaryError
from .files import CHUNK, Hashes, RemoteFile
from .ledger import parse_ledger
from .s3 import s3_errors
from .settings import Config
from .telling import say
from .waiting import Patience, Stop

# Object metadata: what the content is known by at the source, and its hash once known.
META_IDENTITY = "llmfleet-identity"
META_SHA256 = "sha256"
# Below the prefix: what is known of uploads that have not ended.
NOTES = ".llmfleet/uploads/"


class Store:
    """The objects of one revision: below ``prefix`` in the bucket."""

    def __init__(self, config: Config, client: Any) -> None:
        self.config, self.client = config, client
        self._bucket = config.bucket

    def _where(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def listing(self) -> tuple[dict[str, int], bool]:
        """Path below the prefix -> size of every object there, the folder .llmfleet excepted; are there notes?

        Notes: of uploads whose objects nobody has vouched for (see uploads.py).
        """
        base = self.config.prefix + "/"
        found: dict[str, int] = {}
        with s3_errors(f"list {self._where(base)}"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=base):
                for each in page.get("Contents", ()):
                    found[each["Key"].removeprefix(base)] = each["Size"]
        sizes = {path: size for path, size in found.items() if not path.startswith(".llmfleet/")}
        return sizes, any(path.startswith(NOTES) for path in found)

    def metadata(self, path: str) -> dict[str, str]:
        """The metadata of an object that is there."""
        key = self.config.key(path)
        with s3_errors(f"head {self._where(key)}"):
            return dict(self.client.head_object(Bucket=self._bucket, Key=key)["Metadata"])

    def hashes(self, file: RemoteFile, stop: Stop, count: Callable[[int], None] | None = None) -> Hashes:
        """The hashes of an object, by reading it. count: is told of the bytes that came."""
        key = self.config.key(file.path)
        found, done, etag = Hashes(file), 0, ""
        patience = Patience(stop, self.config.patience, say)
        while True:
            # What was cut off goes on where it was, as long as it is the same object.
            rest = {"Range": f"bytes={done}-", "IfMatch": etag} if done else {}
            try:
                with s3_errors(f"read {self._where(key)}"):
                    answer = self.client.get_object(Bucket=self._bucket, Key=key, **rest)
                    etag = answer["ETag"]
                    for chunk in answer["Body"].iter_chunks(CHUNK):
                        stop.check()
                        found.update(chunk)
                        done += len(chunk)
                        patience.progress()
                        if count:
                            count(len(chunk))
                return found
            except TemporaryError as error:
                if done and done >= file.size:
                    # All of it came; that S3's own checksum is not that of the content is what the hash will say.
                    return found
                patience.wait(error)

    def put(self, file: RemoteFile, body: io.BytesIO, sha256: str) -> None:
        """Write a small file as one object."""
        key = self.config.key(file.path)
        body.seek(0)
        with s3_errors(f"put {self._where(key)}"):
            self.client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ChecksumAlgorithm="CRC32",
                Metadata={META_IDENTITY: file.identity, META_SHA256: sha256},
            )

    def delete(self, path: str) -> None:
        """Delete one object."""
        key = self.config.key(path)
        with s3_errors(f"delete {self._where(key)}"):
            self.client.delete_object(Bucket=self._bucket, Key=key)

    def keep_folder(self, folder: str) -> None:
        """Write an empty object that makes a folder of the bucket one of the mount."""
        key = f"{folder}/.keep"
        with s3_errors(f"put {self._where(key)}"):
            self.client.put_object(Bucket=self._bucket, Key=key, Body=b"")

    def read_ledger(self) -> dict[str, Any] | None:
        """The ledger; None when there is none or it cannot be understood."""
        with s3_errors(f"read {self._where(self.config.ledger)}"):
            try:
                text = self.client.get_object(Bucket=self._bucket, Key=self.config.ledger)["Body"].read()
            except self.client.exceptions.NoSuchKey:
                return None
        try:
            return parse_ledger(text)
        except ValueError:
            return None

    def write_ledger(self, ledger: dict[str, Any]) -> None:
        """Publish: the last write of a fetch."""
        body = (json.dumps(ledger, indent=1) + "\n").encode()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        with s3_errors(f"put {self._where(self.config.ledger)}"):
            self.client.put_object(
                Bucket=self._bucket,
                Key=self.config.ledger,
                Body=body,
                ContentType="application/json",
                ChecksumSHA256=digest,
            )
