# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain Python values out of what Ansible hands to an action plugin."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any


def plain(value: Any) -> Any:
    """Return the value as exact dict, list, str, int, float, bool and None.

    Task arguments are lazy containers and strings that carry tags; neither belongs into threads, JSON or results.
    Dates that YAML made of unquoted text become ISO text. Raises TypeError for anything else.
    """
    if value is None or isinstance(value, bool):
        return None if value is None else bool(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)  # exact str even for a subclass
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [plain(item) for item in value]
    if type(value).__name__ == "EncryptedString":  # a vault string that was not templated: str() decrypts it
        return str(value)
    raise TypeError(f"a {type(value).__name__} is not accepted here: only mappings, lists, text, numbers and booleans")
