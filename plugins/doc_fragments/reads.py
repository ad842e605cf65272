# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all actions share which only read."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of an action that changes nothing."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Nothing is changed in any mode.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
author:
  - llmfleet contributors (@llmfleet)
"""
