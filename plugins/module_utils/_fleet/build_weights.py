# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings weights into the bucket and proves them complete: one Job a model, and one an adapter."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import compile_cache
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
# What an adapter is, without the states of its training that many repositories keep in folders beside it.
ADAPTER_FILES = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "added_tokens.json",
    "chat_template*",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer*",
    "vocab.json",
)
# The engine may write here only. An engine without it compiles at every start, which is no reason to fail.
MAKE_CACHE = 'mkdir -p "$1" || echo "$1 cannot be made: engines compile at every start" >&2'


@dataclass(frozen=True)
class Fetch:
    """One revision to fetch. name: of the model or adapter. folder: below the volume and the bucket's models/."""

    name: str
    repository: str
    revision: str
    folder: str
    files: list[str] | None
    token_secret: str | None
    cache: str | None = None


def fetches(model: Model) -> list[Fetch]:
    """What a model needs: its weights first, then each adapter."""
    weights = Fetch(
        name=model.name,
        repository=model.get("weights.repository"),
        revision=model.revision,
        folder=f"{model.name}/{model.revision}",
        files=model.get("weights.files"),
        token_secret=model.get("weights.token_secret"),
        cache=compile_cache.volume_folder(model),
    )
    adapters = [
        Fetch(
            name=adapter.name,
            repository=adapter.repository,
            revision=adapter.revision,
            folder=f"{model.name}/{adapter.folder}",
            files=list(ADAPTER_FILES),
            token_secret=adapter.token_secret,
        )
        for adapter in model.adapters
    ]
    return [weights, *adapters]


def model_labels(model: Model, component: str) -> dict[str, str]:
    """Labels of the objects of a model; component: inference or weights."""
    return {
        MODEL_LABEL: model.name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "llmfleet",
    }


def add_weights(build: Builder) -> None:
    """Add the fetcher's account and package, and every model's Jobs."""
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
        for fetch in fetches(model):
            build.add("models", "weights", _job(build, model, fetch, config), model_labels(model, "weights"))


def _package(build: Builder) -> dict[str, str]:
    """The text of every file of the package by its name."""
    found = {key.removeprefix(PACKAGE_KEY): text for key, text in build.known.items() if key.startswith(PACKAGE_KEY)}
    # Whoever read a file may have cut its last line end: the name of the ConfigMap must not depend on that.
    return {name: text.rstrip("\n") + "\n" for name, text in (found or {MAIN: f"pending:{PACKAGE_KEY}{MAIN}"}).items()}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:10]


def _job(build: Builder, model: Model, fetch: Fetch, config: str) -> Manifest:
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
        "template": {"metadata": {"labels": labels | owned}, "spec": _pod(build, model, fetch, config)},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": _job_name(fetch, _digest(spec)),
            "namespace": build.fleet.names.models_namespace,
        },
        "spec": spec,
    }


def _job_name(fetch: Fetch, digest: str) -> str:
    """At most 63 characters, as a Job's name is a label of its pods; the digest tells long names apart."""
    kind = "weights" if fetch.cache else "adapter"
    room = 63 - len(kind) - len(digest) - 2
    return f"{fetch.name[:room].rstrip('-')}-{kind}-{digest}"


def fetcher_settings(build: Builder, model: Model, fetch: Fetch) -> dict[str, Any]:
    """What the fetcher is told, as JSON in LLMFLEET_WEIGHTS. An adapter's source is the model's."""
    prefix = f"models/{fetch.folder}"
    settings: dict[str, Any] = {
        "model": fetch.name,
        "repository": fetch.repository,
        "revision": fetch.revision,
        "source": model.get("weights.source"),
        "bucket": build.fleet.names.bucket,
        "prefix": prefix,
        "ledger": f"{prefix}/.llmfleet/ledger.json",
        "mount": f"{MOUNT}/{fetch.folder}",
        "hub_endpoint": build.fleet.platform["weights_hub_endpoint"],
    }
    if fetch.files:
        settings["files"] = fetch.files
    if fetch.token_secret:
        settings["token_secret"] = fetch.token_secret
    if fetch.cache:
        settings["cache"] = f"models/{fetch.cache}"
    return settings


def _pod(build: Builder, model: Model, fetch: Fetch, config: str) -> dict[str, Any]:
    settings = {
        "name": "LLMFLEET_WEIGHTS",
        "value": json.dumps(fetcher_settings(build, model, fetch), sort_keys=True, separators=(",", ":")),
    }
    # boto3 of the image is where Lambda's runtime is.
    env: list[dict[str, Any]] = [settings, {"name": "PYTHONPATH", "value": "/var/runtime"}]
    fetch_env = [*env, {"name": "AWS_REGION", "value": build.fleet.names.region}]
    if fetch.token_secret:
        token = {"secretKeyRef": {"name": fetch.token_secret, "key": "token"}}
        fetch_env.append({"name": "HF_TOKEN", "valueFrom": token})
    package = {"name": "package", "mountPath": f"{FOLDER}/{PACKAGE}", "readOnly": True}
    temporary = {"name": "tmp", "mountPath": "/tmp"}
    volume = {"name": "weights", "mountPath": MOUNT}

    def verb(name: str, env: list[dict[str, Any]], *mounts: dict[str, Any]) -> dict[str, Any]:
        command = {"command": ["python3", "-m", PACKAGE, name], "workingDir": FOLDER, "env": env}
        return _container(build, name, [package, temporary, *mounts]) | command

    # The fetcher holds parts of files in memory only: its most is a gibibyte.
    before = [verb("fetch", fetch_env) | _resources("500m", "1Gi", "2Gi")]
    if fetch.cache:
        command = {"command": ["sh", "-c", MAKE_CACHE, "sh", f"{MOUNT}/{fetch.cache}"]}
        # First: it belongs to the engine's user only as long as nothing has brought it through the bucket.
        before.insert(0, _container(build, "cache", [volume]) | command | _resources("10m", "16Mi", "64Mi"))
    return {
        # A pod that failed stays, with its log.
        "restartPolicy": "Never",
        "serviceAccountName": FETCHER_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_context(),
        "initContainers": before,
        "containers": [verb("check", env, volume | {"readOnly": True}) | _resources("100m", "128Mi", "512Mi")],
        "volumes": [
            {"name": "package", "configMap": {"name": config}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            # Each mount says whether it may be written.
            {"name": "weights", "persistentVolumeClaim": {"claimName": build.fleet.names.claim}},
        ],
    }


def _container(build: Builder, name: str, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "image": build.fleet.platform["weights_image"] or versions().images["weights"],
        "imagePullPolicy": "IfNotPresent",
        "securityContext": container_context(),
        "volumeMounts": mounts,
    }


def _resources(cpu: str, memory: str, limit: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}}
