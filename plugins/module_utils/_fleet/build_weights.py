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

SCRIPT = "fetch_weights.py"
SCRIPT_KEY = "weights/fetcher.py"
FOLDER = "/opt/llmfleet"
MOUNT = "/weights"
# Exit statuses of the fetcher: its configuration is wrong; there is no such repository, revision or file.
HOPELESS = (2, 4)


def model_labels(model: Model, component: str) -> dict[str, str]:
    """Labels of the objects of a model; component: inference or weights."""
    return {
        "app.kubernetes.io/name": model.name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "llmfleet",
    }


def add_weights(build: Builder) -> None:
    """Add the fetcher's account and script, and every model's Job."""
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
    # Whoever read the file may have cut its last line end: the name below must not depend on that.
    script = (build.known.get(SCRIPT_KEY) or f"pending:{SCRIPT_KEY}").rstrip("\n") + "\n"
    config = f"weights-fetcher-{_digest(script)}"
    build.add(
        "models",
        "weights",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            # Named by its content: a running Job keeps the script that it was made with.
            "metadata": {"name": config, "namespace": names.models_namespace},
            "immutable": True,
            "data": {SCRIPT: script},
        },
    )
    for model in build.fleet.models:
        build.add("models", "weights", _job(build, model, config), model_labels(model, "weights"))


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
    script = {"name": "script", "mountPath": FOLDER, "readOnly": True}
    temporary = {"name": "tmp", "mountPath": "/tmp"}

    def container(verb: str, env: list[dict[str, Any]], mounts: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "name": verb,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", f"{FOLDER}/{SCRIPT}", verb],
            "env": env,
            "securityContext": container_context(),
            "volumeMounts": mounts,
        }

    # The fetcher holds parts of files in memory only: its most is a gibibyte.
    fetch = container("fetch", fetch_env, [script, temporary]) | {
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}
    }
    volume = {"name": "weights", "mountPath": MOUNT, "readOnly": True}
    check = container("check", env, [script, temporary, volume]) | {
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
            {"name": "script", "configMap": {"name": config}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            {
                "name": "weights",
                "persistentVolumeClaim": {"claimName": build.fleet.names.claim, "readOnly": True},
            },
        ],
    }
