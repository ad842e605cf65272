# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.ask: see plugins/modules/ask.py for its documentation."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.portforward import (
    Question,
    Target,
    ask,
    secret_value,
)
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """Send one HTTP request to a pod, with a key that stays in this process."""

    ARGUMENTS = {
        "namespace": {"type": "str", "required": True},
        "service": {"type": "str"},
        "selector": {"type": "dict"},
        "port": {"type": "str", "required": True},
        "path": {"type": "str", "default": "/"},
        "method": {"type": "str", "default": "GET", "choices": ["GET", "HEAD", "POST", "PUT", "DELETE"]},
        "json": {"type": "raw"},
        "headers": {"type": "dict", "default": {}},
        "bearer": {
            "type": "dict",
            "options": {
                "namespace": {"type": "str", "required": True},
                "name": {"type": "str", "required": True},
                "key": {"type": "str", "required": True},
            },
        },
        "expect_status": {"type": "list", "elements": "int", "default": []},
        "until_status": {"type": "list", "elements": "int", "default": []},
        "timeout": {"type": "int", "default": 60},
        "request_timeout": {"type": "int", "default": 30},
    }
    RULES = {"mutually_exclusive": [("service", "selector")], "required_one_of": [("service", "selector")]}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Ask; in check mode nothing is sent."""
        if self.checking:
            return {"changed": False, "skipped": True, "msg": "nothing is asked in check mode"}
        client = self.client(task_vars)
        bearer = arguments["bearer"]
        question = Question(
            path=arguments["path"],
            method=arguments["method"],
            body=arguments["json"],
            headers={key: str(value) for key, value in arguments["headers"].items()},
            bearer=secret_value(client, bearer["namespace"], bearer["name"], bearer["key"]) if bearer else None,
        )
        selector = ",".join(f"{key}={value}" for key, value in (arguments["selector"] or {}).items())
        port = int(arguments["port"]) if arguments["port"].isdigit() else arguments["port"]
        target = Target(arguments["namespace"], port, arguments["service"] or "", selector)
        if not arguments["path"].startswith("/"):
            raise ClusterError(f"path: got {arguments['path']!r}; accepted: a path that begins with /")
        answer = ask(
            client,
            target,
            question,
            until=arguments["until_status"],
            timeout=float(arguments["timeout"]),
            request_timeout=float(arguments["request_timeout"]),
            progress=self.progress(task_vars),
        )
        result: dict[str, Any] = {
            "changed": False,
            "status": answer.status,
            "json": answer.json,
            "text": answer.text,
            "headers": answer.headers,
            "seconds": answer.seconds,
            "attempts": answer.attempts,
            "pod": answer.pod,
        }
        wanted = arguments["expect_status"]
        if wanted and answer.status not in wanted:
            shown = answer.text or json.dumps(answer.json)[:500]
            accepted = " or ".join(str(status) for status in wanted)
            result.update(
                failed=True, msg=f"{target}{arguments['path']}: HTTP {answer.status}, wanted {accepted}: {shown}"
            )
        return result
