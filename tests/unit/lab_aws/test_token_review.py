# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens are checked with a TokenReview: what is sent to the API server, and what its answers mean."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmfleet_lab.aws.token_review import KubernetesReview, ServiceAccount, Unavailable

AUDIENCE = "pods.eks.amazonaws.com"


class ApiServer:
    """An HTTP server that answers TokenReviews with `status` and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.status: dict[str, Any] = {}
        self.code = 201
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append((self.path, body))
                content = json.dumps({**body, "status": outer.status}).encode()
                self.send_response(outer.code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def kubeconfig(self, file: Path) -> Path:
        url = f"http://127.0.0.1:{self.server.server_port}"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        file.write_text(yaml.safe_dump(document))
        return file


@pytest.fixture
def api_server() -> Iterator[ApiServer]:
    server = ApiServer()
    yield server
    server.server.shutdown()
    server.server.server_close()


def good(**changes: Any) -> dict[str, Any]:
    extra = {"authentication.kubernetes.io/pod-name": ["fetch-1"]}
    user = {"username": "system:serviceaccount:llm:weights-fetcher", "extra": extra}
    return {"authenticated": True, "audiences": [AUDIENCE], "user": user, **changes}


def test_a_good_token(api_server: ApiServer, tmp_path: Path) -> None:
    review = KubernetesReview(api_server.kubeconfig(tmp_path / "kubeconfig"))
    api_server.status = good()
    assert review("the-token") == ServiceAccount("llm", "weights-fetcher", "fetch-1")
    ((path, body),) = api_server.asked
    assert path == "/apis/authentication.k8s.io/v1/tokenreviews"
    assert body["spec"] == {"token": "the-token", "audiences": [AUDIENCE]}


@pytest.mark.parametrize(
    "status",
    [
        {"authenticated": False, "error": "expired"},
        good(audiences=["https://kubernetes.default.svc"]),
        good(audiences=None),
        good(user={"username": "kubernetes-admin"}),
    ],
)
def test_other_tokens(api_server: ApiServer, tmp_path: Path, status: dict[str, Any]) -> None:
    review = KubernetesReview(api_server.kubeconfig(tmp_path / "kubeconfig"))
    api_server.status = {key: value for key, value in status.items() if value is not None}
    assert review("the-token") is None


def test_the_api_server_refuses_or_is_away(api_server: ApiServer, tmp_path: Path) -> None:
    review = KubernetesReview(api_server.kubeconfig(tmp_path / "kubeconfig"))
    api_server.code = 403
    with pytest.raises(Unavailable, match="ForbiddenException"):
        review("the-token")
    missing = KubernetesReview(tmp_path / "no-kubeconfig")
    with pytest.raises(Unavailable) as caught:
        missing("the-token")
    assert "the-token" not in str(caught.value)
