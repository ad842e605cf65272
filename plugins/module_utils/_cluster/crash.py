# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a log tells why a program ended: its last lines, and the errors that these only point back to.

vLLM's server ends with "Engine core initialization failed. See root cause above.", 60 and more lines below the cause,
which another process has logged: as an exception whose last line stands behind the prefix of the log.
"""

from __future__ import annotations

import re

LINES = 8
_CAUSES = 2
_WIDEST = 500
# An exception at the beginning of a line, or directly behind "[file.py:123] ".
_EXCEPTION = re.compile(r"(?:^|^.{0,160}\] )((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception): \S.*)$")


def telling(log: str) -> str:
    """Return the last errors that the end of a log is about, then its end; lines are cut to 500 characters."""
    lines = [line.rstrip()[:_WIDEST] for line in log.splitlines() if line.strip()]
    end = lines[-LINES:]
    last = next((text for line in reversed(end) if (text := _exception(line))), "")
    if "cause above" not in last:
        return "\n".join(end)
    causes = dict.fromkeys(text for line in lines if (text := _exception(line)) and text != last)
    if not causes:
        return "\n".join(end)
    # Frames of the traceback of the last one say nothing any more.
    return "\n".join([*list(causes)[-_CAUSES:], *(line for line in end if not line.startswith(" "))])


def _exception(line: str) -> str:
    match = _EXCEPTION.search(line)
    return match.group(1) if match else ""
