# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lab a machine: who holds it, and a lock while it goes up or down."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmfleet_lab.errors import LabError
from llmfleet_lab.paths import CHECKOUT, Paths
from llmfleet_lab.processes import Processes


@contextmanager
def locked(paths: Paths) -> Iterator[None]:
    """Hold the machine's lock; refuses at once when another command holds it."""
    with paths.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LabError(
                f"another lab command is at work on this machine (it holds {paths.lock}): wait for it"
            ) from None
        yield


def owner(paths: Paths) -> Path | None:
    """The checkout whose lab runs on this machine, None when nothing runs."""
    if not any(Processes(paths).memory()):
        return None
    try:
        return Path(json.loads((paths.state / "owner.json").read_text())["checkout"])
    except (OSError, ValueError, KeyError):
        return None


def claim(paths: Paths) -> None:
    """Record this checkout as the owner; refuses when the lab of another one runs."""
    holder = owner(paths)
    if holder is not None and holder != CHECKOUT:
        raise LabError(
            f"a lab of the checkout {holder} runs on this machine, and a machine has one lab: "
            "run 'make lab-down' there first"
        )
    paths.state.mkdir(parents=True, exist_ok=True)
    (paths.state / "owner.json").write_text(json.dumps({"checkout": str(CHECKOUT)}))
