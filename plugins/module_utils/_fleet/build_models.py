# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What serves a model: Deployment, Service, budget and route."""

from __future__ import annotations

import math
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_scaling import replicas
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import model_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.engine_args import engine_args
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import GATEWAY, MODEL_HEADER, MODEL_PORT
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pod_security import container_context, pod_context
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

# Seconds that a replica goes on serving after it was told to end: so long do proxies take to hear of it.
LEAVE_SECONDS = 15
# Seconds after the last request for the engine to release what it holds.
END_SECONDS = 30
STARTUP_PERIOD = 5


def add_models(build: Builder) -> None:
    """Add the objects of every model."""
    default = next((model for model in build.fleet.models if model.routed), None)
    for model in build.fleet.models:
        labels = model_labels(model, "inference")
        for manifest in _objects(build, model, is_default=model is default):
            build.add("models", "models", manifest, labels)


def _objects(build: Builder, model: Model, is_default: bool) -> list[Manifest]:
    namespace = build.fleet.names.models_namespace
    metadata = {"name": model.name, "namespace": namespace}
    objects: list[Manifest] = [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata,
            "automountServiceAccountToken": False,
        },
        _deployment(build, model, metadata),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "type": "ClusterIP",
                "selector": model_labels(model, "inference"),
                "ports": [{"name": "http", "port": MODEL_PORT, "targetPort": "http", "protocol": "TCP"}],
            },
        },
    ]
    if model.get("availability.do_not_disrupt") and model.get("scaling.min") >= 2:
        selector = {"matchLabels": model_labels(model, "inference")}
        objects.append(
            {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": metadata,
                "spec": {"maxUnavailable": 1, "selector": selector},
            }
        )
    if model.routed:
        objects.append(_route(build, model, metadata, is_default))
    return objects


def _deployment(build: Builder, model: Model, metadata: dict[str, str]) -> Manifest:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    owned = ownership_labels(build.fleet.names.cluster, "models")
    # The platform's own keys come last: the description refuses them, and they win in any case.
    labels = {**model.get("labels"), **model_labels(model, "inference"), **owned}
    annotations = dict(model.get("annotations"))
    if model.get("availability.do_not_disrupt"):
        annotations["karpenter.sh/do-not-disrupt"] = "true"
    template: dict[str, Any] = {"metadata": {"labels": labels}, "spec": _pod(build, model)}
    if annotations:
        template["metadata"]["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            **replicas(model),
            "revisionHistoryLimit": 3,
            # Longer than the startup probe, or the rollout is called failed while the engine still starts.
            "progressDeadlineSeconds": duration.seconds(model.get("startup.budget")) + 1200,
            "selector": {"matchLabels": model_labels(model, "inference")},
            "strategy": rolling if model.get("rollout.strategy") == "rolling" else {"type": "Recreate"},
            "template": template,
        },
    }


def _pod(build: Builder, model: Model) -> dict[str, Any]:
    pool = build.fleet.pool(model.get("gpu.pool"))
    pod: dict[str, Any] = {
        "serviceAccountName": model.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "runtimeClassName": pool.fields["runtime_class"],
        "securityContext": pod_context(),
        "terminationGracePeriodSeconds": LEAVE_SECONDS + model.timeout_seconds + END_SECONDS,
        "containers": [_container(build, model)],
        "volumes": [
            {"name": "tmp", "emptyDir": {"sizeLimit": "20Gi"}},
            # Tensor-parallel workers talk through it. It counts as memory of the container.
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": f"{2 * model.get('gpu.count')}Gi"}},
            {
                "name": "weights",
                "persistentVolumeClaim": {"claimName": build.fleet.names.claim, "readOnly": True},
            },
        ],
    }
    if pool.selector:
        pod["nodeSelector"] = pool.selector
    if pool.tolerations:
        pod["tolerations"] = pool.tolerations
    if model.get("rollout.priority"):
        pod["priorityClassName"] = model.get("rollout.priority")
    return pod


def _container(build: Builder, model: Model) -> dict[str, Any]:
    gpus = {"nvidia.com/gpu": str(model.get("gpu.count"))}
    health = {"httpGet": {"path": "/health", "port": "http"}}
    budget = duration.seconds(model.get("startup.budget"))
    container: dict[str, Any] = {
        "name": "vllm",
        "image": model.get("engine.image") or versions().images["vllm"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "vllm.entrypoints.openai.api_server"],
        "args": engine_args(model),
        "env": _environment(model),
        "ports": [{"name": "http", "containerPort": MODEL_PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {**model.get("resources.requests"), **gpus},
            "limits": {**model.get("resources.limits"), **gpus},
        },
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
        "securityContext": container_context(),
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},
            {"name": "shm", "mountPath": "/dev/shm"},
            {"name": "weights", "mountPath": "/models", "subPath": model.name, "readOnly": True},
        ],
    }
    secrets = model.get("env_from_secrets")
    if secrets:
        container["envFrom"] = [{"secretRef": {"name": name}} for name in secrets]
    return container


def _environment(model: Model) -> list[dict[str, str]]:
    """Offline, without statistics, with every cache where it can be written."""
    ours = {
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": "/tmp/huggingface",
        "HOME": "/tmp",
        # The uid has no entry in passwd, and Python would look for its name there.
        "USER": "vllm",
        "VLLM_CACHE_ROOT": "/tmp/vllm",
        "VLLM_NO_USAGE_STATS": "1",
    }
    merged = {**model.get("engine.env"), **ours}
    return [{"name": name, "value": merged[name]} for name in sorted(merged)]


def _route(build: Builder, model: Model, metadata: dict[str, str], is_default: bool) -> Manifest:
    """The route of a model by the header that names it.

    The first routed model of the fleet also answers requests without the header: they carry the name in their body
    only, and nothing reads it there yet.
    """
    path = {"type": "PathPrefix", "value": "/v1/"}
    header = {"type": "Exact", "name": MODEL_HEADER, "value": model.name}
    to_model = {
        "backendRefs": [{"group": "", "kind": "Service", "name": model.name, "port": MODEL_PORT, "weight": 1}],
        "timeouts": {"request": model.get("gateway.timeout")},
    }
    rules = [{"matches": [{"path": path, "headers": [header]}], **to_model}]
    if is_default:
        rules.append({"matches": [{"path": path}], **to_model})
    gateway = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY,
        "namespace": build.fleet.names.gateway_namespace,
    }
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {"parentRefs": [gateway], "rules": rules},
    }
