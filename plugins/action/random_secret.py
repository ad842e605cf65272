# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.random_secret: see plugins/modules/random_secret.py for its documentation."""

from __future__ import annotations

import base64
import secrets
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.portforward import SECRETS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS
from ansible_collections.llmfleet.eks.plugins.plugin_utils.secrets_action import SecretsAction


class ActionModule(SecretsAction):
    """Make a Secret of random text once; its values leave this process for the API server only."""

    ARGUMENTS = {
        "namespace": {"type": "str", "required": True},
        "name": {"type": "str", "required": True},
        "layer": {"type": "str", "required": True, "choices": list(LAYERS)},
        "keys": {"type": "list", "elements": "str", "required": True},
    }

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Keep the values that are there, make those that are missing."""
        cluster = self.cluster(task_vars)
        client = self.client(task_vars)
        found = client.find(SECRETS.path(arguments["namespace"], arguments["name"])) or {}
        data = dict(found.get("data") or {})
        for key in arguments["keys"]:
            if not data.get(key):
                data[key] = base64.b64encode(secrets.token_hex(24).encode()).decode()
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": arguments["name"], "namespace": arguments["namespace"]},
            "type": "Opaque",
            "data": {key: data[key] for key in arguments["keys"]},
        }
        return self.apply_secrets(client, cluster["name"], {arguments["layer"]: [secret]})
