# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a value of a field may be: a check with the text that tells a person about it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration, quantity
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Where

_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
# Counts are 32 bits wide in the API, quantities 64.
_LARGEST_COUNT, _LARGEST_QUANTITY = 2**31 - 1, 2**63 - 1
_DNS = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_DNS}(\.{_DNS})*")


class Refused(ValueError):
    """A value that is not accepted; the message is the reason, and may be empty."""


@dataclass(frozen=True)
class Accept:
    """check: takes a plain value, returns nothing and raises Refused. text: what is accepted."""

    text: str
    check: Callable[[Any], None]

    def read(self, value: Any, where: Where) -> bool:
        """Report a value that is not accepted; whether it is."""
        try:
            self.check(value)
        except Refused as refused:
            where.refuse(value, str(refused), self.text)
            return False
        return True


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise Refused("not a string")
    return value


def matching(pattern: str, text: str, reason: str = "", longest: int | None = None) -> Accept:
    """Strings that match a whole pattern."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: Any) -> None:
        if not compiled.fullmatch(_string(value)) or not value.isprintable():
            raise Refused(reason)
        if longest is not None and len(value) > longest:
            raise Refused(f"{len(value)} characters")

    return Accept(text, check)


def one_of(*choices: str) -> Accept:
    """One of some strings."""

    def check(value: Any) -> None:
        if _string(value) not in choices:
            raise Refused("")

    return Accept(", ".join(choices), check)


def one_of_many(choices: Iterable[str], text: str) -> Accept:
    """One of strings that are too many to list; the nearest are named."""
    known = tuple(choices)

    def check(value: Any) -> None:
        if _string(value) not in known:
            raise Refused(f"unknown{nearest(value, known)}")

    return Accept(text, check)


def nearest(value: str, known: Iterable[str]) -> str:
    """Return ', nearest: a, b' for the known strings that look like value, or ''."""
    close = difflib.get_close_matches(value, list(known), n=3)
    return f", nearest: {', '.join(close)}" if close else ""


def integer(least: int, most: int | None = None, unit: str = "") -> Accept:
    """Integers of a range; a bool is none."""
    text = f"an integer, {least} or more" if most is None else f"an integer from {least} to {most}"
    largest = _LARGEST_COUNT if most is None else most

    def check(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused("not an integer")
        if not least <= value <= largest:
            raise Refused("out of range")

    return Accept(text + unit, check)


def number(least: float, most: float, above: bool = False) -> Accept:
    """Numbers of a range; above: least itself is not accepted."""
    text = f"a number above {least:g} and at most {most:g}" if above else f"a number from {least:g} to {most:g}"

    def check(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused("not a number")
        if not (least < value if above else least <= value) or not value <= most:
            raise Refused("out of range")

    return Accept(text, check)


def _check_bool(value: Any) -> None:
    if not isinstance(value, bool):
        raise Refused("not a bool")


def _check_switch(value: Any) -> None:
    # `-e name=true` on the command line gives text.
    if str(value).lower() not in ("true", "false"):
        raise Refused("not a bool")


def _check_label_value(value: Any) -> None:
    if not _LABEL_VALUE.fullmatch(_string(value)):
        raise Refused("")


def _check_text(value: Any) -> None:
    if "\x00" in _string(value):
        raise Refused("has a NUL character")
    # Half of a surrogate pair, as "\ud800" in JSON, can be written to no file.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused("has a character that is none")


def qualified_name(value: Any) -> None:
    """Refuse what is no key of a label or annotation."""
    prefix, slash, name = _string(value).rpartition("/")
    if not _LABEL_NAME.fullmatch(name) or (slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix))):
        raise Refused("not a metadata key")


def a_duration(least: int = 1, also: tuple[str, ...] = ()) -> Accept:
    """Durations of at least so many seconds, or one of the words in also."""
    bound = "above zero" if least == 1 else f"at least {least}s"
    words = "".join(f", or {word}" for word in also)

    def check(value: Any) -> None:
        if _string(value) in also:
            return
        try:
            length = duration.seconds(value)
        except ValueError:
            raise Refused("not a duration") from None
        if length < least:
            raise Refused("too short")

    return Accept(f"a duration such as 90s or 1h30m, {bound}{words}", check)


def _check_quantity(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused("not a quantity")
    try:
        amount = quantity.parse(str(value))
    except (ValueError, ArithmeticError):
        raise Refused("not a quantity") from None
    if amount <= 0:
        raise Refused("not above zero")
    if amount > _LARGEST_QUANTITY:
        raise Refused("out of range")


BOOL = Accept("true or false", _check_bool)
SWITCH = Accept("true or false", _check_switch)
TEXT = Accept("a string", _check_text)
QUANTITY = Accept("a Kubernetes quantity above zero", _check_quantity)
LABEL_KEY = Accept("a metadata key such as example.com/team", qualified_name)
LABEL_VALUE = Accept("a label value", _check_label_value)
OBJECT_NAME = matching(
    rf"{_DNS}(\.{_DNS})*", "the name of an object: lower-case letters, digits, - and ., at most 253", "", longest=253
)
DNS_LABEL = matching(_DNS, "a DNS label: lower-case letters, digits and -, at most 63", longest=63)
PATH_OR_URL = matching(r"\S+", "a reference without spaces")
