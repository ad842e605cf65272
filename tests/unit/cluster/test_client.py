# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against a server that fails in the ways networks and API servers do."""

from __future__ import annotations

import http.server
import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.connection import Connection, Credentials, connect
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError, Unreachable

RESET = "reset"
Reply = tuple[int, dict[str, str], Any] | str


class Server(http.server.ThreadingHTTPServer):
    """Gives the scripted replies in order, the last one for ever; keeps what it was asked."""

    replies: list[Reply]
    asked: list[tuple[str, str, str | None]]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def _any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, self.headers.get("Authorization")))
        reply = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        if isinstance(reply, str):
            # close with a TCP reset instead of an orderly end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        status, headers, body = reply
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PATCH = do_DELETE = _any

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.replies, made.asked = [], []
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def client_of(server: Server, **options: Any) -> Client:
    tokens = iter(["one", "two", "three"])
    held = {"token": next(tokens)}

    def load(force: bool) -> str:
        if force:
            held["token"] = next(tokens)
        return f"Bearer {held['token']}"

    host = f"http://127.0.0.1:{server.server_address[1]}"
    return Client(Connection(host, Credentials(load)), **options)


def status(code: int, reason: str = "", message: str = "", **details: Any) -> Reply:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    return code, {}, body


OK: Reply = (200, {}, {"fine": True})


@pytest.mark.parametrize(
    "fault",
    [
        status(429, "TooManyRequests"),
        status(500, "InternalError", "failed calling webhook"),
        status(500, "", "etcdserver: leader changed"),
        status(503, "ServiceUnavailable"),
        status(504, "Timeout"),
        (502, {}, b"<html>bad gateway</html>"),
        (500, {}, b"proxy error"),
        RESET,
    ],
)
def test_passing_faults_are_retried(server: Server, fault: Reply) -> None:
    server.replies = [fault, fault, OK]
    client = client_of(server)
    assert client.get("/x") == {"fine": True}
    assert client.requests == 3 == len(server.asked)
    assert client.writes == 0


@pytest.mark.parametrize(
    "fault",
    [
        status(400, "BadRequest"),
        status(403, "Forbidden"),
        status(404, "NotFound"),
        status(409, "Conflict"),
        status(422, "Invalid"),
        status(500, "", "failed to create typed patch object: .spec.x: field not declared in schema"),
    ],
)
def test_lasting_faults_are_not(server: Server, fault: Reply) -> None:
    server.replies = [fault, OK]
    with pytest.raises(ApiError):
        client_of(server).get("/x")
    assert len(server.asked) == 1


def test_retry_after_is_obeyed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    server.replies = [(429, {"Retry-After": "7"}, {}), (429, {"Retry-After": "9999"}, {}), OK]
    client_of(server).get("/x")
    assert pauses == [7.0, 30.0]


def test_patience_ends(server: Server) -> None:
    server.replies = [status(503, "ServiceUnavailable", "starting")]
    with pytest.raises(ApiError, match="starting"):
        client_of(server, patience=1.0).get("/x")
    assert len(server.asked) > 2


def test_a_wrong_address_fails_soon_and_says_why() -> None:
    with socket.socket() as free:  # bound, not listening: nobody else gets the port meanwhile
        free.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{free.getsockname()[1]}"
        client = Client(Connection(host, Credentials(lambda force: None)), patience=60, first_patience=0.5)
        with pytest.raises(Unreachable, match=r"no answer from the API server in 0 s.*Connection refused"):
            client.get("/x")


def test_an_api_server_that_restarts_is_waited_for(server: Server) -> None:
    server.replies = [OK]
    client = client_of(server, patience=20)
    client.get("/x")
    server.replies = [RESET, RESET, RESET, OK]
    assert client.apply("/x", {"a": 1}) == {"fine": True}
    assert client.writes == 4  # counted as sent: whether one arrived is not known


def test_refused_credentials_are_renewed_once(server: Server) -> None:
    server.replies = [status(401, "Unauthorized"), OK]
    client_of(server).get("/x")
    assert [auth for _, _, auth in server.asked] == ["Bearer one", "Bearer two"]
    server.replies = [status(401, "Unauthorized")]
    with pytest.raises(ApiError) as caught:
        client_of(server).get("/x")
    assert caught.value.status == 401
    assert len(server.asked) == 4
    assert "one" not in str(caught.value) and "two" not in str(caught.value)


def test_only_writes_count_as_writes(server: Server) -> None:
    server.replies = [OK]
    client = client_of(server)
    client.get("/x")
    client.apply("/x", {}, dry_run=True)
    assert client.writes == 0
    client.apply("/x", {})
    client.delete("/x")
    assert client.writes == 2
    method, path, _ = server.asked[1]
    assert method == "PATCH"
    assert path == "/x?fieldManager=llmfleet&fieldValidation=Strict&force=false&dryRun=All"


