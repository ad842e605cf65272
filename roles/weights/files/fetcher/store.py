# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket that weights go to."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
from collections.abc import Callable
from typing import Any

from .failures import TemporaryError
from .files import CHUNK, RemoteFile
from .ledger import parse_ledger
from .s3 import s3_errors
from .settings import Config
from .telling import say
from .waiting import Patience, Stop

# Object metadata: what the content is known by at the source, and its hash once known.
META_IDENTITY = "llmfleet-identity"
META_SHA256 = "sha256"


class Store:
    """The objects of one revision: below ``prefix`` in the bucket."""

    def __init__(self, config: Config, client: Any) -> None:
        self.config, self.client = config, client
        self._bucket = config.bucket

    def _where(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def sizes(self) -> dict[str, int]:
        """Path below the prefix -> size of every object there, the folder .llmfleet excepted."""
        base = self.config.prefix + "/"
        found: dict[str, int] = {}
        with s3_errors(f"list {self._where(base)}"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=base):
                for each in page.get("Contents", ()):
                    found[each["Key"].removeprefix(base)] = each["Size"]
        return {path: size for path, size in found.items() if not path.startswith(".llmfleet/")}

    def metadata(self, path: str) -> dict[str, str]:
        """The metadata of an object that is there."""
        key = self.config.key(path)
        with s3_errors(f"head {self._where(key)}"):
            return dict(self.client.head_object(Bucket=self._bucket, Key=key)["Metadata"])

    def sha256(self, path: str, stop: Stop, count: Callable[[int], None] | None = None) -> str:
        """The hash of an object, by reading it. count: is told of the bytes that came."""
        key = self.config.key(path)
        digest, done, etag = hashlib.sha256(), 0, ""
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
                        digest.update(chunk)
                        done += len(chunk)
                        patience.progress()
                        if count:
                            count(len(chunk))
                return digest.hexdigest()
            except TemporaryError as error:
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

    def begin(self, file: RemoteFile) -> str:
        """Begin a multipart upload; its id."""
        key = self.config.key(file.path)
        metadata = {META_IDENTITY: file.identity} | ({META_SHA256: file.sha256} if file.sha256 else {})
        with s3_errors(f"begin the upload of {self._where(key)}"):
            answer = self.client.create_multipart_upload(
                Bucket=self._bucket, Key=key, Metadata=metadata, ChecksumAlgorithm="CRC32"
            )
        return str(answer["UploadId"])

    def upload(self, file: RemoteFile, upload: str, index: int, body: io.BytesIO) -> dict[str, Any]:
        """Upload part ``index`` (from 0); what completing needs to know of it."""
        key = self.config.key(file.path)
        body.seek(0)
        with s3_errors(f"upload part {index + 1} of {self._where(key)}"):
            answer = self.client.upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=index + 1,
                Body=body,
                ChecksumAlgorithm="CRC32",
            )
        part = {"PartNumber": index + 1, "ETag": answer["ETag"]}
        return part | ({"ChecksumCRC32": answer["ChecksumCRC32"]} if answer.get("ChecksumCRC32") else {})

    def complete(self, file: RemoteFile, upload: str, parts: list[dict[str, Any]]) -> None:
        """Make the object of its parts."""
        key = self.config.key(file.path)
        with s3_errors(f"complete the upload of {self._where(key)}"):
            self.client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )

    def abort(self, key: str, upload: str) -> None:
        """Drop an unfinished upload; one that is gone already is no failure."""
        with (
            s3_errors(f"abort the upload of {self._where(key)}"),
            contextlib.suppress(self.client.exceptions.NoSuchUpload),
        ):
            self.client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)

    def abort_unfinished(self) -> int:
        """Drop the uploads that a killed run left below the prefix; how many."""
        base = self.config.prefix + "/"
        found: list[tuple[str, str]] = []
        with s3_errors(f"list the uploads below {self._where(base)}"):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=base)
            for page in pages:
                # Asked again here because not every server filters: only what is ours may be dropped.
                found += [(u["Key"], u["UploadId"]) for u in page.get("Uploads", ()) if u["Key"].startswith(base)]
        for key, upload in found:
            self.abort(key, upload)
        return len(found)

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
