# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What preflight refuses: each with one clear message, and before any write."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from llmfleet_lab.paths import Paths

from tests.lab.conftest import Playbook
from tests.lab.faults import AwsFaults
from tests.lab.kit import Writes
from tests.lab.snapshot import REGION, aws_settings, lab_client

Refused = Callable[..., str]


@pytest.fixture
def refused(playbook: Playbook, writes: Writes, paths: Paths) -> Refused:
    """Run preflight with changed variables, hold that it failed and wrote nothing, and return its output."""

    def run(**changes: Any) -> str:
        cluster = {
            "name": "lab",
            "region": REGION,
            "account": "123456789012",
            "kubeconfig": str(paths.kubeconfig),
            "context": "lab",
        }
        variables = {"llmfleet_cluster": {**cluster, **changes.pop("cluster", {})}, **changes}
        done = playbook("site", "--tags", "preflight", "-e", json.dumps(variables), timeout=120)
        assert done.returncode != 0, done.stdout[-3000:]
        assert "Traceback" not in done.stdout
        assert writes.kubernetes() == [] and writes.aws() == []
        return " ".join(done.stdout.split())

    return run


@pytest.fixture
def aws_faults() -> Iterator[AwsFaults]:
    """Faults on demand, none left behind."""
    faults = AwsFaults()
    yield faults
    faults.clear()


def test_every_error_of_the_description_at_once(refused: Refused) -> None:
    models = [{"name": "UPPER", "weights": {"repository": "a/b"}, "gpu": {"pool": "nowhere"}, "surprise": 1}]
    told = refused(llmfleet_models=models, llmfleet_gpu_pools=[{"name": "x" * 80}])
    for error in (
        "llmfleet_models[0] (UPPER).name: got 'UPPER': accepted: lower-case letters",
        "llmfleet_models[0] (UPPER).gpu.pool: got 'nowhere': no such pool",
        "llmfleet_models[0] (UPPER).surprise: got an unknown key",
        ".name: got 'xxxxx",
    ):
        assert error in told


def test_kinds_that_the_cluster_does_not_serve(refused: Refused) -> None:
    # No definition of these is ever loaded into the lab.
    told = refused(llmfleet_monitoring="victoria_metrics")
    for kind in ("VMPodScrape", "VMRule"):
        title = f"{kind} (operator.victoriametrics.com/v1beta1)"
        assert f"{title}: the cluster does not serve it; wanted for tiny-llama" in told
    # What the chart of Envoy Gateway brings is no reason to refuse.
    assert "gateway.networking.k8s.io" not in told


def test_another_account(refused: Refused) -> None:
    told = refused(cluster={"account": "999999999999"})
    assert "llmfleet_cluster.account: got '999999999999'" in told and "123456789012" in told


def test_a_cluster_that_does_not_exist(refused: Refused) -> None:
    assert "nosuch" in refused(cluster={"name": "nosuch"})


def test_the_kubeconfig_of_another_cluster(refused: Refused, paths: Paths, tmp_path: Path) -> None:
    config = yaml.safe_load(paths.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:6"
    other = tmp_path / "other.kubeconfig"
    other.write_text(yaml.safe_dump(config))
    told = refused(cluster={"kubeconfig": str(other)})
    assert "llmfleet_cluster.kubeconfig: got" in told and "which leads to https://127.0.0.1:6" in told


def test_an_api_server_that_does_not_answer(refused: Refused, paths: Paths, tmp_path: Path) -> None:
    config = yaml.safe_load(paths.kubeconfig.read_text())
    # The way to the right server ends at a port of the loopback address at which nothing listens.
    config["clusters"][0]["cluster"]["proxy-url"] = "http://127.0.0.1:6"
    other = tmp_path / "other.kubeconfig"
    other.write_text(yaml.safe_dump(config))
    began = time.monotonic()
    told = refused(cluster={"kubeconfig": str(other)})
    assert time.monotonic() - began < 60
    assert "no answer from the API server" in told and config["clusters"][0]["cluster"]["server"] in told
    assert "Connection refused" in told and "to check:" in told


def test_a_kubeconfig_that_is_not_there(refused: Refused) -> None:
    assert "llmfleet_cluster.kubeconfig: '/nowhere/config': no such file" in refused(
        cluster={"kubeconfig": "/nowhere/config"}
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [("ExpiredToken", "expired"), ("InvalidClientTokenId", "credentials"), ("AccessDenied", "denied")],
)
def test_credentials_that_do_not_work(refused: Refused, aws_faults: AwsFaults, error: str, told: str) -> None:
    aws_faults.add("sts", error, times=1)
    assert told in refused().lower()


def test_no_helm(refused: Refused) -> None:
    shown = refused(llmfleet_helm_binary="/nowhere/helm")
    assert "program /nowhere/helm: No such file or directory; accepted: Helm 4" in shown


def test_a_helm_of_another_version(refused: Refused, tmp_path: Path) -> None:
    helm = tmp_path / "helm"
    helm.write_text("#!/bin/sh\necho v3.19.0\n")
    helm.chmod(0o755)
    told = refused(llmfleet_helm_binary=str(helm))
    assert f"program {helm}: got 3.19.0; accepted: Helm 4" in told


def test_a_library_that_is_too_old(refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "boto3-1.2.3.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: boto3\nVersion: 1.2.3\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = refused()
    assert "Python package boto3: got 1.2.3; accepted:" in told and "requirements.txt" in told


@pytest.fixture
def taken(paths: Paths) -> Iterator[None]:
    """Names of ours, taken by somebody else: in the cluster and in AWS. Needs that nothing of ours is there."""
    client, iam = lab_client(paths), session(aws_settings(paths), REGION).client("iam")
    runtime = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "nvidia"},
        "handler": "runc",
    }
    client.request("POST", "/apis/node.k8s.io/v1/runtimeclasses", body=runtime)
    iam.create_role(RoleName="lab-efs-csi-node", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    yield
    iam.delete_role(RoleName="lab-efs-csi-node")
    client.delete("/apis/node.k8s.io/v1/runtimeclasses/nvidia")


def test_names_that_somebody_else_has_taken(taken: None, playbook: Playbook, writes: Writes) -> None:
    done = playbook("site", "--tags", "preflight")
    told = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "RuntimeClass nvidia exists already and was not made by llmfleet" in told
    assert "iam_role lab-efs-csi-node exists already in AWS and was not made by llmfleet" in told
    assert "Nothing was changed" in told
    assert writes.kubernetes() == [] and writes.aws() == []
