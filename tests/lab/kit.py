# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters over the logs that the lab keeps, and readings of a playbook's output."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from llmfleet_lab.paths import Paths

MUTATING_VERBS = {"create", "update", "patch", "delete", "deletecollection"}
# Questions to the API server that are asked by POST.
REVIEWS = {"selfsubjectaccessreviews", "selfsubjectreviews", "tokenreviews", "subjectaccessreviews"}


class Writes:
    """Mutating requests that reached the API server as the operator, and AWS by anybody, since it was made."""

    def __init__(self, paths: Paths) -> None:
        self._logs = {"audit": paths.logs / "audit.jsonl", "aws": paths.logs / "aws-requests.jsonl"}
        self._offsets = {name: _size(log) for name, log in self._logs.items()}

    def _events(self, name: str) -> list[dict[str, Any]]:
        # The audit log is written a moment after the answer.
        time.sleep(0.5)
        with self._logs[name].open() as log:
            log.seek(self._offsets[name])
            return [json.loads(line) for line in log if line.endswith("\n")]

    def kubernetes(self) -> list[str]:
        """``<verb> <URI>`` of every write of the operator: no dry runs, no reviews."""
        return [
            f"{event['verb']} {event['requestURI']}"
            for event in self._events("audit")
            if event["user"].get("username") == "lab-admin"
            and event["verb"] in MUTATING_VERBS
            and "dryRun=All" not in event["requestURI"]
            and event.get("objectRef", {}).get("resource") not in REVIEWS
        ]

    def aws(self) -> list[str]:
        """``<service>:<operation>`` of every write to AWS."""
        return [f"{event['service']}:{event['operation']}" for event in self._events("aws") if event["mutating"]]


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def recap(output: str, host: str = "lab") -> dict[str, int]:
    """The counts of the play recap of one host, e.g. {'ok': 40, 'changed': 0, 'failed': 0}."""
    line = re.search(rf"^{host}\s+: (.*)$", output, re.MULTILINE)
    assert line, f"no recap for {host} in:\n{output[-3000:]}"
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", line.group(1))}
