# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the options for waiting."""

from __future__ import annotations


class ModuleDocFragment:
    """The options O(wait) and O(wait_timeout)."""

    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the resource has reached the wanted state.
      - A resource that can no longer reach it fails the task at once, with the message of the service.
    type: bool
    default: true
  wait_timeout:
    description:
      - How long to wait, in seconds. All waits of one task share it.
    type: int
    default: 900
"""
