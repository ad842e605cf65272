# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods that run the fetcher: one that fetches a revision, one that verifies what is in the bucket."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fetches import Fetch
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import FETCHER_ACCOUNT
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pod_security import container_context, pod_context
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

# The fetcher is a Python package, run as a module of the folder that it is mounted in.
PACKAGE = "fetcher"
FOLDER = "/opt/llmfleet"
MOUNT = "/weights"
NO_PROXY = "169.254.170.23,[fd00:ec2::23],.amazonaws.com,.amazonaws.com.cn"
# Below it by the name of its claim, so that messages about a directory tell the volume.
SOURCES = "/sources"
# The engine may write here only. An engine without it compiles at every start, which is no reason to fail.
MAKE_CACHE = 'mkdir -p "$1" || echo "$1 cannot be made: engines compile at every start" >&2'


def fetcher_settings(build: Builder, model: Model, fetch: Fetch) -> dict[str, Any]:
    """What the fetcher is told, as JSON in LLMFLEET_WEIGHTS. An adapter's source is the model's."""
    prefix, source = f"models/{fetch.folder}", model.get("weights.source")
    if source.startswith("/"):
        source = f"{SOURCES}/{build.fleet.platform['weights_source_claim']}{source}".rstrip("/")
    settings: dict[str, Any] = {
        "model": fetch.name,
        "repository": fetch.repository,
        "revision": fetch.revision,
        "source": source,
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


def fetch_pod(build: Builder, model: Model, fetch: Fetch, config: str) -> dict[str, Any]:
    """The pod that fetches, and then waits until the mount shows every file. config: the ConfigMap of the package."""
    environment = _environment(build, model, fetch)
    fetch_environment = [*environment, {"name": "AWS_REGION", "value": build.fleet.names.region}]
    if proxy := build.fleet.platform["weights_proxy"]:
        # The bucket and the agent of EKS Pod Identity are asked as ever.
        names = {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": NO_PROXY}
        fetch_environment += [{"name": name, "value": value} for name, value in names.items()]
    if fetch.token_secret:
        token = {"secretKeyRef": {"name": fetch.token_secret, "key": "token"}}
        fetch_environment.append({"name": "HF_TOKEN", "valueFrom": token})
    volume = {"name": "weights", "mountPath": MOUNT}
    # The fetcher holds parts of files in memory only: its most is a gibibyte.
    mounts, volumes = _source(build, model)
    before = [_verb(build, "fetch", fetch_environment, *mounts) | _resources("500m", "1Gi", "2Gi")]
    if fetch.cache:
        command = {"command": ["sh", "-c", MAKE_CACHE, "sh", f"{MOUNT}/{fetch.cache}"]}
        # First: it belongs to the engine's user only as long as nothing has brought it through the bucket.
        before.insert(0, _container(build, "cache", [volume]) | command | _resources("10m", "16Mi", "64Mi"))
    check = _verb(build, "check", environment, volume | {"readOnly": True}) | _resources("100m", "128Mi", "512Mi")
    # Each mount says whether it may be written.
    claim = {"name": "weights", "persistentVolumeClaim": {"claimName": build.fleet.names.claim}}
    return _pod(config, claim, *volumes) | {"initContainers": before, "containers": [check]}


def _source(build: Builder, model: Model) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Mount and volume of a source that is a directory; nothing for others."""
    if not model.get("weights.source").startswith("/"):
        return [], []
    claim = build.fleet.platform["weights_source_claim"]
    mount = {"name": "source", "mountPath": f"{SOURCES}/{claim}", "readOnly": True}
    return [mount], [{"name": "source", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}]


def verify_pod(build: Builder, model: Model, fetch: Fetch, config: str) -> dict[str, Any]:
    """The pod that reads every file of a revision from the bucket again. config: the ConfigMap of the package."""
    environment = [*_environment(build, model, fetch), {"name": "AWS_REGION", "value": build.fleet.names.region}]
    return _pod(config) | {"containers": [_verb(build, "verify", environment) | _resources("500m", "256Mi", "1Gi")]}


def _environment(build: Builder, model: Model, fetch: Fetch) -> list[dict[str, Any]]:
    settings = json.dumps(fetcher_settings(build, model, fetch), sort_keys=True, separators=(",", ":"))
    # boto3 of the image is where Lambda's runtime is.
    return [{"name": "LLMFLEET_WEIGHTS", "value": settings}, {"name": "PYTHONPATH", "value": "/var/runtime"}]


def _verb(build: Builder, name: str, environment: list[dict[str, Any]], *mounts: dict[str, Any]) -> dict[str, Any]:
    """A container that runs one verb of the fetcher."""
    package = {"name": "package", "mountPath": f"{FOLDER}/{PACKAGE}", "readOnly": True}
    temporary = {"name": "tmp", "mountPath": "/tmp"}
    command = {"command": ["python3", "-m", PACKAGE, name], "workingDir": FOLDER, "env": environment}
    return _container(build, name, [package, temporary, *mounts]) | command


def _pod(config: str, *volumes: dict[str, Any]) -> dict[str, Any]:
    """What all pods of the fetcher have."""
    return {
        # A pod that failed stays, with its log.
        "restartPolicy": "Never",
        "serviceAccountName": FETCHER_ACCOUNT,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_context(),
        "volumes": [
            {"name": "package", "configMap": {"name": config}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
            *volumes,
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
