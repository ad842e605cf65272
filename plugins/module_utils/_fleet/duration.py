# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations in the form of the Gateway API."""

from __future__ import annotations

import re

FORM = re.compile(r"([0-9]{1,5}(h|m|s)){1,3}")
_PART = re.compile(r"([0-9]{1,5})([hms])")
_SECONDS = {"h": 3600, "m": 60, "s": 1}


def seconds(text: str) -> int:
    """Return a duration in seconds. Raises ValueError when it is none."""
    if not FORM.fullmatch(text):
        raise ValueError(f"not a duration: {text!r}")
    return sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
