# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python packages that the controller needs, imported once and guarded, so that their absence is told clearly."""

from __future__ import annotations

import importlib
from typing import Any

MISSING = ""


def _load(name: str) -> Any:
    """Return a module, None when it is not installed: then MISSING says so."""
    global MISSING
    try:
        return importlib.import_module(name)
    except ImportError as error:
        MISSING = MISSING or str(error)
        return None


urllib3 = _load("urllib3")
websocket = _load("websocket")
yaml = _load("yaml")
kube_client = _load("kubernetes.client")
kube_config = _load("kubernetes.config")
ws_client = _load("kubernetes.stream.ws_client")
