# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod identity webhook: over HTTPS as the API server asks it, and the patch that it answers."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from typing import Any

import pytest
from llmfleet_lab.aws.webhook import MOUNT_PATH, TOKEN_FILE, VOLUME, patch_of, webhook_manifest

ENVIRONMENT = {"AWS_REGION": "eu-west-3", "AWS_ENDPOINT_URL": "http://10.245.0.1:4566"}


def apply_patch(pod: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """JSON Patch, the operation `add` on members of objects and lists."""
    result: dict[str, Any] = json.loads(json.dumps(pod))
    for step in patch:
        assert step["op"] == "add"
        *path, last = step["path"].strip("/").split("/")
        target: Any = result
        for part in path:
            target = target[int(part)] if isinstance(target, list) else target[part]
        target[last] = step["value"]
    return result


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def variables(container: dict[str, Any]) -> dict[str, str]:
    return {item["name"]: item.get("value") for item in container["env"]}


def test_every_container_is_told() -> None:
    before = pod(initContainers=[{"name": "first", "env": [{"name": "X", "value": "1"}]}])
    spec = apply_patch(before, patch_of(before, ENVIRONMENT))["spec"]
    assert variables(spec["initContainers"][0]) == {"X": "1", **ENVIRONMENT}
    assert variables(spec["containers"][0]) == ENVIRONMENT
    for container in (*spec["initContainers"], *spec["containers"]):
        assert container["volumeMounts"] == [{"name": VOLUME, "mountPath": MOUNT_PATH, "readOnly": True}]
    (volume,) = spec["volumes"]
    (source,) = volume["projected"]["sources"]
    assert source["serviceAccountToken"]["audience"] == "pods.eks.amazonaws.com"
    assert f"{MOUNT_PATH}/{source['serviceAccountToken']['path']}" == TOKEN_FILE


def test_what_the_pod_says_itself_stays() -> None:
    before = pod(volumes=[{"name": "data", "emptyDir": {}}])
    before["spec"]["containers"][0] |= {
        "env": [{"name": "AWS_REGION", "value": "us-east-1"}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    spec = apply_patch(before, patch_of(before, ENVIRONMENT))["spec"]
    assert variables(spec["containers"][0]) == {**ENVIRONMENT, "AWS_REGION": "us-east-1"}
    assert [item["name"] for item in spec["containers"][0]["volumeMounts"]] == ["data", VOLUME]
    assert [item["name"] for item in spec["volumes"]] == ["data", VOLUME]


def test_asked_again_it_changes_nothing() -> None:
    once = apply_patch(pod(), patch_of(pod(), ENVIRONMENT))
    assert patch_of(once, ENVIRONMENT) == []


@pytest.fixture
def review(emulation: Any, authority: Any) -> Any:
    """review(pod, namespace) -> the response of the webhook, over TLS that is verified."""
    context = ssl.create_default_context(cafile=str(authority.certificate_file))

    def ask(item: dict[str, Any], namespace: str, path: str = "/mutate") -> dict[str, Any]:
        request = {"uid": "u-1", "namespace": namespace, "operation": "CREATE", "object": item}
        document = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
        url = f"https://127.0.0.1:{emulation.webhook.port}{path}"
        with urllib.request.urlopen(url, json.dumps(document).encode(), timeout=5, context=context) as answer:
            return dict(json.load(answer)["response"])

    return ask


def test_associated_pods_are_changed(aws: Any, make_role: Any, review: Any, emulation: Any, name: str) -> None:
    role = make_role(name, "pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])
    asked = {"clusterName": "lab", "namespace": "llm", "serviceAccount": name, "roleArn": role}
    aws("eks").create_pod_identity_association(**asked)
    response = review(pod(serviceAccountName=name), "llm")
    assert (response["uid"], response["allowed"], response["patchType"]) == ("u-1", True, "JSONPatch")
    patch = json.loads(base64.b64decode(response["patch"]))
    given = variables(apply_patch(pod(), patch)["spec"]["containers"][0])
    assert given == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": TOKEN_FILE,
        "AWS_REGION": "eu-west-3",
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        "AWS_ENDPOINT_URL": emulation.endpoint,
    }


def test_other_pods_are_left_alone(review: Any, name: str) -> None:
    assert review(pod(serviceAccountName=name), "llm") == {"uid": "u-1", "allowed": True}
    assert review(pod(), "default") == {"uid": "u-1", "allowed": True}


def test_a_silent_client_does_not_hold_up_others(emulation: Any, review: Any, name: str) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", emulation.webhook.port)):
        assert review(pod(serviceAccountName=name), "llm")["allowed"] is True


def test_what_is_no_review_is_refused(review: Any) -> None:
    wrong: list[tuple[Any, ...]] = [({"metadata": {}}, "llm"), (pod(), "llm", "/else")]
    for arguments in wrong:
        with pytest.raises(urllib.error.HTTPError) as caught:
            review(*arguments)
        assert caught.value.code == 400


def test_manifest() -> None:
    manifest = webhook_manifest(b"a CA")
    (webhook,) = manifest["webhooks"]
    assert webhook["failurePolicy"] == "Fail" and webhook["sideEffects"] == "None"
    assert webhook["clientConfig"]["url"] == "https://10.245.0.1:4567/mutate"
    assert base64.b64decode(webhook["clientConfig"]["caBundle"]) == b"a CA"
    (expression,) = webhook["namespaceSelector"]["matchExpressions"]
    assert (expression["operator"], expression["values"]) == ("NotIn", ["kube-system"])
