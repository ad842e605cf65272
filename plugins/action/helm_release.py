# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.helm_release: see plugins/modules/helm_release.py for its documentation."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import (
    mark_release,
    own_release,
    refuse_foreign_release,
    revisions,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS
from ansible_collections.llmfleet.eks.plugins.plugin_utils.access import cluster_access
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction
from ansible_collections.llmfleet.eks.plugins.plugin_utils.helm import Helm, recover


class ActionModule(ClusterAction):
    """Install, recover or uninstall a Helm release that is ours, by kubernetes.core.helm where it can do the work."""

    ARGUMENTS = {
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "required": True},
        "state": {"type": "str", "default": "present", "choices": ["present", "recovered", "absent"]},
        "layer": {"type": "str", "choices": list(LAYERS)},
        "chart": {"type": "str"},
        "repository": {"type": "str"},
        "version": {"type": "str"},
        "values": {"type": "dict", "default": {}},
        "skip_crds": {"type": "bool", "default": False},
        "helm_binary": {"type": "str", "default": "helm"},
        "grace": {"type": "int", "default": 30},
        "timeout": {"type": "int", "default": 300},
    }
    RULES = {"required_if": [("state", "present", ("chart", "layer"))]}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is not ours, then do what the state asks for."""
        client, cluster = self.client(task_vars), self.cluster(task_vars)
        name, namespace = arguments["name"], arguments["namespace"]
        refused = refuse_foreign_release(client, cluster["name"], namespace, name)
        if refused:
            raise ClusterError(refused)
        access = cluster_access(cluster, self.variable("llmfleet_aws", task_vars))
        helm = Helm(arguments["helm_binary"], access)
        if arguments["state"] == "absent":
            return self._absent(client, helm, arguments)
        recovered = recover(
            client,
            helm,
            namespace,
            name,
            grace=float(arguments["grace"]),
            timeout=float(arguments["timeout"]),
            check=self.checking,
            progress=self.progress(task_vars),
        )
        result: dict[str, Any] = {"changed": bool(recovered), "recovered": recovered}
        if recovered:
            self._display.display(f"[{task_vars.get('inventory_hostname', '')}] {recovered}")
        if arguments["state"] == "recovered":
            return result
        return self._present(client, cluster["name"], access, arguments, task_vars, result)

    def _absent(self, client: Client, helm: Helm, arguments: dict[str, Any]) -> dict[str, Any]:
        name, namespace = arguments["name"], arguments["namespace"]
        there = bool(revisions(client, namespace, name))
        if there and not self.checking:
            helm.uninstall(namespace, name, float(arguments["timeout"]))
        return {"changed": there}

    def _present(
        self,
        client: Client,
        cluster: str,
        access: dict[str, str],
        arguments: dict[str, Any],
        task_vars: dict[str, Any],
        result: dict[str, Any],
    ) -> dict[str, Any]:
        name, namespace, layer = arguments["name"], arguments["namespace"], arguments["layer"]
        marked = mark_release(client, cluster, layer, namespace, name, check=self.checking)
        wanted = {
            "release_name": name,
            "release_namespace": namespace,
            "chart_ref": arguments["chart"],
            "chart_repo_url": arguments["repository"] or None,
            "chart_version": arguments["version"] or None,
            "release_values": arguments["values"],
            "skip_crds": arguments["skip_crds"],
            "wait": True,
            "timeout": f"{arguments['timeout']}s",
            "history_max": 5,
            "binary_path": None if arguments["helm_binary"] == "helm" else arguments["helm_binary"],
            **access,
        }
        done = self._execute_module(
            module_name="kubernetes.core.helm",
            module_args={key: value for key, value in wanted.items() if value is not None},
            task_vars=task_vars,
        )
        if done.get("failed"):
            return {**result, "failed": True, "msg": f"Helm release {namespace}/{name}: {done.get('msg', '')}"}
        owned = own_release(client, cluster, layer, namespace, name, check=self.checking)
        result["changed"] = bool(result["changed"] or marked or owned or done.get("changed"))
        result["release"] = {"name": name, "namespace": namespace, "version": arguments["version"] or ""}
        if "diff" in done:
            result["diff"] = done["diff"]
        return result
