# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.recognise: see plugins/modules/recognise.py for its documentation."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.connection import connect
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError, Unreachable
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction

TO_CHECK = (
    "to check: the way from here to that address (VPN, routes, proxy-url of the kubeconfig), the endpoint access of "
    "the EKS cluster (public or private, allowed networks) and its security group"
)


def same_server(one: str, other: str) -> bool:
    """Tell whether two URLs lead to the same API server: host without regard to case, port with its default."""

    def place(url: str) -> tuple[str, int]:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.port or 443

    return place(one) == place(other)


class ActionModule(ClusterAction):
    """Prove that kubeconfig and EKS mean the same cluster, and that its API server answers."""

    ARGUMENTS = {"endpoint": {"type": "str", "required": True}}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Compare, then ask for the version."""
        cluster = self.cluster(task_vars)
        host = connect(cluster, self.variable("llmfleet_aws", task_vars)).host
        if not same_server(host, arguments["endpoint"]):
            return {
                "failed": True,
                "msg": (
                    f"llmfleet_cluster.kubeconfig: got {cluster.get('kubeconfig')!r} "
                    f"(context {cluster.get('context')!r}), which leads to {host}; accepted: a kubeconfig of "
                    f"{arguments['endpoint']}, the API server of the EKS cluster {cluster['name']!r}, or none at all"
                ),
            }
        try:
            version = self.client(task_vars).get("/version")
        except Unreachable as error:
            raise ClusterError(f"{error}; {TO_CHECK}") from None
        return {"changed": False, "server": host, "version": version["gitVersion"]}
