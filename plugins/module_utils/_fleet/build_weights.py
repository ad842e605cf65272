# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings weights into the bucket and proves them complete: one Job a model."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import FETCHER_ACCOUNT
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pod_security import container_context, pod_context
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

# The fetcher is a Python package, run as a module of the folder that it is mounted in.
PACKAGE = "fetcher"
PACKAGE_KEY = f"weights/{PACKAGE}/"
MAIN = "__main__.py"
FOLDER = "/opt/llmfleet"
MOUNT = "/weights"
# On every object of a model, and on no other.
MODEL_LABEL = "app.kubernetes.io/name"
# Exit statuses of the fetcher: its configuration is wrong; there is no such repository, revision or file.
HOPELESS = (2, 4)


def model_labels(model: Model, component: str) -> dict[str, str]:
    """Labels of the objects of a model; component: inference or weights."""
    return {
        MODEL_LABEL: model.name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "llmfleet",
    }


def add_weights(build: Builder) -> None:
    """Add the fetcher's account and package, and every model's Job."""
    names = build.fleet.names
    build.add(
        "models",
        "weights",
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": FETCHER_ACCOUNT, "namespace": names.models_namespace},
            # EKS Pod Identity injects a token of its own; the API server is nothing to the fetcher.
            "automountServiceAccountToken": False,
        },
    )
    package = _package(build)
    config = f"weights-fetcher-{_digest(package)}"
    build.add(
        "models",
        "weights",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            # Named by its content: a running Job keeps the package that it was made with.
            "metadata": {"name": config, "namespace": names.models_namespace},
            "immutable": True,
            "data": package,
        },
    )
    for model in build.fleet.models:
        build.add("models", "weights", _job(build, model, config), model_labels(model, "weights"))


def _package(build: Builder) -> dict[str, str]:
    """The text of every file of the package by its name."""
    found = {key.removeprefix(PACKAGE_KEY): text for key, text in build.known.items() if key.startswith(PACKAGE_KEY)}
    # Whoever read a file may have cut its last line end: the name of the ConfigMap must not depend on that.
    return {name: text.rstrip("\n") + "\n" for name, text in (found or {MAIN: f"pending:{PACKAGE_KEY}{MAIN}"}).items()}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:10]


def _job(build: Builder, model: Model, config: str) -> Manifest:
    """The Job, named by everything in it: its template is immutable, so that a change is another Job."""
    labels = model_labels(model, "weights")
    owned = ownership_labels(build.fleet.names.cluster, "models")
    spec = {
        # Both verbs go on where they stopped; what is tried again has outlasted the fetcher's own patience.
        "backoffLimit": 4,
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                # Trying again does not help. (A refusal may: permissions take a while to be known everywhere.)
                {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(HOPELESS)}},
            ]
        },
        "template": {"metadata": {"labels": labels | owned}, "spec": _pod(build, model, config)},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        # At most 40 + 9 + 10 characters: a Job's name is a label of its pods.
        "metadata": {
            "name": f"{model.name}-weights-{_digest(spec)}",
            "namespace": build.fleet.names.models_namespace,
        },
        "spec": spec,
    }


def fetcher_settings(build: Builder, model: Model) -> dict[str, Any]:
    """What the fetcher is told, as JSON in LLMFLEET_WEIGHTS."""
    settings: dict[str, Any] = {
        "model": model.name,
        "repository": model.get("weights.repository"),
        "revision": model.revision,
        "source": model.get("weights.source"),
        "bucket": build.fleet.names.bucket,
        "prefix": model.prefix,
        "ledger": f"{model.prefix}/.llmfleet/ledger.json",
        "mount": f"{MOUNT}/{model.name}/{model.revision}",
        "hub_endpoint": build.fleet.platform["weights_hub_endpoint"],
    }
    if model.get("weights.files"):
        settings["files"] = model.get("weights.files")
    if model.get("weights.token_secret"):
        settings["token_secret"] = model.get("weights.token_secret")
    return settings


def _pod(build: Builder, model: Model, config: str) -> dict[str, Any]:
    image = build.fleet.platform["weights_image"] or versions().images["weights"]
    settings = {
        "name": "LLMFLEET_WEIGHTS",
        "value": json.dumps(fetcher_settings(build, model), sort_keys=True, separators=(",", ":")),
    }
    # boto3 of the image is where Lambda's runtime is.
    env: list[dict[str, Any]] = [settings, {"name": "PYTHONPATH", "value": "/var/runtime"}]
    fetch_env = [*env, {"name": "AWS_REGION", "value": build.fleet.names.region}]
    secret = model.get("weights.token_secret")
    if secret:
        fetch_env.append({"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": secret, "key": "token"}}})
    package = {"name": "package", "mountPath": f"{FOLDER}/{PACKAGE}", "readOnly": True}
    temporary = {"name": "tmp", "mountPath": "/tmp"}

    def container(verb: str, env: list[dict[str, Any]], mounts: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "name": verb,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-m", PACKAGE, verb],
            "workingDir": FOLDER,
            "env": env,
            "securityContext": container_context(),
            "volumeMounts": mounts,
        }

    # The fetcher holds parts of files in memory only: its most is a gibibyte.
    fetch = container("fetch", fetch_env, [package, temporary]) | {
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    }
    volume = {"name": "weights", "mountPath": MOUNT, "readOnly": True}
    check = container("check", env, [package, temporary, volume]) | {
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    }
    return {
        # A pod that failed stays, with its log.
        "restartPolicy": "Never",
        "serviceAccountName": FETCHER_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_context(),
        "initContainers": [fetch],
        "containers": [check],
        "volumes": [
            {"name": "package", "configMap": {"name": config}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            {
                "name": "weights",
                "persistentVolumeClaim": {"claimName": build.fleet.names.claim, "readOnly": True},
            },
        ],
    }
