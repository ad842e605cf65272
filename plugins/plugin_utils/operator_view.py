# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator reads of a run, as text: the line of a finished task, the objects behind it, the summary."""

from __future__ import annotations

from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_summary import HostRun
from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_task import (
    COLLECTION,
    TaskView,
    plain_arguments,
    plain_label,
)

__all__ = ["COLLECTION", "HostRun", "TaskView", "plain_arguments", "plain_label"]
