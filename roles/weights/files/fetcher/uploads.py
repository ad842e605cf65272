# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Multipart uploads, and what a killed run has left of them.

Beside each upload lies a note, an object below .llmfleet/uploads, from before its first part until its object is known
to be the right one. A next run goes on where the note and the parts say; an object whose note is still there was
completed by a run that did not get as far as to know its hash, or that did not get to say so.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from dataclasses import dataclass
from typing import Any

from .failures import CorruptError
from .files import RemoteFile
from .s3 import s3_errors
from .settings import Config
from .store import META_IDENTITY, META_SHA256, NOTES
from .transfer import Transfer

# What S3 says of parts that will never make an object.
_NO_OBJECT = ("InvalidPart", "InvalidPartOrder", "InvalidRequest", "EntityTooSmall", "NoSuchUpload", "BadDigest")


@dataclass(frozen=True)
class Note:
    """What is written of an upload. identity: of the content that was being fetched."""

    path: str
    identity: str
    part_size: int
    upload: str

    @staticmethod
    def parse(text: bytes) -> Note | None:
        """The note of its text, None when it is none."""
        try:
            found = json.loads(text)
            return Note(str(found["path"]), str(found["identity"]), int(found["part_size"]), str(found["upload"]))
        except (ValueError, KeyError, TypeError):
            return None


class Uploads:
    """The multipart uploads of one revision. ``notes``: path -> note, as read() has found them and begin() made."""

    def __init__(self, config: Config, client: Any) -> None:
        self._config, self._client = config, client
        self._bucket = config.bucket
        self.notes: dict[str, Note] = {}

    def _where(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def _note_key(self, path: str) -> str:
        return self._config.key(NOTES + hashlib.sha256(path.encode()).hexdigest()[:32])

    def read(self) -> int:
        """Read the notes, and drop the uploads that have none; how many of those."""
        base = self._config.key(NOTES)
        with s3_errors(f"read {self._where(base)}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=base):
                for each in page.get("Contents", ()):
                    text = self._client.get_object(Bucket=self._bucket, Key=each["Key"])["Body"].read()
                    note = Note.parse(text)
                    if note is not None and self._note_key(note.path) == each["Key"]:
                        self.notes[note.path] = note
        known = {(self._config.key(note.path), note.upload) for note in self.notes.values()}
        unknown = [found for found in self._list() if found not in known]
        for key, upload in unknown:
            self._abort(key, upload)
        return len(unknown)

    def _list(self) -> list[tuple[str, str]]:
        base = self._config.prefix + "/"
        found: list[tuple[str, str]] = []
        with s3_errors(f"list the uploads below {self._where(base)}"):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=base)
            for page in pages:
                # Asked again here because not every server filters: only what is ours may be dropped.
                found += [(u["Key"], u["UploadId"]) for u in page.get("Uploads", ()) if u["Key"].startswith(base)]
        return found

    def resume(self, file: RemoteFile) -> Transfer | None:
        """The transfer of a file as a killed run has left it; None when there is nothing to go on with."""
        note = self.notes.get(file.path)
        if note is None:
            return None
        transfer = Transfer(file, note.part_size)
        parts = self._parts(note) if note.identity == file.identity and note.part_size > 0 else None
        good = parts is not None and all(
            each["PartNumber"] <= transfer.parts and each["Size"] == transfer.size_of(each["PartNumber"] - 1)
            for each in parts
        )
        if parts is None or not good or transfer.parts == 1:
            self.drop(file.path)
            return None
        transfer.go_on(note.upload, [self._part(each) for each in parts])
        return transfer

    def _parts(self, note: Note) -> list[dict[str, Any]] | None:
        """The parts of an upload, None when it is gone."""
        key = self._config.key(note.path)
        found: list[dict[str, Any]] = []
        with s3_errors(f"list the parts of {self._where(key)}"):
            try:
                pages = self._client.get_paginator("list_parts").paginate(
                    Bucket=self._bucket, Key=key, UploadId=note.upload
                )
                for page in pages:
                    found += page.get("Parts", ())
            except self._client.exceptions.NoSuchUpload:
                return None
        return found

    @staticmethod
    def _part(answer: dict[str, Any], number: int | None = None) -> dict[str, Any]:
        """What completing needs to know of a part, of the answer to its upload or of its entry in a list."""
        part = {"PartNumber": number or answer["PartNumber"], "ETag": answer["ETag"]}
        return part | ({"ChecksumCRC32": answer["ChecksumCRC32"]} if answer.get("ChecksumCRC32") else {})

    def begin(self, transfer: Transfer) -> str:
        """Begin an upload, and write its note; its id."""
        file, key = transfer.file, self._config.key(transfer.file.path)
        metadata = {META_IDENTITY: file.identity} | ({META_SHA256: file.sha256} if file.sha256 else {})
        with s3_errors(f"begin the upload of {self._where(key)}"):
            answer = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, Metadata=metadata, ChecksumAlgorithm="CRC32"
            )
            note = Note(file.path, file.identity, transfer.part_size, str(answer["UploadId"]))
            self._client.put_object(
                Bucket=self._bucket, Key=self._note_key(file.path), Body=json.dumps(vars(note)).encode()
            )
        self.notes[file.path] = note
        return note.upload

    def part(self, file: RemoteFile, upload: str, index: int, body: io.BytesIO) -> dict[str, Any]:
        """Upload part ``index`` (from 0); what completing needs to know of it."""
        key = self._config.key(file.path)
        body.seek(0)
        with s3_errors(f"upload part {index + 1} of {self._where(key)}"):
            answer = self._client.upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=index + 1,
                Body=body,
                ChecksumAlgorithm="CRC32",
            )
        return self._part(answer, index + 1)

    def complete(self, transfer: Transfer, upload: str) -> None:
        """Make the object of its parts. CorruptError when parts of an earlier run make none."""
        import botocore.exceptions

        key = self._config.key(transfer.file.path)
        parts = sorted(transfer.uploaded, key=lambda each: int(each["PartNumber"]))
        with s3_errors(f"complete the upload of {self._where(key)}"):
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
                )
            except botocore.exceptions.ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", ""))
                if transfer.resumed and code in _NO_OBJECT:
                    raise CorruptError(f"{transfer.file.path}: S3 makes nothing of what was uploaded: {code}") from None
                raise

    def settle(self, path: str) -> None:
        """The object is the right one: its note goes."""
        key = self._note_key(path)
        with s3_errors(f"delete {self._where(key)}"):
            self._client.delete_object(Bucket=self._bucket, Key=key)
        self.notes.pop(path, None)

    def drop(self, path: str) -> None:
        """Drop what is left of an upload, and its note."""
        self._abort(self._config.key(path), self.notes[path].upload)
        self.settle(path)

    def _abort(self, key: str, upload: str) -> None:
        """Drop an unfinished upload; one that is gone already is no failure."""
        with (
            s3_errors(f"abort the upload of {self._where(key)}"),
            contextlib.suppress(self._client.exceptions.NoSuchUpload),
        ):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
