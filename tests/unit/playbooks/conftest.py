# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own playbooks without a cluster: the emulated AWS as a process, and an API server that is not there.

What needs a cluster to be refused, or to refuse, is in tests/lab/rules.
"""

from __future__ import annotations

import http.server
import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmfleet_lab.aws.profile import write_profile
from llmfleet_lab.aws.request_log import FILE
from llmfleet_lab.certificates import Authority, write_secret

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-west-3"
ACCOUNT = "123456789012"
QUESTION = "Type the name of the cluster to destroy"
KEYS = ("AKIALABTEST000000001", "an-operator-secret-of-the-tests")


def free_port() -> int:
    """A port of the loopback address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class Cloud:
    """The emulated AWS: whose cluster has an API server at `api_server`, a closed port; profile: a folder."""

    endpoint: str
    api_server: str
    profile: Path
    log: Path

    def requests(self) -> list[dict[str, Any]]:
        """Return the request log, oldest first."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture(scope="session")
def session_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One process for all tests."""
    folder = tmp_path_factory.mktemp("aws")
    authority = Authority(folder / "certificates")
    authority.issue("webhook", names=["127.0.0.1"])
    port, api_server = free_port(), f"https://127.0.0.1:{free_port()}"
    document = {
        "listen": {"address": "127.0.0.1", "port": port},
        "logs": str(folder),
        "operator": {"access_key_id": KEYS[0], "secret_access_key": KEYS[1]},
        "cluster": {
            "name": "lab",
            "region": REGION,
            "account": ACCOUNT,
            "endpoint": api_server,
            "certificate_authority": "Q0EgY2VydGlmaWNhdGU=",
        },
        "pod_identity": {"address": "127.0.0.1", "port": 0},
        "webhook": {
            "address": "127.0.0.1",
            "port": 0,
            "certificate": str(authority.folder / "webhook.crt"),
            "key": str(authority.folder / "webhook.key"),
        },
        "secrets": {},
    }
    configuration = folder / "aws.json"
    write_secret(configuration, json.dumps(document))
    endpoint = f"http://127.0.0.1:{port}"
    write_profile(folder / "profile", REGION, endpoint, *KEYS)
    with (folder / "aws.log").open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "llmfleet_lab.aws", "--config", str(configuration)],
            env={**os.environ, "PYTHONPATH": str(ROOT / "lab")},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{endpoint}/_lab/health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, (folder / "aws.log").read_text()
                time.sleep(0.1)
        yield Cloud(endpoint, api_server, folder / "profile", folder / FILE)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def cloud(session_cloud: Cloud) -> Cloud:
    """The emulated AWS with an empty request log."""
    if session_cloud.log.exists():
        os.truncate(session_cloud.log, 0)
    return session_cloud


class ApiServer(http.server.ThreadingHTTPServer):
    """An API server without a single object: it tells what it was asked for."""

    asked: list[str]


class _Empty(http.server.BaseHTTPRequestHandler):
    server: ApiServer

    def _any(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(f"{self.command} {path}")
        kind = "APIGroupDiscoveryList" if path in ("/api", "/apis") else "List"
        data = json.dumps({"kind": kind, "gitVersion": "v1.36.3", "items": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def empty_cluster(cloud: Cloud) -> Iterator[ApiServer]:
    """An empty cluster at the address that EKS names (without TLS: see Playbooks.host)."""
    made = ApiServer(("127.0.0.1", int(cloud.api_server.rpartition(":")[2])), _Empty)
    made.asked = []
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@dataclass
class Playbooks:
    """Runs a playbook of the collection as a user does, without a terminal, on an inventory of its own."""

    folder: Path
    cloud: Cloud
    patience: float = 120.0  # seconds for a run

    def host(self, name: str = "lab", scheme: str = "https", **changes: Any) -> dict[str, Any]:
        """Return the variables of a host: the cluster `name`, of which a kubeconfig says that it is where EKS says."""
        kubeconfig = self.folder / f"{name}.kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(_kubeconfig(self.cloud.api_server.replace("https", scheme))))
        cluster = {"name": name, "region": REGION, "account": ACCOUNT, "kubeconfig": str(kubeconfig), "context": "lab"}
        helm = self.folder / "helm"
        helm.write_text("#!/bin/sh\necho v4.3.1\n")
        helm.chmod(0o755)
        return {
            "llmfleet_cluster": {**cluster, **changes.pop("cluster", {})},
            "llmfleet_aws": {
                "profile": "llmfleet-lab",
                "config_file": str(self.cloud.profile / "config"),
                "credentials_file": str(self.cloud.profile / "credentials"),
            },
            "llmfleet_helm_binary": str(helm),
            **changes,
        }

    def __call__(
        self,
        name: str,
        hosts: dict[str, Any],
        *arguments: str,
        python_path: str = "",
        question: str = QUESTION,
        typed: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run playbooks/<name>.yml, or a file by its whole path without the ending.

        Output (one stream) and exit code as they are. typed: the answer to each question, on a terminal.
        """
        inventory = self.folder / "inventory.yml"
        inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "KUBECONFIG"))},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
            "ANSIBLE_NOCOLOR": "1",
            "PYTHONPATH": python_path,
        }
        program = Path(sys.executable).parent / "ansible-playbook"
        command = [str(program), "-i", str(inventory), str(ROOT / "playbooks" / f"{name}.yml"), *arguments]
        if typed is not None:
            return _in_terminal(command, environment, question, typed)
        return subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.patience,
            start_new_session=True,
        )


def _in_terminal(
    command: list[str], environment: dict[str, str], question: str, typed: str
) -> subprocess.CompletedProcess[str]:
    """Run a program on a terminal of its own and answer each question it asks with the same line."""
    terminal, theirs = os.openpty()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown, answered, deadline = "", 0, time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1.0)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        shown += data.decode("utf-8", "replace")
        if shown.count(question) > answered:
            answered += 1
            os.write(terminal, f"{typed}\n".encode())
    else:
        process.kill()
    code = process.wait(20)
    os.close(terminal)
    return subprocess.CompletedProcess(command, code, shown.replace("\r", ""))


def _kubeconfig(server: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "lab", "user": {"token": "a-token-of-the-tests"}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
    }


@pytest.fixture
def playbooks(tmp_path: Path, cloud: Cloud) -> Playbooks:
    """The collection's playbooks."""
    return Playbooks(tmp_path, cloud)


@pytest.fixture
def storage(playbooks: Playbooks, cloud: Cloud) -> Iterator[Any]:
    """The storage layer (storage.Storage), of which nothing is left afterwards but the bucket."""
    from tests.unit.playbooks.storage import Storage  # it needs what is above

    made = Storage(playbooks, cloud)
    yield made
    made.control("DELETE", "faults")
    for path in ("lag", "clock"):
        made.control("PUT", path, {"seconds": 0})
    done = made.remove()
    assert done.returncode == 0, done.stdout
    assert not made.owned()
