# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for, and asking, real pods: success, and each failure at once with its reason."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.portforward import (
    NoAnswer,
    Question,
    Target,
    ask,
    secret_value,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.wait import Ref, WaitError, wait_for

IMAGE = "public.ecr.aws/lambda/python:3.13"
Make = Callable[..., dict[str, Any]]

# Answers 200 with the request it got, 503 to the first three requests for /slow, and what the path says to /status/…
SERVER = """
import http.server, json, sys
seen = []
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode()
        seen.append(self.path)
        code = 503 if self.path == "/slow" and seen.count("/slow") < 4 else 200
        if self.path.startswith("/status/"): code = int(self.path.split("/")[2])
        text = json.dumps({"path": self.path, "body": body, "auth": self.headers.get("Authorization")}).encode()
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text)
    do_POST = do_GET
http.server.ThreadingHTTPServer(("", 8080), H).serve_forever()
"""


@pytest.fixture
def pod(cluster: str) -> Make:
    """Makes a workload around one container that runs Python code."""

    def make(kind: str, name: str, code: str, **changes: Any) -> dict[str, Any]:
        container = {
            "name": "main",
            "image": IMAGE,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-u", "-c", code],
            "ports": [{"name": "http", "containerPort": 8080}],
            **changes,
        }
        template: dict[str, Any] = {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }
        spec: dict[str, Any] = {"template": template}
        if kind == "Job":
            template["spec"]["restartPolicy"] = "Never"
            spec["backoffLimit"] = 0
        else:
            spec["selector"] = {"matchLabels": {"app": name}}
        group = "batch/v1" if kind == "Job" else "apps/v1"
        return {"apiVersion": group, "kind": kind, "metadata": {"name": name, "namespace": cluster}, "spec": spec}

    return make


def run(client: Client, cluster: str, objects: list[dict[str, Any]], timeout: float = 90) -> float:
    apply(client, objects, cluster, "models")
    return wait_for(client, [Ref.of(o) for o in objects], timeout)


def test_everything_ready(client: Client, cluster: str, namespace: dict[str, Any], pod: Make) -> None:
    probe = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    objects = [
        namespace,
        pod("Deployment", "served", SERVER, readinessProbe=probe),
        pod("DaemonSet", "everywhere", SERVER, readinessProbe=probe, ports=[]),
        pod("Job", "done", "print('ok')"),
    ]
    run(client, cluster, objects)
    assert wait_for(client, [Ref.of(o) for o in objects], 5) < 2


def test_a_failed_job_ends_the_wait_with_its_last_words(
    client: Client, cluster: str, namespace: dict[str, Any], pod: Make
) -> None:
    code = "import sys; print('token=abcdef123456 disk full at block 7'); sys.exit(3)"
    never = pod("Deployment", "never", "import time; time.sleep(999)", readinessProbe={"tcpSocket": {"port": 1}})
    began = time.monotonic()
    with pytest.raises(WaitError) as caught:
        run(client, cluster, [namespace, pod("Job", "fails", code), never], timeout=120)
    assert time.monotonic() - began < 60
    # FailureTarget says that it will fail while its last pods still end
    assert re.search(rf"Job {cluster}/fails: (Failed|FailureTarget)=True BackoffLimitExceeded", str(caught.value))
    assert "disk full at block 7" in str(caught.value)
    assert "abcdef123456" not in str(caught.value)
    assert f"not ready at that time either: Deployment {cluster}/never" in str(caught.value)
    assert [o["name"] for o in caught.value.objects] == ["fails"]


def test_a_failed_job_is_run_again_by_the_next_apply(
    client: Client, cluster: str, namespace: dict[str, Any], pod: Make
) -> None:
    job = pod("Job", "fails", "raise SystemExit(1)")
    for _ in range(2):
        with pytest.raises(WaitError, match="BackoffLimitExceeded"):
            run(client, cluster, [namespace, job])
    writes = client.writes
    foreseen = apply(client, [namespace, job], cluster, "models", check=True)
    assert foreseen.counts()["replaced"] == 1 and client.writes == writes
    assert foreseen.summary()[1]["note"] == "it had failed"
    assert apply(client, [namespace, job], cluster, "models").counts()["replaced"] == 1


@pytest.mark.full
def test_a_deadline_that_had_passed_before_does_not_end_a_new_wait(
    client: Client, cluster: str, namespace: dict[str, Any], pod: Make
) -> None:
    code = "import os, time\nwhile not os.path.exists('/x/go'): time.sleep(1)\n" + SERVER
    slow = pod("Deployment", "slow", code, readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1})
    slow["spec"]["progressDeadlineSeconds"] = 3
    spec = slow["spec"]["template"]["spec"]
    spec["containers"][0]["volumeMounts"] = [{"name": "x", "mountPath": "/x"}]
    spec["volumes"] = [{"name": "x", "configMap": {"name": "x", "optional": True}}]
    with pytest.raises(WaitError, match="ProgressDeadlineExceeded"):
        run(client, cluster, [namespace, slow])
    go = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": cluster}, "data": {"go": ""}}
    run(client, cluster, [slow, go], timeout=150)


