# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content-addressed store: each built part lies in a folder named by everything that went into it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Recipe(Protocol):
    """How a part comes into being."""

    def fingerprint(self) -> dict[str, str]:
        """Everything that decides the result, beside the keys of the parts it is made from."""

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Make the part in the empty folder ``out`` from the built ``inputs``, writing what tools say to ``log``."""


def digest_of_files(*files: Path) -> str:
    """SHA-256 over the contents of ``files``, in order (64 hexadecimal digits)."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def digest_of_tree(folder: Path, pattern: str = "**/*") -> str:
    """SHA-256 over names and contents of the files below ``folder`` that match ``pattern``."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.glob(pattern) if path.is_file()):
        digest.update(f"{file.relative_to(folder)}\0{digest_of_files(file)}\0".encode())
    return digest.hexdigest()


class Store:
    """Built parts below one folder: ``<name>-<first 16 digits of the key>/``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def key(self, name: str, fingerprint: dict[str, str], input_keys: dict[str, str]) -> str:
        """The key of a part: a change of any input, version or recipe changes it."""
        text = json.dumps({"name": name, "own": fingerprint, "inputs": input_keys}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def folder(self, name: str, key: str) -> Path:
        """Where the part is, or will be."""
        return self.root / f"{name}-{key[:16]}"

    def has(self, name: str, key: str) -> bool:
        """Whether the part is there, whole."""
        return self.folder(name, key).is_dir()

    def put(self, name: str, key: str, make: Callable[[Path], None]) -> Path:
        """Make the part in a folder beside its place and move it there when it is whole."""
        final = self.folder(name, key)
        self.root.mkdir(parents=True, exist_ok=True)
        scratch = self.root / f".{final.name}.{os.getpid()}"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            make(scratch)
            scratch.rename(final)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return final

    def remove_others(self, wanted: set[Path]) -> list[Path]:
        """Remove parts that no current recipe names; returns what went."""
        gone = []
        for folder in sorted(self.root.glob("*")):
            if folder.is_dir() and folder not in wanted:
                shutil.rmtree(folder)
                gone.append(folder)
        return gone
