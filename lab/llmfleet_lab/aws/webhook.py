# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod identity webhook: pods of an associated service account are told where their credentials are."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from llmfleet_lab.aws.associations import Associations
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.response import Response
from llmfleet_lab.aws.token_review import AUDIENCE

PATH = "/mutate"
NAME = "pod-identity-webhook.llmfleet-lab"
VOLUME = "eks-pod-identity-token"
MOUNT_PATH = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount"
TOKEN_FILE = f"{MOUNT_PATH}/{VOLUME}"
CREDENTIALS_URI = "http://169.254.170.23/v1/credentials"
TOKEN_SECONDS = 86400


def webhook_manifest(ca_bundle: bytes, url: str = "https://10.245.0.1:4567") -> dict[str, Any]:
    """The MutatingWebhookConfiguration for the API server. ca_bundle: PEM of the CA behind the webhook's certificate.

    Pods are refused while the webhook is away, as they would start without credentials otherwise; those of kube-system,
    which the cluster itself needs, are left alone.
    """
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [
            {
                "name": f"{NAME}.local",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "matchPolicy": "Equivalent",
                "reinvocationPolicy": "IfNeeded",
                "timeoutSeconds": 5,
                "clientConfig": {"url": f"{url}{PATH}", "caBundle": base64.b64encode(ca_bundle).decode()},
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}
                    ]
                },
                "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            }
        ],
    }


class Webhook:
    """The WSGI application that the API server asks. endpoint: URL of the emulated AWS, as pods reach it."""

    def __init__(self, cluster: str, region: str, endpoint: str, associations: Associations) -> None:
        self._cluster = cluster
        self._associations = associations
        self._environment = {
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
            "AWS_DEFAULT_REGION": region,
            "AWS_REGION": region,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": CREDENTIALS_URI,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": TOKEN_FILE,
            # Not of EKS: the lab's stand-in for the DNS names of AWS, which lead nowhere in it.
            "AWS_ENDPOINT_URL": endpoint,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        try:
            if request.method != "POST" or request.path != PATH:
                raise ValueError(f"{request.method} {request.path}: only POST {PATH} is served")
            status, answer = 200, self._review(json.loads(request.body))
        except (ValueError, KeyError, TypeError) as error:
            status, answer = 400, {"error": f"not an AdmissionReview of a pod: {error!r}"}
        response = Response.of(status, [("Content-Type", "application/json")], json.dumps(answer).encode())
        start_response(response.status_line, response.headers)
        return response.body

    def _review(self, review: dict[str, Any]) -> dict[str, Any]:
        asked = review["request"]
        answer: dict[str, Any] = {"uid": asked["uid"], "allowed": True}
        pod = asked["object"]
        namespace = asked.get("namespace") or pod["metadata"].get("namespace", "default")
        account = pod["spec"].get("serviceAccountName") or "default"
        if self._associations.find(self._cluster, namespace, account) is not None:
            patch = json.dumps(patch_of(pod, self._environment)).encode()
            answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}


def patch_of(pod: dict[str, Any], environment: dict[str, str]) -> list[dict[str, Any]]:
    """The JSON patch that gives a pod's containers, init containers too, the environment and the token.

    A container keeps variables that it sets itself; a pod that has the volume already keeps that.
    """
    spec = pod["spec"]
    patch: list[dict[str, Any]] = []
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(kind) or []):
            path = f"/spec/{kind}/{index}"
            present = container.get("env") or []
            named = {item["name"] for item in present}
            wanted = [{"name": name, "value": value} for name, value in environment.items() if name not in named]
            if wanted:
                patch.append({"op": "add", "path": f"{path}/env", "value": [*present, *wanted]})
            mounts = container.get("volumeMounts") or []
            if not any(item["name"] == VOLUME for item in mounts):
                mount = {"name": VOLUME, "mountPath": MOUNT_PATH, "readOnly": True}
                patch.append({"op": "add", "path": f"{path}/volumeMounts", "value": [*mounts, mount]})
    volumes = spec.get("volumes") or []
    if not any(item["name"] == VOLUME for item in volumes):
        token = {"audience": AUDIENCE, "expirationSeconds": TOKEN_SECONDS, "path": VOLUME}
        volume = {"name": VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}
        patch.append({"op": "add", "path": "/spec/volumes", "value": [*volumes, volume]})
    return patch
