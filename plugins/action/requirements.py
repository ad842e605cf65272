# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.requirements: see plugins/modules/requirements.py for its documentation."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.llmfleet.eks.plugins.plugin_utils.controller import problems


class ActionModule(ActionBase):
    """Look at the controller itself, before anything else."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fail with a line for everything that is missing or does not fit."""
        _checked, arguments = self.validate_argument_spec({"helm_binary": {"type": "str", "default": "helm"}})
        result: dict[str, Any] = super().run(tmp, task_vars)
        found = problems(arguments["helm_binary"])
        if found:
            return {**result, "failed": True, "problems": found, "msg": "\n".join(found)}
        return {**result, "changed": False, "problems": []}
