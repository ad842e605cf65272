# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's cloud: versitygw as S3, the emulated AWS APIs, the hub and the storage driver, as processes."""

from __future__ import annotations

import base64
import functools
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from llmfleet_lab import addresses as at
from llmfleet_lab.certificates import write_secret
from llmfleet_lab.control_plane import answers
from llmfleet_lab.hub_store import grant
from llmfleet_lab.paths import LAB_SOURCE, Paths
from llmfleet_lab.processes import Daemon
from llmfleet_lab.secrets import Credentials
from llmfleet_lab.tinymodel import GATED

API_KEYS_SECRET = f"llmfleet/{at.CLUSTER}/api-keys"
HUB_TOKEN_SECRET = f"llmfleet/{at.CLUSTER}/hub-token"


def buckets(paths: Paths) -> Path:
    """versitygw's folder: one folder a bucket, one file an object."""
    return paths.state / "s3/buckets"


def s3(paths: Paths, credentials: Credentials) -> Daemon:
    """versitygw over a folder, on loopback: clients reach it through the AWS endpoint."""
    access, secret = credentials.text("s3-root").splitlines()
    versions = paths.state / "s3/versions"
    for folder in (buckets(paths), versions, paths.state / "s3/iam"):
        folder.mkdir(parents=True, exist_ok=True)
    return Daemon(
        name="versitygw",
        command=[
            str(paths.state / "bin/versitygw"),
            f"--port=127.0.0.1:{at.S3_PORT}",
            f"--region={at.REGION}",
            "--health=/_health",
            "--quiet",
            "posix",
            f"--versioning-dir={versions}",
            str(buckets(paths)),
        ],
        environment={"ROOT_ACCESS_KEY": access, "ROOT_SECRET_KEY": secret},
        ready=functools.partial(answers, f"{at.S3_ENDPOINT}/_health"),
    )


def _python(paths: Paths) -> dict[str, str]:
    return {"PYTHONPATH": str(LAB_SOURCE), "PYTHONUNBUFFERED": "1", "HOME": str(paths.state / "home")}


def aws_configuration(paths: Paths, credentials: Credentials) -> dict[str, Any]:
    """What ``llmfleet_lab.aws`` is told."""
    access, secret = credentials.text("aws-operator").splitlines()
    s3_access, s3_secret = credentials.text("s3-root").splitlines()
    return {
        "listen": {"address": at.NODE_IP, "port": at.AWS_PORT},
        "logs": str(paths.logs),
        "operator": {"access_key_id": access, "secret_access_key": secret},
        "versitygw": {"endpoint": at.S3_ENDPOINT, "access_key_id": s3_access, "secret_access_key": s3_secret},
        "cluster": {
            "name": at.CLUSTER,
            "region": at.REGION,
            "account": at.ACCOUNT,
            "endpoint": at.API_SERVER,
            "certificate_authority": base64.b64encode(credentials.file("ca.crt").read_bytes()).decode(),
        },
        "pod_identity": {"address": at.POD_IDENTITY_IP, "port": 80},
        "webhook": {
            "address": at.NODE_IP,
            "port": at.AWS_WEBHOOK_PORT,
            "certificate": str(credentials.file("pod-identity-webhook.crt")),
            "key": str(credentials.file("pod-identity-webhook.key")),
        },
        "kubeconfig": str(credentials.file("pod-identity.kubeconfig")),
        "secrets": {
            API_KEYS_SECRET: {"operator": credentials.text("gateway-key")},
            HUB_TOKEN_SECRET: {"token": credentials.text("hub-token")},
        },
    }


def aws(paths: Paths, credentials: Credentials) -> Daemon:
    """The emulated AWS APIs with the pod identity webhook and agent."""
    configuration = paths.secrets / "aws.json"
    write_secret(configuration, json.dumps(aws_configuration(paths, credentials)))
    return Daemon(
        name="aws",
        command=[sys.executable, "-m", "llmfleet_lab.aws", "--config", str(configuration)],
        environment=_python(paths),
        ready=functools.partial(answers, f"{at.AWS_ENDPOINT}/_lab/health"),
    )


def hub(paths: Paths, credentials: Credentials, repositories: Path) -> Daemon:
    """The look-alike of the Hugging Face Hub over a copy of ``repositories``, whose gated one takes the lab's token."""
    root = paths.state / "hub"
    if not root.exists():
        shutil.copytree(repositories, root)
        grant(root, credentials.text("hub-token"), [GATED])
    return Daemon(
        name="hub",
        command=[
            *(sys.executable, "-m", "llmfleet_lab.hub"),
            *("--listen", f"{at.NODE_IP}:{at.HUB_PORT}"),
            *("--root", str(root)),
            *("--log", str(paths.logs / "hub-requests.jsonl")),
        ],
        environment=_python(paths),
        ready=functools.partial(answers, f"{at.HUB_ENDPOINT}/healthz"),
    )


def storage_driver(paths: Paths, credentials: Credentials) -> Daemon:
    """The CSI node plugin that the lab has in the place of the EFS CSI driver."""
    root = paths.state / "kubelet"
    socket = root / "plugins/efs.csi.aws.com/csi.sock"

    def registered() -> None:
        if not (socket.exists() and (root / "plugins_registry/efs.csi.aws.com-reg.sock").exists()):
            raise OSError("its sockets are not there yet")

    return Daemon(
        name="csi",
        command=[
            str(paths.state / "bin/csi"),
            f"--kubelet-root={root}",
            f"--node-id={at.NODE_NAME}",
            f"--buckets-root={buckets(paths)}",
            f"--aws-endpoint={at.AWS_ENDPOINT}",
            f"--aws-credentials={credentials.file('aws/credentials')}",
            f"--aws-region={at.REGION}",
        ],
        ready=registered,
    )
