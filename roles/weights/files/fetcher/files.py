# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a revision: what a source says of them, which are wanted, whether their bytes are the right ones."""

from __future__ import annotations

import fnmatch
import hashlib
from dataclasses import dataclass

from .failures import CorruptError, NotFoundError
from .globs import DEFAULT_PATTERNS, PICKLE_SUFFIXES, matches
from .settings import MIB, Config

# Bytes that are read at once.
CHUNK = MIB


@dataclass(frozen=True)
class RemoteFile:
    """One file at the source. Of the hashes one, both or none are known before it is read.

    ``identity`` changes when the content does: it says whether an object is of this content. ``locator`` is the
    source's own name for the file.
    """

    path: str
    size: int
    identity: str
    locator: str
    sha256: str | None = None
    git_oid: str | None = None


@dataclass(frozen=True)
class Facts:
    """What the source says of a repository. ``license``: None where it says nothing.

    ``gated``: how access is given, ``auto`` or ``manual``; False for none that is needed, None where nothing is said.
    """

    license: str | None = None
    gated: str | bool | None = None


def select(listed: list[RemoteFile], config: Config) -> list[RemoteFile]:
    """The files to fetch, smallest first. NotFoundError when no weights are among them."""
    chosen = [file for file in listed if matches(file.path, config.patterns)]
    for file in chosen:
        parts = file.path.split("/")
        if any(part in ("", ".", "..") for part in parts) or parts[0] == ".llmfleet" or "\\" in file.path:
            raise CorruptError(f"{config.repository} lists a file named {file.path!r}, which is no path below a folder")
    if config.patterns == DEFAULT_PATTERNS:
        names = {file.path for file in chosen}
        # Mistral's repositories hold the weights twice; the engine reads the sharded ones.
        if any(fnmatch.fnmatchcase(name, "model*.safetensors") for name in names):
            chosen = [file for file in chosen if not fnmatch.fnmatchcase(file.path, "consolidated*.safetensors")]
        if not any(name.endswith(".safetensors") for name in names):
            pickles = [file.path for file in listed if file.path.endswith((*PICKLE_SUFFIXES, ".gguf"))]
            hint = f"; it has {', '.join(pickles[:5])}: name what you trust in weights.files" if pickles else ""
            raise NotFoundError(f"{config.repository} at {config.revision} has no safetensors file{hint}")
    if not chosen:
        raise NotFoundError(
            f"{config.repository} at {config.revision}: none of its {len(listed)} files matches weights.files "
            f"({', '.join(config.patterns)})"
        )
    return sorted(chosen, key=lambda file: (file.size, file.path))


class Hashes:
    """The hashes of one file, fed in order. ``verify`` raises CorruptError naming file, expected and found hash."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False) if file.git_oid else None

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._sha256.update(data)
        if self._git:
            self._git.update(data)

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of what was fed."""
        return self._sha256.hexdigest()

    def verify(self) -> None:
        """Compare with what the source says of the file."""
        file = self._file
        if file.sha256 and self.sha256 != file.sha256:
            raise CorruptError(f"{file.path}: expected sha256 {file.sha256}, found {self.sha256}")
        if self._git and self._git.hexdigest() != file.git_oid:
            raise CorruptError(f"{file.path}: expected git object {file.git_oid}, found {self._git.hexdigest()}")
