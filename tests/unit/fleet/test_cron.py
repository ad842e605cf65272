# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cron expressions that are accepted; those that are refused are among the bad descriptions."""

from __future__ import annotations

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.cron import problem


@pytest.mark.parametrize(
    "text",
    [
        "0 8 * * 1-5",
        "*/15 8-18 1,15 jan-MAR Mon-fri",
        "59 23 31 12 6",
        "0 0 1 1 0",
        "5/10 ? * * ?",
        "0  8 * *   *",
        "0-30/5 8 * * sun,sat",
    ],
)
def test_accepted(text: str) -> None:
    assert problem(text) is None
