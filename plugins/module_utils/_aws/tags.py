# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags: conversion between the services' lists and plain mappings, and the difference between two sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NAME = "Name"
RESERVED_PREFIX = "aws:"


@dataclass(frozen=True)
class TagChange:
    """What to write: tags to set, and keys to remove."""

    to_set: dict[str, str]
    to_remove: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.to_set or self.to_remove)


def text(value: Any) -> str:
    """A tag value as AWS stores it; booleans as true and false, as YAML writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def normalise(tags: Mapping[str, Any]) -> dict[str, str]:
    """The mapping with keys and values as strings."""
    return {str(key): text(value) for key, value in tags.items()}


def to_list(tags: Mapping[str, Any]) -> list[dict[str, str]]:
    """[{"key": …, "value": …}], in order of the keys: the lower-case form of s3files."""
    return [{"key": key, "value": value} for key, value in sorted(normalise(tags).items())]


def from_list(tags: Iterable[Mapping[str, Any]] | None) -> dict[str, str]:
    """A plain mapping from a service's list, whether its fields are key/value (s3files) or Key/Value (IAM, EC2)."""
    found = {}
    for tag in tags or ():
        key = tag["key"] if "key" in tag else tag["Key"]
        found[str(key)] = text(tag["value"] if "value" in tag else tag.get("Value"))
    return found


def wanted_tags(tags: Mapping[str, Any] | None, name: str | None) -> dict[str, str] | None:
    """The tags to have, with the Name tag when a name is given. None: nothing was said about tags.

    tags: as in a task; None leaves tags alone, {} means no tag other than Name.
    """
    if tags is None:
        return None
    return {**normalise(tags), **({NAME: name} if name else {})}


def difference(current: Mapping[str, str], wanted: Mapping[str, str] | None, *, purge: bool = True) -> TagChange:
    """What turns `current` into `wanted`. None leaves everything; reserved aws: keys are never removed."""
    if wanted is None:
        return TagChange({}, ())
    to_set = {key: value for key, value in wanted.items() if current.get(key) != value}
    extra = (key for key in current if key not in wanted and not key.lower().startswith(RESERVED_PREFIX))
    return TagChange(to_set, tuple(sorted(extra)) if purge else ())


def applied(current: Mapping[str, str], change: TagChange) -> dict[str, str]:
    """The tags after the change was written."""
    return {key: value for key, value in {**current, **change.to_set}.items() if key not in change.to_remove}
