# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins that apply Secrets share: no value leaves their process but to the API server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import ApplyError, ApplyResult, apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class SecretsAction(ClusterAction):
    """An action that applies Secrets."""

    def apply_secrets(
        self, client: Client, cluster: str, by_layer: Mapping[str, list[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Apply Secrets, a layer at a time; return the task's result, of what was done also when one fails."""
        total, failure = ApplyResult(), {}
        for layer, objects in by_layer.items():
            try:
                done = apply(client, objects, cluster, layer, check=self.checking)
            except ApplyError as error:
                done, failure = error.result, {"failed": True, "msg": str(error)}
            total.items.extend(done.items)
            total.seconds += done.seconds
            if failure:
                break
        result = {"changed": total.changed, "applied": total.summary(), "seconds": round(total.seconds, 3), **failure}
        if self._task.diff:
            result["diff"] = total.diffs()
        return result
