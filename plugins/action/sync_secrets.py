# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.sync_secrets: see plugins/modules/sync_secrets.py for its documentation."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.secrets import read_json
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client as aws_client
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS
from ansible_collections.llmfleet.eks.plugins.plugin_utils.secrets_action import SecretsAction


class ActionModule(SecretsAction):
    """Copy secrets of AWS Secrets Manager into Secrets; no value leaves this process but to the API server."""

    ARGUMENTS = {
        "secrets": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "secret_id": {"type": "str", "required": True},
                "namespace": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "layer": {"type": "str", "required": True, "choices": list(LAYERS)},
                "labels": {"type": "dict", "default": {}},
            },
        },
    }

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Read all secrets first; apply them, a layer at a time, only when every one could be read."""
        cluster = self.cluster(task_vars)
        by_layer: dict[str, list[dict[str, Any]]] = {}
        try:
            aws_session = session(self.variable("llmfleet_aws", task_vars), str(cluster.get("region") or ""))
            manager = aws_client(aws_session, "secretsmanager")
            for secret in arguments["secrets"]:
                by_layer.setdefault(secret["layer"], []).append(
                    _secret(secret, read_json(manager, secret["secret_id"]))
                )
        except AwsError as error:
            raise ClusterError(str(error)) from None
        return self.apply_secrets(self.client(task_vars), cluster["name"], by_layer)


def _secret(wanted: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": wanted["name"], "namespace": wanted["namespace"]}
    if wanted["labels"]:
        metadata["labels"] = {key: str(value) for key, value in wanted["labels"].items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "stringData": values}
