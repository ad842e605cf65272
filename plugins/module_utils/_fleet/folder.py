# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing a rendering into a folder that holds nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

MARKER = ".llmfleet-rendering"
_ACCEPTED = "accepted: a folder that is empty, an earlier rendering, or not there yet"


class FolderError(ValueError):
    """A folder that cannot be rendered into; the message says why and what is accepted."""


def missing() -> str:
    """Return the message about no folder at all."""
    return f"llmfleet_render_to: got nothing: required; {_ACCEPTED}"


def unusable(folder: Path, error: OSError) -> str:
    """Return the message about a folder that cannot be read or written."""
    return f"llmfleet_render_to: got {str(folder)!r}: {error.strerror or error}; accepted: a folder that can be written"


def earlier_files(folder: Path) -> list[str]:
    """Return the files of the earlier rendering in a folder, [] when there is none.

    Raises FolderError when the folder has something else in it.
    """
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise FolderError(f"llmfleet_render_to: got {str(folder)!r}: not a folder; {_ACCEPTED}")
    marker = folder / MARKER
    if not marker.is_file():
        if any(folder.iterdir()):
            raise FolderError(f"llmfleet_render_to: got {str(folder)!r}: has other files; {_ACCEPTED}")
        return []
    try:
        listed = json.loads(marker.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError, TypeError):
        listed = None
    # Paths are removed later: nothing outside the folder may be among them.
    if not isinstance(listed, list) or any(
        not isinstance(path, str) or path.startswith("/") or ".." in path.split("/") for path in listed
    ):
        raise FolderError(f"llmfleet_render_to: got {str(folder)!r}: its {MARKER} is damaged; {_ACCEPTED}")
    return listed


def changes(folder: Path, wanted: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return (paths to write, paths to remove). Raises FolderError, OSError."""
    earlier = earlier_files(folder)
    write = [path for path, text in wanted.items() if _text(folder / path) != text]
    remove = [path for path in earlier if path not in wanted and (folder / path).is_file()]
    return write, remove


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def write(folder: Path, wanted: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Bring a folder to the wanted files; return what was written and what was removed. Raises FolderError, OSError.

    The marker is written first, with the files of both renderings: a run that was cut off can be repeated.
    """
    to_write, to_remove = changes(folder, wanted)
    folder.mkdir(parents=True, exist_ok=True)
    _mark(folder, sorted({*earlier_files(folder), *wanted}))
    for path in to_write:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(wanted[path], encoding="utf-8")
    for path in to_remove:
        target = folder / path
        target.unlink(missing_ok=True)
        parent = target.parent
        while parent != folder and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent
    _mark(folder, sorted(wanted))
    return to_write, to_remove


def _mark(folder: Path, paths: list[str]) -> None:
    text = json.dumps({"files": paths}, indent=1) + "\n"
    if _text(folder / MARKER) != text:
        (folder / MARKER).write_text(text, encoding="utf-8")
