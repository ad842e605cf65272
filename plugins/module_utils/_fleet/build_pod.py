# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of a model: one that serves alone, and leader and workers of a group of nodes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import compile_cache, duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_availability import spread
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.engine_args import (
    LEADER_ADDRESS,
    MODELS_FOLDER,
    engine_args,
    worker_args,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import MODEL_PORT
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pod_security import container_context, pod_context

# Seconds that a replica goes on serving after it was told to end: so long do proxies take to hear of it.
LEAVE_SECONDS = 15
# Seconds after the last request for the engine to release what it holds.
END_SECONDS = 30
STARTUP_PERIOD = 5
# Where the engine's first rank is found by the others, until it ends.
RANKS_PORT = 29501
# A worker ends after its leader: the leader's last requests still need it.
WAIT_FOR_LEADER = f"""
import os, socket, time
try:
    while True:
        socket.create_connection((os.environ["{LEADER_ADDRESS}"], {RANKS_PORT}), 5).close()
        time.sleep(2)
except OSError:
    pass
"""
Pod = dict[str, Any]


def grace_seconds(model: Model) -> int:
    """Seconds that a replica may take to end: requests that run may take as long as the gateway waits for them."""
    return LEAVE_SECONDS + model.timeout_seconds + END_SECONDS


def serving_pod(build: Builder, model: Model, replicas: Mapping[str, str]) -> Pod:
    """The pod of one node. replicas: labels that all replicas have."""
    return _pod(build, model, _server(build, model)) | spread(model, replicas)


def leader_pod(build: Builder, model: Model, replicas: Mapping[str, str]) -> Pod:
    """The pod that answers for a group of nodes."""
    return serving_pod(build, model, replicas)


def worker_pod(build: Builder, model: Model) -> Pod:
    """A pod that computes for its leader and answers nobody."""
    engine = ["python3", "-m", "vllm.entrypoints.cli.main"]
    container = _container(build, model, engine, worker_args(model))
    container["lifecycle"] = {"preStop": {"exec": {"command": ["python3", "-c", WAIT_FOR_LEADER]}}}
    return _pod(build, model, container)


def _pod(build: Builder, model: Model, container: Pod) -> Pod:
    pool = build.fleet.pool(model.get("gpu.pool"))
    # Ranks of a node talk through it, and offloaded KV cache is a file in it. It counts as memory of the container.
    shared = 2 * model.get("gpu.count") + model.get("engine.kv_offload_gib")
    pod: Pod = {
        "serviceAccountName": model.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "runtimeClassName": pool.fields["runtime_class"],
        "securityContext": pod_context(),
        "terminationGracePeriodSeconds": grace_seconds(model),
        "containers": [container],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "20Gi"}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": f"{shared}Gi"}},
            # Each mount says whether it may be written: two volumes of one claim would share what the first one says.
            {"name": "weights", "persistentVolumeClaim": {"claimName": build.fleet.names.claim}},
        ],
    }
    if pool.selector:
        pod["nodeSelector"] = pool.selector
    if pool.tolerations:
        pod["tolerations"] = pool.tolerations
    if model.get("rollout.priority"):
        pod["priorityClassName"] = model.get("rollout.priority")
    return pod


def _server(build: Builder, model: Model) -> Pod:
    engine = ["python3", "-m", "vllm.entrypoints.openai.api_server"]
    health = {"httpGet": {"path": "/health", "port": "http"}}
    budget = duration.seconds(model.get("startup.budget"))
    return _container(build, model, engine, engine_args(model)) | {
        "ports": [{"name": "http", "containerPort": MODEL_PORT, "protocol": "TCP"}],
        "startupProbe": {
            **health,
            "periodSeconds": STARTUP_PERIOD,
            "timeoutSeconds": 5,
            "failureThreshold": math.ceil(budget / STARTUP_PERIOD),
        },
        "readinessProbe": {**health, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": 3},
        # A busy engine answers late: only a long silence means that it is gone.
        "livenessProbe": {**health, "periodSeconds": 10, "timeoutSeconds": 10, "failureThreshold": 6},
        "lifecycle": {"preStop": {"sleep": {"seconds": LEAVE_SECONDS}}},
    }


def _container(build: Builder, model: Model, engine: list[str], args: list[str]) -> Pod:
    gpus = {"nvidia.com/gpu": str(model.get("gpu.count"))}
    container: Pod = {
        "name": "vllm",
        "image": compile_cache.engine_image(model),
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", compile_cache.OR_INSTEAD, "sh", *engine],
        "args": args,
        "env": _environment(build, model),
        "resources": {
            "requests": {**model.get("resources.requests"), **gpus},
            "limits": {**model.get("resources.limits"), **gpus},
        },
        "securityContext": container_context(),
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "shm", "mountPath": "/dev/shm"},
            {"name": "weights", "mountPath": MODELS_FOLDER, "subPath": model.name, "readOnly": True},
            {"name": "weights", "mountPath": compile_cache.MOUNT, "subPath": compile_cache.volume_folder(model)},
        ],
    }
    secrets = model.get("env_from_secrets")
    if secrets:
        container["envFrom"] = [{"secretRef": {"name": name}} for name in secrets]
    return container


def _environment(build: Builder, model: Model) -> list[dict[str, str]]:
    """Offline, without statistics, with every cache where it can be written."""
    ours = {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": "/tmp/huggingface",
        "HOME": "/tmp",
        # The uid has no entry in passwd, and Python would look for its name there.
        "USER": "vllm",
        "VLLM_CACHE_ROOT": compile_cache.cache_root(model, build.fleet.pool(model.get("gpu.pool"))),
        "VLLM_NO_USAGE_STATS": "1",
    }
    merged = {**model.get("engine.env"), **ours}
    return [{"name": name, "value": merged[name]} for name in sorted(merged)]
