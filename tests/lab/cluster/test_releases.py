# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Helm releases left half done, by the real helm killed at work; and releases and objects of somebody else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.foreign import foreign_objects, foreign_releases
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import (
    helm_releases,
    mark_release,
    own_release,
    refuse_foreign_release,
    revisions,
)
from ansible_collections.llmfleet.eks.plugins.plugin_utils.helm import Helm, recover
from llmfleet_lab.paths import default_paths

NAME = "half"
CHART = {"apiVersion": "v2", "name": NAME, "version": "1.0.0"}
# With ready=false the Deployment waits for an image that nobody has, and helm for the Deployment.
TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {text: "{{ .Values.text }}"}
---
{{- if not .Values.ready }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: never}
spec:
  selector: {matchLabels: {app: never}}
  template:
    metadata: {labels: {app: never}}
    spec:
      containers: [{name: never, image: "example.invalid/nothing:1", imagePullPolicy: Never}]
{{- end }}
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A chart with a value that makes its installation wait for ever."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text(json.dumps(CHART))
    (tmp_path / "values.yaml").write_text("text: first\nready: true\n")
    (tmp_path / "templates" / "all.yaml").write_text(TEMPLATE)
    return tmp_path


@pytest.fixture
def helm(kubeconfig: str) -> Helm:
    """The real helm, speaking to the cluster of the tests."""
    beside = default_paths().state / "bin/helm"
    return Helm(str(beside) if beside.exists() else str(shutil.which("helm")), {"kubeconfig": kubeconfig})


@pytest.fixture
def home(client: Client, cluster: str, namespace: dict[str, Any]) -> str:
    """The test's namespace, made."""
    apply(client, [namespace], cluster, "gateway")
    return cluster


def install(helm: Helm, chart: Path, namespace: str, *values: str) -> None:
    settings = [part for value in values for part in ("--set", value)]
    helm.run("upgrade", "--install", NAME, str(chart), "--namespace", namespace, *settings, timeout=60)


def killed(helm: Helm, chart: Path, client: Client, namespace: str, state: str) -> None:
    """Begin an installation that never ends, and kill helm with SIGKILL once its record is there."""
    command = [helm.binary, "upgrade", "--install", NAME, str(chart), "--namespace", namespace, "--wait"]
    running = subprocess.Popen(
        [*command, "--set", "ready=false", "--set", "text=second"],
        env={**os.environ, "KUBECONFIG": helm.access["kubeconfig"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    while not any(revision.status == state for revision in revisions(client, namespace, NAME)):
        assert time.monotonic() < until and running.poll() is None
        time.sleep(0.1)
    time.sleep(1.0)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert revisions(client, namespace, NAME)[-1].status == state


def text(client: Client, namespace: str) -> str | None:
    found = client.find(client.discovery.resource("v1", "ConfigMap").path(namespace, "settings"))
    return found["data"]["text"] if found else None


def test_a_first_installation_left_pending_is_uninstalled(
    connect: Callable[[], Client], client: Client, helm: Helm, chart: Path, home: str
) -> None:
    mark_release(client, home, "gateway", home, NAME)
    killed(helm, chart, client, home, "pending-install")
    assert [release["status"] for release in helm_releases(client, home)] == ["pending-install"]  # ours, by its mark
    checking = connect()
    told = recover(checking, helm, home, NAME, grace=0, timeout=60, check=True)
    assert "left pending-install: uninstalled" in told
    assert checking.writes == 0 and revisions(client, home, NAME)
    assert recover(client, helm, home, NAME, grace=0, timeout=60) == told
    assert revisions(client, home, NAME) == []
    assert text(client, home) is None
    install(helm, chart, home)
    assert recover(client, helm, home, NAME, grace=0, timeout=60) == ""


def test_an_upgrade_left_pending_is_rolled_back(client: Client, helm: Helm, chart: Path, home: str) -> None:
    install(helm, chart, home)
    own_release(client, home, "gateway", home, NAME)
    killed(helm, chart, client, home, "pending-upgrade")
    assert text(client, home) == "second"
    assert recover(client, helm, home, NAME, grace=0, timeout=60).endswith("rolled back to revision 1")
    assert text(client, home) == "first"
    assert revisions(client, home, NAME)[-1].status == "deployed"
    assert [release["name"] for release in helm_releases(client, home)] == [NAME]


def test_a_record_is_left_alone_as_long_as_its_helm_may_be_at_work(
    client: Client, helm: Helm, chart: Path, home: str
) -> None:
    killed(helm, chart, client, home, "pending-install")
    lines: list[str] = []
    began = time.time()
    changed = revisions(client, home, NAME)[-1].changed
    recover(client, helm, home, NAME, grace=6, timeout=60, progress=lines.append)
    assert time.time() - changed >= 6 and time.time() - began < 30
    assert lines == [f"Helm release {home}/{NAME} is pending-install: waiting up to 6 s for its helm"]


def test_a_release_of_somebody_else_is_refused(client: Client, helm: Helm, chart: Path, home: str) -> None:
    assert refuse_foreign_release(client, home, home, NAME) == ""
    install(helm, chart, home)
    wanted = [{"release": NAME, "namespace": home}]
    assert "was not made by llmfleet; left alone" in foreign_releases(client, home, wanted)[0]
    mark_release(client, home, "gateway", home, NAME)
    assert foreign_releases(client, home, wanted) == []
    own_release(client, home, "gateway", home, NAME)
    assert f"belongs to the cluster named '{home}'" in foreign_releases(client, "another", wanted)[0]


def test_helm_tells_its_error(helm: Helm, home: str) -> None:
    with pytest.raises(ClusterError, match="helm rollback half 3 .* ended with 1: .*not found"):
        helm.rollback(home, NAME, 3, 10)


def test_objects_of_somebody_else_are_named_before_anything_is_written(
    connect: Callable[[], Client], client: Client, home: str
) -> None:
    def config_map(name: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": home}}

    path = client.discovery.resource("v1", "ConfigMap").path(home)
    client.request("POST", path, body=config_map("theirs"))
    apply(client, [config_map("ours")], home, "gateway")
    looking = connect()
    unknown = {"apiVersion": "example.invalid/v1", "kind": "Thing", "metadata": {"name": "x"}}
    wanted = [config_map("ours"), config_map("theirs"), config_map("free"), unknown]
    found = foreign_objects(looking, home, wanted)
    assert len(found) == 1
    assert found[0].startswith(f"ConfigMap {home}/theirs exists already and was not made by llmfleet")
    assert f"belongs to the cluster named '{home}'" in foreign_objects(looking, "another", [config_map("ours")])[0]
    assert looking.writes == 0
