# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet of many models wants, from the real renderer, with standard kinds added up to eleven objects a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import prepare
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import model_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet, Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import known_on_disk

from bench.lab import BenchError

Manifest = dict[str, Any]
A_MODEL = 11
# Routes name a gateway that does not exist: the lab's own gateway must not see them.
_NO_GATEWAY = "bench-no-gateway"
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Load:
    """objects: of one namespace, as all contenders send them. rendered, added: kinds a model. once: a fleet.

    changed: the same after the context length of one model was changed.
    """

    models: int
    objects: list[Manifest]
    changed: list[Manifest]
    rendered: list[str]
    added: list[str]
    once: list[str]
    left_out: list[str]

    def kinds(self) -> list[tuple[str, str]]:
        """(apiVersion, kind) of the objects, each once."""
        return list(dict.fromkeys((obj["apiVersion"], obj["kind"]) for obj in self.objects))

    @property
    def differing(self) -> int:
        """How many objects the changed model changes."""
        return sum(before != after for before, after in zip(self.objects, self.changed, strict=True))

    def sample(self, size: int) -> list[Manifest]:
        """About so many objects, each kind in its share: those of the first models."""
        models = max(round(size * self.models / len(self.objects)), 1)
        picked: Counter[str] = Counter()
        found = []
        for obj in self.objects:
            if picked[obj["kind"]] < models:
                picked[obj["kind"]] += 1
                found.append(obj)
        return found

    def text(self) -> str:
        """What the objects are, in one line."""
        parts = [f"{self.models} models, {len(self.objects)} objects"]
        parts.append(f"{len(self.rendered)} a model by the renderer ({', '.join(self.rendered)})")
        parts.append(f"{len(self.added)} a model added to come near to {A_MODEL} ({', '.join(self.added)})")
        parts.append(f"{len(self.once)} a fleet ({', '.join(self.once)})")
        if self.left_out:
            parts.append(f"left out, as the cluster does not serve them: {', '.join(self.left_out)}")
        return "; ".join(parts)


def load(models: int, namespace: str, cluster: str, served: Sequence[str]) -> Load:
    """Render a fleet of so many models into one namespace. served: the kinds that the cluster has.

    No pods come of it: Deployments have no replicas, Jobs are suspended. Raises BenchError.
    """
    description = _description(models, namespace, cluster)
    fleet = describe(description)
    wanted = _rendered(fleet)
    counted = Counter(obj["kind"] for obj in wanted)
    a_model = [kind for kind, number in counted.items() if number >= models]
    # The fetcher's account and its files are there once, however many models there are.
    once = [kind for kind, number in counted.items() if number % models]
    extra = _additions(A_MODEL - len(a_model))
    added = [extra_kind for extra_kind, _make in extra]
    more = [make(model, namespace) for model in fleet.models for _kind, make in extra]
    known = {*a_model, *once, *added}
    left_out = sorted(kind for kind in known if kind not in served)
    if set(left_out) - {"HTTPRoute"}:
        raise BenchError(f"the cluster does not serve {', '.join(left_out)}")
    description["llmfleet_models"][models // 2]["engine"]["context_length"] //= 2
    prepared, changed = (
        [
            item.desired
            for item in prepare(
                [_without_pods(obj) for obj in [*some, *more] if obj["kind"] not in left_out], cluster, "models"
            )
        ]
        for some in (wanted, _rendered(describe(description)))
    )
    shown = [kind for kind in a_model if kind not in left_out]
    found = Load(models, prepared, changed, shown, added, once, left_out)
    if not found.differing:
        raise BenchError("another context length of a model changes none of its objects")
    return found


def _rendered(fleet: Fleet) -> list[Manifest]:
    """The models' layer without the namespace and its policies: what grows with the number of models."""
    return [
        entry["object"]
        for entry in desired(fleet, known_on_disk()).objects
        if entry["layer"] == "models" and entry["component"] in ("models", "weights")
    ]


def _description(models: int, namespace: str, cluster: str) -> dict[str, Any]:
    return {
        "llmfleet_cluster": {"name": cluster, "region": "eu-west-3", "account": "123456789012"},
        "llmfleet_models_namespace": namespace,
        "llmfleet_gateway_namespace": _NO_GATEWAY,
        # The lab serves none of its kinds.
        "llmfleet_monitoring": "none",
        "llmfleet_gpu_pools": [
            {"name": "bench", "static": True, "gpu_count": 4, "allocatable": {"cpu": "8", "memory": "64Gi"}}
        ],
        "llmfleet_models": [
            {
                "name": f"model-{number:03}",
                "weights": {"repository": "bench/model", "revision": _COMMIT},
                "engine": {"context_length": 8192, "quantization": "fp8", "env": {"VLLM_LOGGING_LEVEL": "INFO"}},
                "gpu": {"pool": "bench"},
                # From two replicas on, a model has a PodDisruptionBudget.
                "scaling": {"min": 2, "max": 2},
            }
            for number in range(models)
        ],
    }


def _without_pods(obj: Manifest) -> Manifest:
    if obj["kind"] == "Deployment":
        return {**obj, "spec": {**obj["spec"], "replicas": 0}}
    if obj["kind"] == "Job":
        return {**obj, "spec": {**obj["spec"], "suspend": True}}
    return obj


def _metadata(model: Model, namespace: str) -> Manifest:
    return {"name": model.name, "namespace": namespace, "labels": model_labels(model, "inference")}


def _config_map(model: Model, namespace: str) -> Manifest:
    data = {"model.json": '{"name": "' + model.name + '", "sampling": {"temperature": 0.7, "top_p": 0.95}}\n'}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(model, namespace), "data": data}


def _network_policy(model: Model, namespace: str) -> Manifest:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": _NO_GATEWAY}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(model, namespace),
        "spec": {
            "podSelector": {"matchLabels": model_labels(model, "inference")},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [peer], "ports": [{"port": 8000, "protocol": "TCP"}]}],
        },
    }


def _scaler(model: Model, namespace: str) -> Manifest:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(model, namespace),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": model.name},
            "minReplicas": 1,
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                }
            ],
        },
    }


def _role(model: Model, namespace: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": _metadata(model, namespace),
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [model.name], "verbs": ["get"]}],
    }


def _role_binding(model: Model, namespace: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": _metadata(model, namespace),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": model.name},
        "subjects": [{"kind": "ServiceAccount", "name": model.name, "namespace": namespace}],
    }


def _additions(number: int) -> list[tuple[str, Any]]:
    """The first so many kinds that are added to what the renderer gives."""
    kinds = [
        ("ConfigMap", _config_map),
        ("NetworkPolicy", _network_policy),
        ("HorizontalPodAutoscaler", _scaler),
        ("Role", _role),
        ("RoleBinding", _role_binding),
    ]
    return kinds[: max(number, 0)]
