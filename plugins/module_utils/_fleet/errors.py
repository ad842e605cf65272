# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a description, collected until everything has been read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

HIDDEN = "a value that is not shown"
_LONGEST = 120
# Tokens of hubs and clouds, and user info of URLs: what people paste into the wrong place.
_SECRET_LIKE = re.compile(
    r"hf_[A-Za-z0-9]{8,}|(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,}|A[KS]IA[A-Z0-9]{12,}|(?<=://)[^/@\s]+(?=@)"
)
_INDEX = re.compile(r"\[(\d+)\]")


class DescriptionErrors(ValueError):
    """A description that cannot be used. lines: every error, one a line, in order of the description."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def shown(value: Any) -> str:
    """Return a value as a message shows it: short, on one line, without anything that looks like a credential."""
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    text = without_credentials(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def without_credentials(text: str) -> str:
    """Return a text with "…" for whatever looks like a credential."""
    return _SECRET_LIKE.sub("…", text)


def shape(value: Any) -> str:
    """Return a value that should have been of another shape: of maps and lists only the size, they may hold secrets."""
    if isinstance(value, dict | list):
        return f"a {'map' if isinstance(value, dict) else 'list'} of {len(value)}"
    return shown(value)


@dataclass
class Errors:
    """The errors found so far: (path, line)."""

    found: list[tuple[str, str]] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The lines in the order in which they were found."""
        return [line for _path, line in self.found]

    def add(self, path: str, got: str, reason: str, accepted: str) -> None:
        """Add a line. path: full path of the variable; got: the value as shown; reason may be empty."""
        because = f"{reason}; " if reason else ""
        line = without_credentials(f"{path}: got {got}: {because}accepted: {accepted}")
        # Names and keys come from the user as they are: a line stays one line.
        self.found.append((path, "".join(character if character.isprintable() else "?" for character in line)))

    def below(self, path: str) -> bool:
        """Whether something was found at a path or below it."""
        return any(at == path or at.startswith((f"{path}.", f"{path}[")) for at, _line in self.found)

    def ordered(self, root: str, paths: Sequence[str]) -> list[str]:
        """The lines in the order of a table's dotted paths below root; unknown keys come last in their group.

        paths: those of the fields of a list's items have the list's path and "[]" before them, and follow it.
        """

        def position(path: str) -> tuple[int, int, list[int], int]:
            rest = path.removeprefix(root).lstrip(".")
            if not rest:
                return -1, 0, [], 0
            plain, numbers = _INDEX.sub("[]", rest), [int(number) for number in _INDEX.findall(rest)]
            found = [
                at for at, known in enumerate(paths) if plain == known or plain.startswith((f"{known}.", f"{known}["))
            ]
            if not found:
                top = re.split(r"[.\[]", rest)[0]
                tops = [at for at, known in enumerate(paths) if re.split(r"[.\[]", known)[0] == top]
                return max(tops, default=len(paths)), 1, [], 0
            unknown = found[-1] == found[0] and "." in plain[len(paths[found[0]]) :]
            return found[0], 0, numbers, len(paths) if unknown else found[-1]

        return [line for _path, line in sorted(self.found, key=lambda entry: position(entry[0]))]


@dataclass(frozen=True)
class Where:
    """A place in the description. secret: values below it are never shown."""

    path: str
    errors: Errors
    secret: bool = False

    def at(self, key: str | int, secret: bool = False) -> Where:
        """The place of a key of a map, or of an index of a list."""
        path = f"{self.path}[{key}]" if isinstance(key, int) else f"{self.path}.{key}"
        return Where(path, self.errors, self.secret or secret)

    def refuse(self, value: Any, reason: str, accepted: str) -> None:
        """Say that the value at this place cannot be used."""
        self.errors.add(self.path, HIDDEN if self.secret else shown(value), reason, accepted)

    def misshapen(self, value: Any, reason: str, accepted: str) -> None:
        """Say that there is a value of another shape, such as a list where a map should be."""
        self.errors.add(self.path, HIDDEN if self.secret else shape(value), reason, accepted)

    def missing(self, accepted: str) -> None:
        """Say that there is no value at this place."""
        self.errors.add(self.path, "nothing", "required", accepted)
