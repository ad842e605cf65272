# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of a list with opaque tokens."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence


def page[T](
    items: Sequence[T], size: int, token: str | None, wrong: Callable[[str], Exception]
) -> tuple[list[T], str | None]:
    """Up to `size` items from where `token` says, and the token of the next page (None at the end).

    wrong: makes the exception for a token that this service did not issue.
    """
    start = 0
    if token:
        try:
            kind, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
            start = int(number)
        except (binascii.Error, UnicodeError, ValueError):
            raise wrong("nextToken: not a token of this operation") from None
        if kind != "page" or start < 0:
            raise wrong("nextToken: not a token of this operation")
    following = start + size
    more = following < len(items)
    next_token = base64.urlsafe_b64encode(f"page:{following}".encode()).decode() if more else None
    return list(items[start:following]), next_token
