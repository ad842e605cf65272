# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file, the operator's profile, and the process as the lab starts it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from llmfleet_lab.aws.config import load, parse
from llmfleet_lab.aws.profile import PROFILE, write_profile
from llmfleet_lab.errors import LabError

LAB = Path(__file__).resolve().parents[3] / "lab"


def document(**changes: Any) -> dict[str, Any]:
    """The least that must be said."""
    return {
        "operator": {"access_key_id": "AKIALAB", "secret_access_key": "a-secret-value"},
        "cluster": {
            "name": "lab",
            "region": "eu-west-3",
            "account": "123456789012",
            "endpoint": "https://10.245.0.1:6443",
            "certificate_authority": "Q0E=",
        },
        **changes,
    }


def test_defaults() -> None:
    config = parse(document())
    assert (config.listen.address, config.listen.port) == ("10.245.0.1", 4566)
    assert config.endpoint == "http://10.245.0.1:4566"
    assert config.agent is None and config.webhook is None and config.object_store is None
    agent = parse(document(pod_identity={})).agent
    assert agent is not None and (agent.address, agent.port) == ("169.254.170.23", 80)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"operator": {"access_key_id": "AKIALAB"}}, "operator.secret_access_key"),
        ({"operator": None}, "operator"),
        ({"cluster": {"name": "lab"}}, "cluster.region"),
        ({"listen": {"port": 70000}}, "listen.port"),
        ({"listen": {"host": "x"}}, "listen.host"),
        ({"regions": []}, "regions"),
        ({"versitygw": {"endpoint": "127.0.0.1:7070"}}, "versitygw.endpoint"),
        ({"webhook": {}}, "webhook.certificate"),
        ({"secrets": []}, None),
        ({"secrets": ["a"]}, "secrets"),
        ({"delays": {"creating": "soon"}}, "delays.creating"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], named: str | None) -> None:
    if named is None:
        assert parse(document(**change)).secrets == {}
        return
    with pytest.raises(LabError) as caught:
        parse(document(**change))
    assert str(caught.value).startswith(f"{named}:")
    assert "a-secret-value" not in str(caught.value)


def test_secrets_are_not_in_the_representation() -> None:
    config = parse(document(secrets={"n": {"k": "another-secret-value"}}))
    assert "secret-value" not in repr(config)


def test_the_file_must_be_private_and_readable(tmp_path: Path) -> None:
    file = tmp_path / "aws.json"
    with pytest.raises(LabError, match="cannot read"):
        load(file)
    file.write_text(json.dumps(document()))
    file.chmod(0o640)
    with pytest.raises(LabError, match="mode 0640; accepted: 0600"):
        load(file)
    file.chmod(0o600)
    assert load(file).cluster.name == "lab"
    file.write_text("{a-secret-value: [")
    with pytest.raises(LabError) as caught:
        load(file)
    assert "neither YAML nor JSON" in str(caught.value) and "a-secret-value" not in str(caught.value)


def test_profile(tmp_path: Path, emulation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("AKIALABTEST000000001", "an-operator-secret-of-the-tests")
    write_profile(tmp_path / "aws", "eu-west-3", "http://nowhere.invalid", *keys)
    files = write_profile(tmp_path / "aws", "eu-west-3", emulation.endpoint, *keys)
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert (tmp_path / "aws").stat().st_mode & 0o777 == 0o700
    assert sorted(os.listdir(tmp_path / "aws")) == ["config", "credentials"]
    monkeypatch.setenv("AWS_CONFIG_FILE", str(files[0]))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(files[1]))
    session = boto3.Session(profile_name=PROFILE)
    assert session.region_name == "eu-west-3"
    assert session.client("sts").get_caller_identity()["Account"] == "123456789012"
    s3 = session.client("s3", config=Config(retries={"total_max_attempts": 1}))
    assert "Buckets" in s3.list_buckets()


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """run(document) -> the started process."""
    started: list[subprocess.Popen[str]] = []

    def start(content: dict[str, Any]) -> subprocess.Popen[str]:
        file = tmp_path / "aws.json"
        file.touch(0o600)
        file.write_text(json.dumps(content))
        command = [sys.executable, "-m", "llmfleet_lab.aws", "--config", str(file)]
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(LAB)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_process_serves_and_ends_on_sigterm(run: Any, tmp_path: Path) -> None:
    process = run(document(listen={"address": "127.0.0.1", "port": 0}, logs=str(tmp_path / "logs")))
    assert process.stdout is not None
    line = process.stdout.readline()
    match = re.fullmatch(r"AWS at (http://127\.0\.0\.1:\d+)\n", line)
    assert match, line
    with urllib.request.urlopen(f"{match[1]}/_lab/health", timeout=5) as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert (tmp_path / "logs/aws-requests.jsonl").read_text() == ""


def test_an_address_in_use_is_told_without_a_traceback(run: Any, emulation: Any) -> None:
    port = int(emulation.endpoint.rpartition(":")[2])
    process = run(document(listen={"address": "127.0.0.1", "port": port}))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors == f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
