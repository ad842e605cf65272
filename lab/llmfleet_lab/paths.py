# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps what it builds and what it runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LAB_SOURCE = CHECKOUT / "lab"


def _cache_home() -> Path:
    configured = os.environ.get("LLMFLEET_LAB_CACHE")
    if configured:
        return Path(configured)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "llmfleet-lab"


@dataclass(frozen=True)
class Paths:
    """Folders of the lab.

    ``cache`` outlives checkouts and labs (built parts, container images); ``state`` belongs to one running lab and
    goes with it. ``state`` is one fixed folder of the machine because the lab's addresses and links are too, and short
    because unix sockets below it may have 107 characters.
    """

    cache: Path
    state: Path

    @property
    def store(self) -> Path:
        return self.cache / "store"

    @property
    def build_logs(self) -> Path:
        return self.cache / "logs"

    @property
    def containerd_root(self) -> Path:
        """Image content and snapshots: kept between labs so that images are imported once."""
        return self.cache / "containerd"

    @property
    def go(self) -> Path:
        return self.cache / "go"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def secrets(self) -> Path:
        """Certificates, keys and credentials, each of mode 0600 in a folder of mode 0700."""
        return self.state / "secrets"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def kubeconfig(self) -> Path:
        return self.secrets / "admin.kubeconfig"

    @property
    def lock(self) -> Path:
        return Path("/run/llmfleet-lab.lock")


def default_paths() -> Paths:
    """The folders of this machine's lab (LLMFLEET_LAB_CACHE and LLMFLEET_LAB_STATE override them)."""
    return Paths(cache=_cache_home(), state=Path(os.environ.get("LLMFLEET_LAB_STATE", "/var/lib/llmfleet-lab")))
