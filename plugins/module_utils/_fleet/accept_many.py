# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a field accepts that is a list or a map of values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import Accept, Refused
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Where

_ENV_LIKE = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Each:
    """A list of values that are each accepted by `item`; most: how many; distinct: none twice; least: how many."""

    item: Accept
    most: int | None = None
    distinct: bool = False
    least: int = 0

    @property
    def text(self) -> str:
        """What is accepted."""
        bound = f"at most {self.most} of: " if self.most else ""
        return f"list of {bound}{self.item.text}"

    def read(self, value: Any, where: Where) -> bool:
        """Report every item that is not accepted; whether all are."""
        if not isinstance(value, list):
            where.refuse(value, "not a list", self.text)
            return False
        if self.most is not None and len(value) > self.most:
            where.refuse(value, f"{len(value)} items", self.text)
            return False
        if len(value) < self.least:
            where.refuse(value, "empty", self.text)
            return False
        # A list, not a generator: every item reports its errors, also after one that is wrong.
        read = [self.item.read(item, where.at(index)) for index, item in enumerate(value)]
        good = all(read)
        if self.distinct:
            for index, item in enumerate(value):
                if item in value[:index]:
                    where.at(index).refuse(item, "twice in the list", "distinct items")
                    good = False
        return good


@dataclass(frozen=True)
class MapOf:
    """A map of values. key: checks a key, and its refusal is reported at the key. secret: values are never shown."""

    key: Accept
    value: Accept
    secret: bool = False

    @property
    def text(self) -> str:
        """What is accepted."""
        return f"map of {self.key.text} to {self.value.text}"

    def read(self, value: Any, where: Where) -> bool:
        """Report every entry that is not accepted; whether all are."""
        if not isinstance(value, dict):
            Where(where.path, where.errors, where.secret or self.secret).refuse(value, "not a map", self.text)
            return False
        good = True
        for key, item in value.items():
            try:
                self.key.check(key)
            except Refused as refused:
                # Whoever writes NAME=value for a key has written a value.
                hidden = (where.secret or self.secret) and not _ENV_LIKE.fullmatch(key)
                path, got = (
                    (where.path, "a key that is not shown") if hidden else (f"{where.path}.{key}", f"the key {key!r}")
                )
                where.errors.add(path, got, str(refused), self.key.text)
                good = False
                continue
            good = self.value.read(item, where.at(key, self.secret)) and good
        return good
