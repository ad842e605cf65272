# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for an OCI registry: manifests by tag and digest, for those who have a token for the repository."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def document(media_type: str, mark: str) -> bytes:
    """A manifest's bytes; mark tells them apart."""
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "annotations": {"mark": mark}}).encode()


def digest_of(media_type: str, mark: str) -> str:
    """Its digest."""
    return f"sha256:{hashlib.sha256(document(media_type, mark)).hexdigest()}"


class Registry:
    """One registry on loopback. requests: "METHOD path" of all it was sent.

    tags: (repository, tag) -> mark of the index and of the manifest of one architecture. broken: answers 500.
    named: whether answers name their digest. token_field: of the answer with the token.
    """

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.tags: dict[tuple[str, str], str] = {}
        self.requests: list[str] = []
        self.broken = False
        self.named = True
        self.token_field = "token"

    def manifest(self, repository: str, reference: str, accepted: str) -> tuple[str, str] | None:
        """(Media type, mark) of what a reference names, for a client that accepts some types."""
        for (name, tag), mark in self.tags.items():
            if name != repository:
                continue
            for kind in (INDEX, MANIFEST):
                if reference == digest_of(kind, mark):
                    return kind, mark
            if reference == tag:
                return (INDEX if INDEX in accepted else MANIFEST), mark
        return None


def _handler(registry: Registry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

        def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_GET(self) -> None:
            registry.requests.append(f"GET {self.path}")
            url = urlsplit(self.path)
            if url.path != "/token":
                return self.answer(404)
            asked = parse_qs(url.query)
            body = {registry.token_field: f"for {asked['scope'][0]} of {asked['service'][0]}"}
            self.answer(200, json.dumps(body).encode(), Content_Type="application/json")

        def do_HEAD(self) -> None:
            registry.requests.append(f"HEAD {self.path}")
            if registry.broken:
                return self.answer(500)
            repository, _manifests, reference = self.path.removeprefix("/v2/").rpartition("/manifests/")
            scope = f"repository:{repository}:pull"
            if self.headers.get("Authorization") != f"Bearer for {scope} of stand-in":
                realm = f"http://{registry.host}/token"
                return self.answer(401, WWW_Authenticate=f'Bearer realm="{realm}",service="stand-in",scope="{scope}"')
            found = registry.manifest(repository, reference, self.headers.get("Accept", ""))
            if found is None:
                return self.answer(404)
            named = {"Docker_Content_Digest": digest_of(*found)} if registry.named else {}
            self.answer(200, Content_Type=found[0], **named)

    return Handler


@contextlib.contextmanager
def serving() -> Iterator[Registry]:
    """A registry that serves."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    registry = Registry(server.server_address[1])
    server.RequestHandlerClass = _handler(registry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
