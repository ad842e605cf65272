# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb check: every file of the ledger is there below the mount, with its size."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from .failures import IncompleteError
from .ledger import of_config, parse_ledger
from .settings import Config
from .telling import make_summary, say
from .waiting import Stop


def check(config: Config, environ: Mapping[str, str], stop: Stop) -> dict[str, Any]:
    """Wait until the mount shows the ledger and every file of it; the summary. IncompleteError at the bound."""
    begin = time.monotonic()
    pause, said = 0.5, ""
    while True:
        problems, ledger = _examine(config)
        if ledger is not None and not problems:
            count = len(ledger["files"])
            return make_summary(config, "complete", ledger["commit"], count, 0, ledger["total_bytes"], 0, begin)
        text = "; ".join(problems[:20]) + (f"; and {len(problems) - 20} more" if len(problems) > 20 else "")
        left = begin + config.wait - time.monotonic()
        if left <= 0:
            raise IncompleteError(f"after {config.wait} s {config.mount} is not complete: {text}")
        if text != said:
            say(f"waiting up to {left:.0f} s: {text}")
            said = text
        stop.sleep(min(pause, left))
        pause = min(pause * 1.5, 5)


def _examine(config: Config) -> tuple[list[str], dict[str, Any] | None]:
    """What is wrong below the mount, one text a problem, and the ledger if there is one of this revision."""
    path = config.ledger_path
    try:
        ledger = parse_ledger(path.read_bytes())
    except ValueError as error:
        return [f"the ledger {path} is not valid: {error}"], None
    except OSError as error:
        return [f"the ledger {path} cannot be read: {error.strerror}"], None
    if not of_config(ledger, config):
        found = f"{ledger['model']}, {ledger['repository']} at {ledger['requested_revision']}"
        wanted = f"{config.model}, {config.repository} at {config.revision}"
        return [f"the ledger {path} is of {found}; wanted: {wanted}"], None
    problems = []
    for file in ledger["files"]:
        try:
            size = os.stat(os.path.join(config.mount, file["path"])).st_size
        except OSError as error:
            problems.append(f"{file['path']} is missing ({error.strerror})")
            continue
        if size != file["size"]:
            problems.append(f"{file['path']} has {size} bytes instead of {file['size']}")
    return problems, ledger
