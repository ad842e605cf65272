# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.require_kinds: see plugins/modules/require_kinds.py for its documentation."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.missing import missing_kinds
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """Name every kind that the fleet needs and the cluster does not serve."""

    ARGUMENTS = {"desired": {"type": "dict", "required": True, "no_log": True}}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read what is served; fail with a line for each kind that is not."""
        desired = arguments["desired"]
        objects = [entry["object"] for entry in desired["objects"]]
        missing = missing_kinds(self.client(task_vars).discovery, objects, desired["charts"])
        if not missing:
            return {"changed": False, "missing": []}
        return {"failed": True, "missing": missing, "msg": "\n".join([*missing, "Nothing was changed"])}
