# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.cluster_access: see plugins/modules/cluster_access.py for its documentation."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.plugin_utils.access import cluster_access
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """Tell modules of kubernetes.core how to reach the cluster of the inventory host."""

    ARGUMENTS: dict[str, dict[str, Any]] = {}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the kubeconfig as it is, or endpoint, CA and a new token of EKS: such a result is not shown."""
        del arguments
        access = cluster_access(self.cluster(task_vars), self.variable("llmfleet_aws", task_vars))
        return {"changed": False, "access": access, "_ansible_no_log": "api_key" in access}
