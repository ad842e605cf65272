# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests are under way at once, by how far away the server is."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import THREADS, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.connection import Connection, Credentials
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.streams import AT_SERVER, MOST, Streams


def after(*answers: float, status: int = 200) -> int:
    streams = Streams()
    for seconds in answers:
        streams.answered(seconds, status)
    return streams.number


def test_a_near_server_and_one_that_nothing_is_known_of_get_no_more_than_before() -> None:
    assert AT_SERVER == THREADS == 16
    assert after() == after(0.001) == after(0.0049) == AT_SERVER


def test_the_further_the_server_the_more_are_on_the_way_and_never_too_many() -> None:
    numbers = [after(seconds) for seconds in (0.001, 0.005, 0.007, 0.014, 0.03, 0.3, 30.0)]
    assert numbers == [16, 27, 32, 48, MOST, MOST, MOST]


def test_the_fastest_answer_counts() -> None:
    # The first one opened a connection, others waited at the server.
    assert after(0.2, 0.002, 0.9) == AT_SERVER


def test_a_server_that_has_enough_gets_no_more_for_the_rest_of_the_run() -> None:
    streams = Streams()
    streams.answered(0.03, 200)
    assert streams.number == MOST
    streams.answered(0.03, 429)
    streams.answered(0.03, 200)
    assert streams.number == AT_SERVER


class Away(http.server.ThreadingHTTPServer):
    """A stand-in for an API server that has ConfigMaps, none at first; each answer takes `pause` seconds.

    together: how many PATCH requests there were at once, at most.
    """

    # Connections that come at once are not refused.
    request_queue_size = 128
    daemon_threads = True
    pause = 0.0
    now = together = 0
    lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Away

    def do_GET(self) -> None:
        time.sleep(self.server.pause)
        entry = {"resource": "configmaps", "responseKind": {"kind": "ConfigMap"}, "scope": "Namespaced"}
        group = {"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [entry]}]}
        items = [group] if self.path == "/api" else []
        self.answer({"kind": "APIGroupDiscoveryList", "items": items})

    def do_PATCH(self) -> None:
        with self.server.lock:
            self.server.now += 1
            self.server.together = max(self.server.together, self.server.now)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(self.server.pause)
        with self.server.lock:
            self.server.now -= 1
        self.answer(body)

    def answer(self, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def away() -> Iterator[Away]:
    server = Away(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_apply_asks_more_at_once_of_a_server_that_is_far_away(away: Away) -> None:
    client = Client(Connection(f"http://127.0.0.1:{away.server_port}", Credentials(lambda force: None)))
    assert client.streams == AT_SERVER
    away.pause = 0.3
    objects = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{number}", "namespace": "llm"}}
        for number in range(3 * MOST)
    ]
    found = apply(client, objects, "prod", "models", diffs=False)
    assert found.counts()["created"] == len(objects) and client.streams == MOST
    assert AT_SERVER < away.together <= MOST
