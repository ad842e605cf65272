# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.cluster_access: see plugins/modules/cluster_access.py for its documentation."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from ansible import constants
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import eks_token
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client, session
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """Tell modules of kubernetes.core how to reach the cluster of the inventory host."""

    ARGUMENTS: dict[str, dict[str, Any]] = {}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the kubeconfig as it is, or endpoint, CA and a new token of EKS; the result is never shown."""
        del arguments
        cluster = self.cluster(task_vars)
        given = {key: cluster[key] for key in ("kubeconfig", "context") if cluster.get(key)}
        if given:
            return {"changed": False, "access": given}
        try:
            aws = session(self.variable("llmfleet_aws", task_vars), str(cluster["region"]))
            found = eks_token.describe_cluster(client(aws, "eks"), cluster["name"])
            token = eks_token.bearer_token(aws, cluster["name"])
        except AwsError as error:
            return {"failed": True, "msg": str(error)}
        # A folder of this run, which Ansible removes at its end.
        authority = Path(constants.DEFAULT_LOCAL_TMP) / f"{cluster['name']}-ca.crt"
        authority.write_bytes(base64.b64decode(found.ca_data))
        access = {"host": found.endpoint, "api_key": token.value, "ca_cert": str(authority)}
        return {"changed": False, "access": access, "_ansible_no_log": True}
