# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that is found in EKS: endpoint and CA from its description, tokens made here, against local servers."""

from __future__ import annotations

import base64
import datetime
import http.server
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import open_client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CLUSTER = {"name": "demo", "region": "eu-west-3"}


class Server(http.server.ThreadingHTTPServer):
    """Answers every GET with (status, JSON) of the function `answer`; keeps path and Authorization."""

    asked: list[tuple[str, str]]
    answer: Any


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization", "")))
        status, body = self.server.answer(len(self.server.asked))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def serve(answer: Any, context: ssl.SSLContext | None = None) -> Server:
    server = Server(("127.0.0.1", 0), Handler)
    server.asked, server.answer = [], answer
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for 127.0.0.1 and its key; return both paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "ca.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, private


@pytest.fixture
def api_server(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    pem, private = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    server = serve(lambda count: (200, {"fine": True}), context)
    yield server, pem
    server.shutdown()
    server.server_close()


@pytest.fixture
def eks(api_server: tuple[Server, Path]) -> Iterator[Server]:
    server, pem = api_server
    description = {
        "name": "demo",
        "arn": "arn:aws:eks:eu-west-3:123456789012:cluster/demo",
        "status": "ACTIVE",
        "endpoint": f"https://127.0.0.1:{server.server_address[1]}",
        "certificateAuthority": {"data": base64.b64encode(pem.read_bytes()).decode()},
    }
    made = serve(lambda count: (200, {"cluster": description}))
    yield made
    made.shutdown()
    made.server_close()


def aws(folder: Path, endpoint: Server) -> dict[str, str]:
    config, credentials = folder / "config", folder / "credentials"
    config.write_text(f"[profile test]\nendpoint_url = http://127.0.0.1:{endpoint.server_address[1]}\n")
    credentials.write_text("[test]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = not-a-secret\n")
    return {"profile": "test", "config_file": str(config), "credentials_file": str(credentials)}


def test_endpoint_ca_and_token_come_from_eks(tmp_path: Path, eks: Server, api_server: tuple[Server, Path]) -> None:
    client = open_client(CLUSTER, aws(tmp_path, eks))
    assert client.get("/version") == {"fine": True}
    client.get("/version")
    assert [path for path, _ in eks.asked] == ["/clusters/demo"]
    tokens = {authorization for _, authorization in api_server[0].asked}
    assert len(tokens) == 1  # one token serves until it expires
    kind, _, token = tokens.pop().partition(" k8s-aws-v1.")
    assert kind == "Bearer"
    signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    assert "Action=GetCallerIdentity" in signed and "x-k8s-aws-id" in signed
    assert "not-a-secret" not in signed


def test_a_cluster_without_an_api_server_is_told(tmp_path: Path, eks: Server) -> None:
    eks.answer = lambda count: (200, {"cluster": {"name": "demo", "arn": "a:b:c:d:e:f", "status": "CREATING"}})
    with pytest.raises(ClusterError, match=r"EKS cluster demo in eu-west-3 has no API server yet \(status CREATING\)"):
        open_client(CLUSTER, aws(tmp_path, eks))


def test_errors_of_aws_are_errors_of_the_cluster(tmp_path: Path, eks: Server) -> None:
    eks.answer = lambda count: (404, {"__type": "ResourceNotFoundException", "message": "No cluster found for demo."})
    with pytest.raises(ClusterError, match="demo"):
        open_client(CLUSTER, aws(tmp_path, eks))
    with pytest.raises(ClusterError, match="llmfleet_aws"):
        open_client(CLUSTER, {"config_file": "/none"})
