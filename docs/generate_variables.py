# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/variables.md from the tables that check the variables."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.reference import page  # noqa: E402

if __name__ == "__main__":
    (ROOT / "docs" / "variables.md").write_text(page(), encoding="utf-8")
