# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repositories behind the look-alike of the Hugging Face Hub: a folder of plain files.

ROOT/tokens.json                     who may read what (mode 0600; only hashes of tokens)
ROOT/<owner>/<name>/<commit>/<file>  the files of one commit
ROOT/<owner>/<name>/refs/<ref>       a branch or tag: a file holding the commit
ROOT/<owner>/<name>/options.json     how the repository behaves (see Options); read anew at every request
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath

from llmfleet_lab.errors import LabError

COMMIT = re.compile(r"[0-9a-f]{40}")
_OWNER_OR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
# The real hub stores by .gitattributes and size; these are the suffixes of its default .gitattributes that models use.
_LFS_SUFFIXES = frozenset({".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".model", ".gguf", ".onnx", ".h5"})
_LFS_SIZE = 10 * 1024 * 1024


@dataclass(frozen=True)
class RateLimit:
    """The ``first`` requests of each client in each window of ``window_seconds`` are answered 429."""

    first: int
    window_seconds: float = 60
    retry_after: int = 1


@dataclass(frozen=True)
class Budget:
    """``requests`` of each client in each window of ``window_seconds``; every answer for a file tells what is left."""

    requests: int
    window_seconds: int


@dataclass(frozen=True)
class Faults:
    """Answers that go wrong, counted from the start of the server: ``times`` requests for files fail in this way.

    ``status``: answer that status. ``reset_after``: cut the connection after so many bytes of the body.
    """

    times: int
    status: int | None = None
    reset_after: int | None = None


@dataclass(frozen=True)
class Options:
    """How one repository behaves; the keys of ``options.json``.

    ``gated``: files need a token that was granted access. ``private``: nothing is visible without one.
    ``license``: of the model card. ``rate_limit``, ``budget``, ``faults``: see there.
    ``corrupt``: path -> number of requests answered with altered content (null: always).
    ``bytes_per_second``: speed of each response. ``link_seconds``: how long a link to the CDN works.
    """

    license: str | None = None
    gated: bool = False
    private: bool = False
    corrupt: dict[str, int | None] = field(default_factory=dict)
    rate_limit: RateLimit | None = None
    budget: Budget | None = None
    faults: Faults | None = None
    bytes_per_second: float | None = None
    link_seconds: float = 3600
    last_modified: str = "2026-01-01T00:00:00.000Z"

    @classmethod
    def read(cls, path: Path) -> Options:
        """Options of the file at ``path``; the defaults when there is none. LabError when it cannot be understood."""
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            return cls()
        except ValueError as error:
            raise LabError(f"{path}: not JSON: {error}") from None
        unknown = sorted(set(data) - {each.name for each in fields(cls)})
        if unknown:
            raise LabError(f"{path}: unknown option {unknown[0]!r}; accepted: {', '.join(f.name for f in fields(cls))}")
        if data.get("rate_limit") is not None:
            data["rate_limit"] = RateLimit(**data["rate_limit"])
        if data.get("budget") is not None:
            data["budget"] = Budget(**data["budget"])
        if data.get("faults") is not None:
            data["faults"] = Faults(**data["faults"])
        return cls(**data)


@dataclass(frozen=True)
class Blob:
    """One file of one commit. ``oid``: git's id of the blob (for LFS: of its pointer); ``sha256``: for LFS only."""

    path: str
    file: Path
    size: int
    oid: str
    sha256: str | None
    pointer_size: int

    @property
    def etag(self) -> str:
        """What the hub answers as ETag, without quotes."""
        return self.sha256 or self.oid


def git_oid(content: bytes) -> str:
    """The id git gives to a blob of this content (40 hexadecimal digits)."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Repository:
    """One repository's folder. Hashes are computed once per file, size and time of change."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._blobs: dict[tuple[Path, int, int], Blob] = {}
        self._lock = threading.Lock()

    def options(self) -> Options:
        """The options as they are on disk now."""
        return Options.read(self.folder / "options.json")

    def commit(self, revision: str) -> str | None:
        """The commit that a branch, tag or commit names; None when there is no such revision."""
        if COMMIT.fullmatch(revision) and (self.folder / revision).is_dir():
            return revision
        if ".." in PurePosixPath(revision).parts:
            return None
        ref = self.folder / "refs" / revision
        return ref.read_text().strip() if ref.is_file() else None

    def refs(self) -> dict[str, str]:
        """Branch or tag -> commit, by name."""
        base = self.folder / "refs"
        return {f.relative_to(base).as_posix(): f.read_text().strip() for f in sorted(base.rglob("*")) if f.is_file()}

    def blobs(self, commit: str) -> list[Blob]:
        """All files of the commit, by path."""
        base = self.folder / commit
        return [self._blob(base, file) for file in sorted(base.rglob("*")) if file.is_file()]

    def blob(self, commit: str, path: str) -> Blob | None:
        """One file of the commit; None when it has no such file."""
        base = self.folder / commit
        file = base / path
        if ".." in PurePosixPath(path).parts or not file.is_file():
            return None
        return self._blob(base, file)

    def _blob(self, base: Path, file: Path) -> Blob:
        stat = file.stat()
        key = (file, stat.st_size, stat.st_mtime_ns)
        with self._lock:
            if key not in self._blobs:
                self._blobs[key] = _describe(file, file.relative_to(base).as_posix(), stat.st_size)
            return self._blobs[key]


def _describe(file: Path, path: str, size: int) -> Blob:
    if file.suffix not in _LFS_SUFFIXES and size <= _LFS_SIZE:
        return Blob(path, file, size, git_oid(file.read_bytes()), None, 0)
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    return Blob(path, file, size, git_oid(pointer), sha256, len(pointer))


class HubStore:
    """All repositories below one folder, and who may read them."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise LabError(f"the hub's folder {root} does not exist")
        self.root = root
        self._repositories: dict[str, Repository] = {}
        self._lock = threading.Lock()

    def repository(self, name: str) -> Repository | None:
        """The repository ``owner/name``; None when there is none."""
        parts = name.split("/")
        if len(parts) != 2 or not all(_OWNER_OR_NAME.fullmatch(part) for part in parts):
            return None
        folder = self.root / name
        if not folder.is_dir():
            return None
        with self._lock:
            return self._repositories.setdefault(name, Repository(name, folder))

    def granted(self, token: str) -> frozenset[str] | None:
        """The gated and private repositories that a token may read; None for a token the hub does not know."""
        path = self.root / "tokens.json"
        known: dict[str, list[str]] = json.loads(path.read_text()) if path.is_file() else {}
        repositories = known.get(hashlib.sha256(token.encode()).hexdigest())
        return None if repositories is None else frozenset(repositories)


def grant(root: Path, token: str, repositories: list[str]) -> None:
    """Let ``token`` read these gated or private repositories; keeps the token's hash only, in a file of mode 0600."""
    path = root / "tokens.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    known[hashlib.sha256(token.encode()).hexdigest()] = sorted(repositories)
    partial = root / ".tokens.json.new"
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(known, stream, indent=1)
    partial.replace(path)
