# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of fields, and the reader that checks a map against one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import nearest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Where


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Any = _Required()


class Reader(Protocol):
    """Reports what is not accepted at a place; whether everything is."""

    @property
    def text(self) -> str:
        """What is accepted, for people."""

    def read(self, value: Any, where: Where) -> bool:
        """Report every error; whether there is none."""


@dataclass(frozen=True)
class Field:
    """One field. path: dotted, below the table's root. default: REQUIRED, None for unset, or a plain value.

    default_text: for defaults that are computed. built: False when only the default does what it says; `built_for`
    then accepts further values, given the field's value and its whole item, and `built_text` names them all.
    secret: the value is never shown.
    """

    path: str
    accept: Reader
    default: Any
    effect: str
    built: bool = True
    built_for: Callable[[Any, dict[str, Any]], bool] | None = None
    built_text: str = ""
    default_text: str = ""
    secret: bool = False
    reference: str = ""

    @property
    def required(self) -> bool:
        """Whether there must be a value."""
        return self.default is REQUIRED


@dataclass(frozen=True)
class Items:
    """A list of maps, each read by a table of its own. most: how many.

    What was read is kept also when some of it is refused: rules go on with the rest.
    """

    fields: tuple[Field, ...]
    most: int | None = None

    @property
    def text(self) -> str:
        """What is accepted."""
        keys = ", ".join(field.path for field in self.fields)
        return f"list of {f'at most {self.most} ' if self.most else ''}maps with {keys}"

    def read(self, value: Any, where: Where) -> bool:
        """Report every error of every map; whether there is none. Defaults are filled in place."""
        if not isinstance(value, list):
            where.misshapen(value, "not a list", self.text)
            return False
        if self.most is not None and len(value) > self.most:
            where.misshapen(value, f"{len(value)} items", self.text)
        good = self.most is None or len(value) <= self.most
        for index, item in enumerate(value):
            before = len(where.errors.found)
            value[index] = read_map(self.fields, item, where.at(index))
            good = good and len(where.errors.found) == before
        return good


def paths_of(fields: Sequence[Field]) -> list[str]:
    """The dotted paths of a table, those of the items of a list as "list[].field" after the list's."""
    paths = []
    for field in fields:
        paths.append(field.path)
        if isinstance(field.accept, Items):
            paths += [f"{field.path}[].{path}" for path in paths_of(field.accept.fields)]
    return paths


def get(item: dict[str, Any], path: str) -> Any:
    """Return the value at a dotted path of nested maps, None where there is none."""
    value: Any = item
    for part in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


# A level of a table by key: a field, or the level below. Made once: levels are read for every item of a list.
_Level = dict[str, "Field | _Level"]
# By the table's identity, with the table, which keeps its identity from being given to another.
_LEVELS: dict[int, tuple[Sequence[Field], _Level]] = {}


def _level_of(fields: Sequence[Field]) -> _Level:
    """Return the table as nested maps, keys in its order."""
    kept = _LEVELS.get(id(fields))
    if kept is not None and kept[0] is fields:
        return kept[1]
    root: _Level = {}
    for field in fields:
        level = root
        *groups, last = field.path.split(".")
        for group in groups:
            below = level.setdefault(group, {})
            if isinstance(below, Field):
                raise AssertionError(f"{field.path}: {group} is a field")
            level = below
        level[last] = field
    _LEVELS[id(fields)] = (fields, root)
    return root


def read_map(fields: Sequence[Field], value: Any, where: Where) -> dict[str, Any]:
    """Check a map against a table and return it with defaults filled in, nested as the dotted paths say.

    Values that are refused are replaced by None: whoever reads on finds the errors in where.errors.
    """
    result = _read_level(_level_of(fields), value, where)
    for field in fields:
        if not field.built:
            _refuse_unbuilt(field, result, value, where)
    return result


def _read_level(level: _Level, value: Any, where: Where, told: bool = True) -> dict[str, Any]:
    """Read the keys of one level; told: whether what is missing is an error."""
    if not isinstance(value, dict):
        where.misshapen(value, "not a map", f"map with {', '.join(level)}")
        # What is missing in it is not said as well.
        value, told = {}, False
    result: dict[str, Any] = {}
    for key, part in level.items():
        given = value.get(key)
        if isinstance(part, Field):
            result[key] = _read_field(part, given, where.at(key), told)
        else:
            result[key] = _read_level(part, {} if given is None else given, where.at(key), told)
    for key in value:
        if key not in level:
            where.errors.add(
                f"{where.path}.{key}", "an unknown key", f"not a field{nearest(key, level)}", ", ".join(level)
            )
    return result


def _read_field(field: Field, value: Any, where: Where, told: bool) -> Any:
    if value is None:
        if field.required:
            if told:
                where.missing(field.accept.text)
            return None
        # Most defaults are scalars, which need no copy.
        return copy.deepcopy(field.default) if isinstance(field.default, list | dict) else field.default
    place = Where(where.path, where.errors, where.secret or field.secret)
    if isinstance(value, list | dict):
        value = copy.deepcopy(value)
    good = field.accept.read(value, place)
    return value if good or (isinstance(field.accept, Items) and isinstance(value, list)) else None


def _refuse_unbuilt(field: Field, result: dict[str, Any], given: Any, where: Where) -> None:
    """Refuse a valid value that would do nothing yet."""
    value = get(result, field.path)
    if value is None or value == field.default or not isinstance(given, dict):
        return
    if field.built_for is not None and field.built_for(value, result):
        return
    place = where
    for part in field.path.split("."):
        place = place.at(part)
    if where.errors.below(place.path):
        return
    if field.built_text:
        place.refuse(value, "", f"{field.built_text}; the rest is not yet built")
        return
    default = "nothing" if field.default is None else _plainly(field.default)
    place.refuse(value, "a value other than the default", f"{default}; the rest is not yet built")


def _plainly(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "an empty list" if value == [] else str(value)
