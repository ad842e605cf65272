# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.verify_weights: see plugins/modules/verify_weights.py for its documentation."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.verified import verify
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_verification import verification
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import describe_host, known_on_disk
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """Has the weights read in the cluster, where they are near, with the rights of the fetcher."""

    ARGUMENTS = {"wait_timeout": {"type": "int", "default": 3600}}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Run a Job for each revision of the chosen models, tell what each found, take the Jobs away."""
        try:
            fleet = describe_host(task_vars, self._templar.template)
        except DescriptionErrors as error:
            raise ClusterError(str(error)) from None
        wanted = verification(fleet, known_on_disk(), str(time.time_ns()))
        if self.checking:
            return {
                "changed": False,
                "skipped": True,
                "msg": "the weights are not read in check mode: a Job reads them",
            }
        show = self.progress(task_vars)
        timeout = float(arguments["wait_timeout"])
        found, changed = verify(self.client(task_vars), wanted, fleet.names.cluster, timeout, show)
        for one in found:
            show(one.text())
        result = {"changed": changed, "weights": [one.as_dict() for one in found]}
        bad = [one.text() for one in found if one.error]
        return {**result, "failed": True, "msg": "\n".join(bad)} if bad else result