def test_an_image_that_cannot_be_had_fails_at_once(
    client: Client, cluster: str, namespace: dict[str, Any], pod: Make
) -> None:
    wrong = pod("Deployment", "wrong", "", image="lab.local/none:1", imagePullPolicy="Never")
    began = time.monotonic()
    with pytest.raises(WaitError, match="container main: ErrImageNeverPull"):
        run(client, cluster, [namespace, wrong], timeout=120)
    assert time.monotonic() - began < 30


@pytest.mark.full
def test_a_crashing_container_fails_with_its_last_words(
    client: Client, cluster: str, namespace: dict[str, Any], pod: Make
) -> None:
    probe = {"tcpSocket": {"port": 8080}}  # without one, Kubernetes calls a container ready for as long as it runs
    crashing = pod("Deployment", "crashing", "raise SystemExit('no weights in /models')", readinessProbe=probe)
    with pytest.raises(WaitError) as caught:
        run(client, cluster, [namespace, crashing], timeout=180)
    assert re.search("CrashLoopBackOff, last exit 1 Error, after [345] restarts", str(caught.value))
    assert "no weights in /models" in str(caught.value)


def test_a_missing_claim_is_told_at_the_end_of_the_time(
    client: Client, cluster: str, namespace: dict[str, Any], pod: Make
) -> None:
    waiting = pod("Deployment", "waiting", SERVER)
    waiting["spec"]["template"]["spec"]["volumes"] = [{"name": "w", "persistentVolumeClaim": {"claimName": "none"}}]
    with pytest.raises(WaitError) as caught:
        run(client, cluster, [namespace, waiting], timeout=8)
    assert "not ready after 8 s:" in str(caught.value)
    assert 'persistentvolumeclaim "none" not found' in str(caught.value)


def test_a_broken_rollout_is_judged_by_its_new_pods_only(
    client: Client, cluster: str, namespace: dict[str, Any], pod: Make
) -> None:
    broken = pod("Deployment", "fixed", "", image="lab.local/none:1", imagePullPolicy="Never")
    with pytest.raises(WaitError):
        run(client, cluster, [namespace, broken])
    run(client, cluster, [pod("Deployment", "fixed", SERVER)])


def test_ask(client: Client, cluster: str, namespace: dict[str, Any], pod: Make) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "served", "namespace": cluster},
        "spec": {"selector": {"app": "served"}, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]},
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys", "namespace": cluster},
        "data": {"client": base64.b64encode(b"sk-very-hidden\n").decode()},
    }
    server = pod("Deployment", "served", SERVER, readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1})
    with pytest.raises(NoAnswer, match="does not exist"):
        ask(client, Target(cluster, 80, service="served"), Question())
    run(client, cluster, [namespace, server, service, secret])
    target = Target(cluster, 80, service="served")
    writes = client.writes

    key = secret_value(client, cluster, "keys", "client")
    answer = ask(client, target, Question("/v1/x?y=1", "POST", {"model": "m"}, bearer=key))
    assert (answer.status, answer.json["path"]) == (200, "/v1/x?y=1")
    assert answer.json["body"] == '{"model": "m"}'
    assert answer.json["auth"] == "Bearer <hidden>"  # it was sent, and the echo of it is not told
    assert "sk-very-hidden" not in repr(answer)

    assert ask(client, Target(cluster, "http", selector="app=served"), Question("/status/418")).status == 418
    slow = ask(client, target, Question("/slow"), until=[200], timeout=30)
    assert (slow.status, slow.attempts) == (200, 4)
    with pytest.raises(ClusterError, match=r"wanted HTTP 200 within 2 s; after \d+ requests: HTTP 404"):
        ask(client, target, Question("/status/404"), until=[200], timeout=2)
    with pytest.raises(NoAnswer, match="connection refused"):
        ask(client, Target(cluster, 9, selector="app=served"), Question())
    with pytest.raises(ClusterError, match="no such port; the Service has web:80"):
        ask(client, Target(cluster, 81, service="served"), Question())
    with pytest.raises(ClusterError, match="has no key 'other'; it has client"):
        secret_value(client, cluster, "keys", "other")
    assert client.writes == writes


def test_a_large_answer_comes_whole(client: Client, cluster: str, namespace: dict[str, Any], pod: Make) -> None:
    code = SERVER.replace("text = json.dumps(", "text = json.dumps('x' * 3000000) .encode() if 1 else json.dumps(")
    server = pod("Deployment", "large", code, readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1})
    run(client, cluster, [namespace, server])
    answer = ask(client, Target(cluster, 8080, selector="app=large"), Question())
    assert len(answer.json) == 3000000
