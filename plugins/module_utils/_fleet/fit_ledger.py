# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger that the weights fetcher publishes, as the fit of a model reads it (roles/weights/README.md)."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model

_VERSION = 1


def ledger_key(model: Model) -> str:
    """Where the ledger of a model is in the bucket."""
    return f"{model.prefix}/.llmfleet/ledger.json"


def ledger_files(model: Model, text: bytes) -> list[dict[str, Any]]:
    """The files of a ledger, {path, size}. Raises ValueError when it is none, or of another repository or revision."""
    try:
        ledger = json.loads(text)
    except ValueError:
        raise ValueError("the ledger is not JSON") from None
    if not isinstance(ledger, dict) or ledger.get("version") != _VERSION:
        raise ValueError(f"the ledger is not of version {_VERSION}")
    of = (ledger.get("repository"), ledger.get("requested_revision"))
    if of != (model.get("weights.repository"), model.revision):
        raise ValueError(f"the ledger is of {of[0]} at {of[1]}")
    files = ledger.get("files")
    if not isinstance(files, list) or not all(_is_file(file) for file in files):
        raise ValueError("the ledger has no list of files with path and size")
    return files


def _is_file(file: Any) -> bool:
    return isinstance(file, dict) and isinstance(file.get("path"), str) and isinstance(file.get("size"), int)
