# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: what a complete revision consists of."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from .files import Facts, RemoteFile
from .settings import Config

LEDGER_VERSION = 1


def parse_ledger(text: bytes | str) -> dict[str, Any]:
    """The ledger of its JSON text. ValueError when it is no ledger of this version."""
    ledger = json.loads(text)
    if not isinstance(ledger, dict) or ledger.get("version") != LEDGER_VERSION:
        raise ValueError(f"not a ledger of version {LEDGER_VERSION}")
    for key in ("model", "repository", "commit", "requested_revision"):
        if not isinstance(ledger.get(key), str):
            raise ValueError(f"no {key}")
    files = ledger.get("files")
    if not isinstance(files, list) or not files:
        raise ValueError("no files")
    for file in files:
        if not (isinstance(file, dict) and isinstance(file.get("path"), str) and isinstance(file.get("size"), int)):
            raise ValueError("a file without path and size")
    return ledger


def of_config(ledger: dict[str, Any], config: Config) -> bool:
    """Whether a ledger is of the configured model, repository and revision."""
    wanted = (config.model, config.repository, config.revision)
    if (ledger["model"], ledger["repository"], ledger["requested_revision"]) != wanted:
        return False
    return not config.pinned or ledger["commit"] == config.revision


def make_ledger(
    config: Config, commit: str, files: list[RemoteFile], hashes: Mapping[str, str], facts: Facts
) -> dict[str, Any]:
    """The ledger of a complete revision; ``hashes`` is path -> sha256."""
    return {
        "version": LEDGER_VERSION,
        "model": config.model,
        "repository": config.repository,
        "commit": commit,
        "requested_revision": config.revision,
        "source": config.hub_endpoint if config.source == "hub" else config.source,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "license": facts.license,
        "gated": facts.gated,
        "patterns": list(config.patterns),
        "files": [
            {"path": file.path, "size": file.size, "sha256": hashes[file.path]}
            for file in sorted(files, key=lambda each: each.path)
        ],
        "total_bytes": sum(file.size for file in files),
    }
