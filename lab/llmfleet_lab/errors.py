# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures that are told to the user without a traceback."""

from __future__ import annotations

from pathlib import Path


class LabError(Exception):
    """Something the user can act on: the message says what was expected, what was found and what to do."""


def tail(log: Path, lines: int = 15) -> str:
    """The last ``lines`` lines of ``log``, led by its name; says so when there is no such file."""
    try:
        text = log.read_text(errors="replace").splitlines()
    except OSError as error:
        return f"(no log {log}: {error.strerror})"
    return "\n".join([f"--- last lines of {log}", *text[-lines:]])
