# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated AWS, in this process on loopback, with versitygw behind it where its program is found."""

from __future__ import annotations

import functools
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from llmfleet_lab.aws.config import parse
from llmfleet_lab.aws.emulation import Emulation
from llmfleet_lab.aws.token_review import ServiceAccount
from llmfleet_lab.certificates import Authority
from moto.moto_api._internal import moto_api_backend

REGION = "eu-west-3"
ACCOUNT = "123456789012"
KEY_ID = "AKIALABTEST000000001"
SECRET = "an-operator-secret-of-the-tests"
ROOT_KEYS = ("gateway-root", "a-root-secret-of-the-tests")


def _gateway_program() -> str | None:
    return os.environ.get("LLMFLEET_LAB_VERSITYGW") or shutil.which("versitygw")


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any] | None]:
    """versitygw as the configuration names it, with its bucket folder; None when there is no such program."""
    program = _gateway_program()
    if program is None:
        yield None
        return
    folder = tmp_path_factory.mktemp("versitygw")
    for name in ("buckets", "versions"):
        (folder / name).mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(program, f"--port=127.0.0.1:{port}", f"--region={REGION}", "--health=/_health", "--quiet"),
        *("posix", f"--versioning-dir={folder / 'versions'}", str(folder / "buckets")),
    ]
    environment = {"ROOT_ACCESS_KEY": ROOT_KEYS[0], "ROOT_SECRET_KEY": ROOT_KEYS[1]}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                urllib.request.urlopen(f"{endpoint}/_health", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "versitygw does not start"
                time.sleep(0.05)
        yield {"endpoint": endpoint, "folder": folder / "buckets"}
    finally:
        process.terminate()
        process.wait(20)


class Tokens:
    """Stands for the API server: tokens that it would accept."""

    def __init__(self) -> None:
        self.known: dict[str, ServiceAccount] = {}

    def __call__(self, token: str) -> ServiceAccount | None:
        return self.known.get(token)

    def issue(self, namespace: str, name: str) -> str:
        token = uuid.uuid4().hex
        self.known[token] = ServiceAccount(namespace, name, "some-pod")
        return token


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    authority.issue("webhook", names=["127.0.0.1"])
    return authority


@pytest.fixture(scope="session")
def emulation(
    tmp_path_factory: pytest.TempPathFactory, gateway: dict[str, Any] | None, tokens: Tokens, authority: Authority
) -> Iterator[Emulation]:
    """One for all tests: moto keeps its state in the process. Tests take names of their own."""
    document: dict[str, Any] = {
        "listen": {"address": "127.0.0.1", "port": 0},
        "logs": str(tmp_path_factory.mktemp("logs")),
        "operator": {"access_key_id": KEY_ID, "secret_access_key": SECRET},
        "cluster": {
            "name": "lab",
            "region": REGION,
            "account": ACCOUNT,
            "endpoint": "https://10.245.0.1:6443",
            "certificate_authority": "Q0EgY2VydGlmaWNhdGU=",
        },
        "pod_identity": {"address": "127.0.0.1", "port": 0},
        "webhook": {
            "address": "127.0.0.1",
            "port": 0,
            "certificate": str(authority.folder / "webhook.crt"),
            "key": str(authority.folder / "webhook.key"),
        },
        "secrets": {"llmfleet/lab/api-keys": {"operator": "sk-of-the-operator"}},
        "delays": {"creating": 0, "deleting": 0},
    }
    if gateway is not None:
        keys = dict(zip(("access_key_id", "secret_access_key"), ROOT_KEYS, strict=True))
        document["versitygw"] = {"endpoint": gateway["endpoint"], **keys}
    moto_api_backend.reset()
    emulation = Emulation(parse(document), review=tokens)
    emulation.start()
    yield emulation
    emulation.stop()


Clients = Callable[..., Any]


@pytest.fixture(scope="session")
def aws(emulation: Emulation) -> Clients:
    """client(service, keys=(id, secret, token), **options of botocore's Config) of boto3 at the emulated endpoint.

    Without retries unless they are asked for.
    """
    session = boto3.Session()

    @functools.cache
    def client(service: str, keys: tuple[str | None, ...] = (KEY_ID, SECRET), attempts: int = 1, **options: Any) -> Any:
        access_key_id, secret, token = (*keys, None)[:3]
        return session.client(
            service,
            region_name=REGION,
            endpoint_url=emulation.endpoint,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, **options),
        )

    return client


@pytest.fixture(scope="session")
def control(emulation: Emulation) -> Callable[..., tuple[int, Any]]:
    """control(method, path below /_lab/, document) -> status and answer."""

    def ask(method: str, path: str, document: Any = None) -> tuple[int, Any]:
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{emulation.endpoint}/_lab/{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return ask


@pytest.fixture
def delays(control: Callable[..., tuple[int, Any]]) -> Iterator[Callable[..., Any]]:
    """delays(creating=…, deleting=…) in seconds; back to none after the test."""
    yield lambda **seconds: control("PUT", "delays", seconds)
    control("PUT", "delays", {"creating": 0, "deleting": 0})


@pytest.fixture
def no_faults(control: Callable[..., tuple[int, Any]]) -> Iterator[None]:
    """No fault is left over before and after."""
    control("DELETE", "faults")
    yield
    control("DELETE", "faults")


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"t-{uuid.uuid4().hex[:12]}"


def trust(service: str, actions: list[str], condition: dict[str, Any] | None = None) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="session")
def make_role(aws: Clients) -> Callable[..., str]:
    """make_role(name, service, actions, condition) -> ARN of a new role."""

    def make(name: str, service: str, actions: list[str], condition: dict[str, Any] | None = None) -> str:
        document = trust(service, actions, condition)
        return str(aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])

    return make


@pytest.fixture
def fs_role(make_role: Callable[..., str], name: str) -> str:
    """A role as S3 Files wants it."""
    condition = {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:s3files:{REGION}:{ACCOUNT}:file-system/*"},
    }
    return make_role(f"{name}-fs", "elasticfilesystem.amazonaws.com", ["sts:AssumeRole"], condition)


@pytest.fixture
def bucket(aws: Clients, name: str) -> str:
    """A versioned bucket."""
    s3 = aws("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


@pytest.fixture
def file_system(aws: Clients, bucket: str, fs_role: str) -> str:
    """The id of an available file system over `bucket`."""
    answer = aws("s3files").create_file_system(bucket=f"arn:aws:s3:::{bucket}", roleArn=fs_role)
    return str(answer["fileSystemId"])


@pytest.fixture
def code() -> Callable[..., Any]:
    """code(call, **parameters) -> (error code, HTTP status, answer) of a call that must fail."""
    from botocore.exceptions import ClientError

    def failing(call: Callable[..., Any], **parameters: Any) -> tuple[str, int, dict[str, Any]]:
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        answer = caught.value.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer

    return failing


@pytest.fixture
def log_lines(emulation: Emulation) -> Callable[[], list[dict[str, Any]]]:
    """The lines of the request log."""
    from llmfleet_lab.aws.request_log import FILE

    folder = Path(emulation.log.folder or "")
    return lambda: [json.loads(line) for line in (folder / FILE).read_text().splitlines()]
