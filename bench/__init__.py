# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Benchmarks on the lab: ``python -m bench.apply``, ``python -m bench.site``; see docs/benchmarks.md."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# The checkout as the collection, and the lab as a package.
for _entry in (ROOT / "collections", ROOT / "lab"):
    if str(_entry) not in sys.path:
        sys.path.insert(0, str(_entry))
