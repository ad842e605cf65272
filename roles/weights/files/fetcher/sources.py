# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where files come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from .files import Facts, RemoteFile
from .hub import Hub
from .mirrors import Bucket, Folder
from .settings import Config
from .waiting import Stop


class Source(Protocol):
    """Where files come from. ``facts``: what is said of the repository, once it was listed."""

    facts: Facts

    def listing(self, revision: str) -> tuple[str, list[RemoteFile]]:
        """The commit that the revision names, and all its files."""

    def read(self, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``stop``; may end early by TemporaryError, and is then asked for the rest."""


def open_source(config: Config, token: str | None, client: Any, stop: Stop, say: Callable[[str], None]) -> Source:
    """The source that the configuration names."""
    if config.source == "hub":
        return Hub(config, token, stop, say)
    return Bucket(config, client) if config.source.startswith("s3://") else Folder(config)
