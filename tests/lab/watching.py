# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where secrets could show: the output of a run, the arguments of every process meanwhile, files left behind."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path


def forms(secret: str) -> set[str]:
    """Return the secret as it could be shown: as it is, in JSON, in base64, with escapes, line by line."""
    found = {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], base64.b64encode(secret.encode()).decode()}
    # A long line of a key shows as much as the key.
    found.update(line for line in secret.splitlines() if len(line) >= 12)
    return {form for form in found if form}


def shown(secrets: Iterable[str], text: str) -> list[str]:
    """Return the secrets that some form of occurs in a text, each shortened."""
    return [secret[:6] + "…" for secret in secrets if any(form in text for form in forms(secret))]


class Arguments:
    """Reads the arguments of every process of this machine, again and again, in a thread of its own."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Arguments:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            time.sleep(0.02)


def left_behind(folders: Iterable[Path], since: float) -> dict[str, str]:
    """Return the files below some folders that were changed since then: {path: content}. since: epoch seconds."""
    found = {}
    for folder in folders:
        for root, _folders, files in os.walk(folder):
            for name in files:
                path = Path(root) / name
                with contextlib.suppress(OSError):
                    if path.is_file() and path.stat().st_mtime >= since and path.stat().st_size < 50_000_000:
                        found[str(path)] = path.read_bytes().decode("utf-8", "replace")
    return found
