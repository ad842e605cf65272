# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.chart_crds: see plugins/modules/chart_crds.py for its documentation."""

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import ApplyError, apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import is_ours
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction
from ansible_collections.llmfleet.eks.plugins.plugin_utils.helm import Helm

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# libyaml reads four megabytes in a second, the parser in Python in a minute.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def definitions(text: str) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions in what `helm show crds` printed."""
    documents = yaml.load_all(text, Loader=_LOADER)
    return [document for document in documents if document and document.get("kind") == "CustomResourceDefinition"]


class ActionModule(ClusterAction):
    """Apply the CustomResourceDefinitions of a chart, which Helm itself never upgrades and never removes."""

    ARGUMENTS = {
        "chart": {"type": "str", "required": True},
        "version": {"type": "str"},
        "helm_binary": {"type": "str", "default": "helm"},
        "layer": {"type": "str", "required": True, "choices": list(LAYERS)},
        "timeout": {"type": "int", "default": 120},
    }

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Apply those that are ours or not there; those that somebody else brought are left to him and named."""
        client, cluster = self.client(task_vars), self.cluster(task_vars)["name"]
        wanted = definitions(self._show(arguments))
        foreign = self._foreign(client, cluster)
        mine = [item for item in wanted if item["metadata"]["name"] not in foreign]
        left = sorted(item["metadata"]["name"] for item in wanted if item["metadata"]["name"] in foreign)
        try:
            done = apply(
                client,
                mine,
                cluster,
                arguments["layer"],
                check=self.checking,
                timeout=float(arguments["timeout"]),
                progress=self.progress(task_vars),
            )
        except ApplyError as error:
            return {"changed": error.result.changed, "failed": True, "msg": str(error)}
        return {"changed": done.changed, "counts": done.counts(), "found": left, "seconds": done.seconds}

    def _show(self, arguments: dict[str, Any]) -> str:
        version = ("--version", arguments["version"]) if arguments["version"] else ()
        helm = Helm(arguments["helm_binary"])
        return helm.run("show", "crds", arguments["chart"], *version, timeout=float(arguments["timeout"]))

    def _foreign(self, client: Client, cluster: str) -> set[str]:
        """Names of the definitions in the cluster that are not ours."""
        listed = client.get(_CRDS, accept=_METADATA)
        items = listed.get("items") or []
        return {item["metadata"]["name"] for item in items if not is_ours(item, cluster)}
