# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told: lines of the log, and the summary that ends it."""

from __future__ import annotations

import contextlib
import json
import resource
import time
from collections.abc import Mapping
from typing import Any

from .settings import Config


def say(text: str) -> None:
    """One line for the log."""
    print(text, flush=True)


def bytes_text(count: float) -> str:
    """So many bytes, for people."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.1f} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1024
    return f"{count:.2f} GiB"


def time_text(seconds: float) -> str:
    """So long, for people."""
    minutes, left = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def make_summary(
    config: Config, status: str, commit: str, files: int, fetched: int, total: int, fetched_bytes: int, begin: float
) -> dict[str, Any]:
    """The summary of a run that went well; ``begin``: when it began, by the monotonic clock."""
    return {
        "status": status,
        "model": config.model,
        "repository": config.repository,
        "revision": config.revision,
        "commit": commit,
        "files": files,
        "fetched_files": fetched,
        "total_bytes": total,
        "fetched_bytes": fetched_bytes,
        "seconds": round(time.monotonic() - begin, 1),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def conclude(summary: dict[str, Any], environ: Mapping[str, str]) -> None:
    """The last line of the log, and Kubernetes' termination message (at most 4096 bytes)."""
    line = json.dumps(summary)
    print(line, flush=True)
    if len(line) > 4096 and "error" in summary:
        line = json.dumps(summary | {"error": summary["error"][:1500]})
    log = environ.get("LLMFLEET_TERMINATION_LOG", "/dev/termination-log")
    # Only where Kubernetes has made it: elsewhere /dev is no place for our files.
    with contextlib.suppress(OSError), open(log, "r+") as stream:
        stream.truncate(0)
        stream.write(line)