def test_lists_are_read_page_by_page_and_begun_again_when_they_expire(server: Server) -> None:
    resource = Resource("apps", "v1", "Deployment", "deployments", True)
    page: Reply = (200, {}, {"metadata": {"continue": "next page"}, "items": [{"metadata": {"name": "a"}}]})
    rest: Reply = (200, {}, {"metadata": {}, "items": [{"metadata": {"name": "b"}}]})
    server.replies = [page, status(410, "Expired"), page, rest]
    found = client_of(server).list(resource, "ns", label_selector="a=b")
    assert [(o["kind"], o["apiVersion"], o["metadata"]["name"]) for o in found] == [
        ("Deployment", "apps/v1", "a"),
        ("Deployment", "apps/v1", "b"),
    ]
    assert "continue=next+page" in server.asked[1][1]
    assert "continue" not in server.asked[2][1]


def test_what_is_kept_of_a_list_forgets_what_came_before_it_expired(server: Server) -> None:
    resource = Resource("apps", "v1", "Deployment", "deployments", True)
    page: Reply = (
        200,
        {},
        {"metadata": {"continue": "next"}, "items": [{"metadata": {"name": name}} for name in "ab"]},
    )
    last: Reply = (200, {}, {"metadata": {}, "items": [{"metadata": {"name": "a"}}]})
    server.replies = [page, status(410, "Expired"), last]
    seen: list[str] = []

    def keep(obj: dict[str, Any]) -> str | None:
        seen.append(obj["metadata"]["name"])
        return None if obj["metadata"]["name"] == "b" else f"{obj['kind']} a"

    assert client_of(server).each(resource, "ns", keep) == ["Deployment a"]
    assert seen == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("reply", "gone"),
    [(OK, True), (status(404, "NotFound"), False), (status(409, "Conflict", "the UID in the precondition"), False)],
)
def test_delete_by_uid(server: Server, reply: Reply, gone: bool) -> None:
    server.replies = [reply]
    assert client_of(server).delete("/x", uid="u") is gone


def test_an_answer_that_is_no_json(server: Server) -> None:
    server.replies = [(200, {}, b"<html>login</html>")]
    with pytest.raises(Unreachable, match="is this address an API server"):
        client_of(server).get("/x")


def test_connect_names_the_variable_at_fault(tmp_path: Any) -> None:
    with pytest.raises(ClusterError, match=r"llmfleet_cluster\.kubeconfig: '/none': no such file"):
        connect({"name": "a", "kubeconfig": "/none"})
    with pytest.raises(ClusterError, match=r"llmfleet_cluster\.region: not set"):
        connect({"name": "a"})
    path = tmp_path / "config"
    path.write_text("clusters: [{name: c, cluster: {server: 'http://h:1'}}]\nusers: []\ncontexts: []\n")
    with pytest.raises(ClusterError, match=r"llmfleet_cluster\.context: 'other' in "):
        connect({"name": "a", "kubeconfig": str(path), "context": "other"})


def test_connect_reads_host_and_token_of_the_context(tmp_path: Any) -> None:
    path = tmp_path / "config"
    path.write_text(
        "clusters: [{name: c, cluster: {server: 'http://h:1/'}}, {name: d, cluster: {server: 'http://i:2'}}]\n"
        "users: [{name: u, user: {token: abc}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}, {name: d, context: {cluster: d, user: u}}]\n"
        "current-context: c\n"
    )
    first, second = connect({"kubeconfig": str(path)}), connect({"kubeconfig": str(path), "context": "d"})
    assert (first.host, second.host) == ("http://h:1", "http://i:2")
    assert first.credentials.header() == "Bearer abc"
    path.write_text(path.read_text().replace("abc", "def"))
    assert first.credentials.renew("Bearer abc")
    assert first.credentials.header() == "Bearer def"


def test_a_request_comes_in_one_piece() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        pieces: list[bytes] = []

        def answer() -> None:
            connection, _address = listening.accept()
            with connection:
                for _request in range(2):
                    pieces.append(connection.recv(65536))
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        client = Client(Connection(f"http://127.0.0.1:{listening.getsockname()[1]}", Credentials(lambda force: None)))
        client.apply("/x", {"kind": "ConfigMap"})
        client.delete("/x")
        thread.join(10)
    assert pieces[0].startswith(b"PATCH /x?") and pieces[0].endswith(b'\r\n\r\n{"kind":"ConfigMap"}')
    assert pieces[1].startswith(b"DELETE /x ") and b"DeleteOptions" in pieces[1]


def test_an_api_server_below_a_path_and_one_behind_a_proxy(server: Server) -> None:
    server.replies = [OK]
    address = f"http://127.0.0.1:{server.server_address[1]}"
    Client(Connection(f"{address}/k8s/clusters/c-1", Credentials(lambda force: None))).get("/api")
    Client(Connection("http://cluster.example", Credentials(lambda force: None), proxy=address)).get("/api")
    assert [path for _method, path, _header in server.asked] == ["/k8s/clusters/c-1/api", "http://cluster.example/api"]
