# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.refuse_foreign: see plugins/modules/refuse_foreign.py for its documentation."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.foreign import foreign_resources
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.foreign import foreign_objects, foreign_releases
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """Name everything under a name we need that somebody else has made."""

    ARGUMENTS = {"desired": {"type": "dict", "required": True, "no_log": True}}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Look in the cluster and in AWS; fail with a line for each such name."""
        desired, cluster = arguments["desired"], self.cluster(task_vars)
        client, name = self.client(task_vars), cluster["name"]
        try:
            aws_session = session(self.variable("llmfleet_aws", task_vars), str(cluster["region"]))
            found = foreign_resources(aws_session, name, desired["aws"])
        except AwsError as error:
            return {"failed": True, "msg": str(error)}
        found += foreign_releases(client, name, desired["charts"])
        found += foreign_objects(client, name, [entry["object"] for entry in desired["objects"]])
        if not found:
            return {"changed": False, "foreign": []}
        advice = "accepted: names that are free, or that this platform has made. Nothing was changed"
        return {"failed": True, "foreign": found, "msg": "\n".join([*found, advice])}
