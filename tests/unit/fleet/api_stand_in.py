# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for an API server that only lists: of the kinds that it is given, the objects that it is given."""

from __future__ import annotations

import http.server
import json
from typing import Any

KINDS = {
    ("", "v1"): {"pods": "Pod"},
    ("apps", "v1"): {
        "deployments": "Deployment",
        "replicasets": "ReplicaSet",
        "statefulsets": "StatefulSet",
        "daemonsets": "DaemonSet",
    },
    ("batch", "v1"): {"jobs": "Job", "cronjobs": "CronJob"},
}


class ApiServer(http.server.ThreadingHTTPServer):
    """objects: plural -> what is listed. forbidden: plurals that may not be listed. asked: method and path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, list[dict[str, Any]]] = {}
        self.forbidden: set[str] = set()
        self.asked: list[str] = []

    def kubeconfig(self) -> dict[str, Any]:
        """How to reach it, as context "lab"."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": {"server": f"http://127.0.0.1:{self.server_port}"}}],
            "users": [{"name": "lab", "user": {"token": "a-token-of-the-tests"}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        }


def _discovery(core: bool) -> dict[str, Any]:
    items = []
    for (group, version), kinds in KINDS.items():
        if (group == "") == core:
            resources = [
                {"resource": plural, "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": ["list"]}
                for plural, kind in kinds.items()
            ]
            items.append({"metadata": {"name": group}, "versions": [{"version": version, "resources": resources}]})
    return {"kind": "APIGroupDiscoveryList", "items": items}


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ApiServer

    def _any(self) -> None:
        path = self.path.partition("?")[0]
        plural = path.rpartition("/")[2]
        self.server.asked.append(f"{self.command} {path}")
        status, body = 200, {"kind": "List", "items": self.server.objects.get(plural, [])}
        if path in ("/api", "/apis"):
            body = _discovery(path == "/api")
        elif plural in self.server.forbidden:
            status, body = 403, {"kind": "Status", "reason": "Forbidden", "message": f"{plural} is forbidden"}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
