# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order what is ours is taken away, and what must not go: the plan, without doing anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import THREADS, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import (
    Owned,
    deletable,
    is_ours,
    read_owned,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import helm_releases
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS

STAGES = ("scaling", "workloads", "claims", "volumes", "classes", "settings", "crds", "namespaces")
# The charts of a layer hold the controllers that finish the deletion of the first stages; the rest goes after them.
BEFORE_CHARTS = STAGES[:5]
AFTER_CHARTS = STAGES[5:]

_STAGE_OF = {
    # what would start pods again while they go
    ("keda.sh", "ScaledObject"): "scaling",
    ("keda.sh", "ScaledJob"): "scaling",
    ("autoscaling", "HorizontalPodAutoscaler"): "scaling",
    # what leads requests to pods that go
    ("gateway.envoyproxy.io", "EnvoyExtensionPolicy"): "scaling",
    ("gateway.envoyproxy.io", "BackendTrafficPolicy"): "scaling",
    ("", "PersistentVolumeClaim"): "claims",
    ("", "PersistentVolume"): "volumes",
    # what the objects before refer to, some with a finalizer until nobody does
    ("gateway.networking.k8s.io", "GatewayClass"): "classes",
    ("gateway.envoyproxy.io", "EnvoyProxy"): "classes",
    ("karpenter.k8s.aws", "EC2NodeClass"): "classes",
    ("karpenter.kwok.sh", "KWOKNodeClass"): "classes",
    ("storage.k8s.io", "StorageClass"): "classes",
    ("keda.sh", "TriggerAuthentication"): "classes",
    ("keda.sh", "ClusterTriggerAuthentication"): "classes",
    ("external-secrets.io", "SecretStore"): "classes",
    ("external-secrets.io", "ClusterSecretStore"): "classes",
    # what running controllers and pods need to the end
    ("storage.k8s.io", "CSIDriver"): "settings",
    ("node.k8s.io", "RuntimeClass"): "settings",
    ("scheduling.k8s.io", "PriorityClass"): "settings",
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): "settings",
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): "settings",
    ("apiregistration.k8s.io", "APIService"): "settings",
    ("networking.k8s.io", "NetworkPolicy"): "settings",
    ("rbac.authorization.k8s.io", "ClusterRole"): "settings",
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): "settings",
    ("rbac.authorization.k8s.io", "Role"): "settings",
    ("rbac.authorization.k8s.io", "RoleBinding"): "settings",
    ("", "ServiceAccount"): "settings",
    ("", "ConfigMap"): "settings",
    ("", "Secret"): "settings",
    ("", "ResourceQuota"): "settings",
    ("", "LimitRange"): "settings",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "crds",
    ("", "Namespace"): "namespaces",
}
# Of the built-in kinds, those that somebody means to have: a namespace that holds one that is not ours stays.
_MEANT = frozenset(
    {
        ("", "pods"),
        ("", "persistentvolumeclaims"),
        ("", "services"),
        ("apps", "deployments"),
        ("apps", "statefulsets"),
        ("apps", "daemonsets"),
        ("batch", "jobs"),
        ("batch", "cronjobs"),
        ("networking.k8s.io", "ingresses"),
    }
)
# Custom resources that controllers make by themselves.
_REPORTS = frozenset({"wgpolicyk8s.io", "cilium.io"})
_BUILT_IN = frozenset(
    f"{name}.k8s.io"
    for name in (
        *("admissionregistration", "apiextensions", "apiregistration", "authentication", "authorization"),
        *("certificates", "coordination", "discovery", "events", "flowcontrol.apiserver", "internal.apiserver"),
        *("metrics", "networking", "node", "rbac.authorization", "resource", "scheduling", "storage"),
        "storagemigration",
    )
)


@dataclass
class Step:
    """One layer of the plan: its Helm releases and, by stage, its objects."""

    layer: str
    releases: list[dict[str, str]] = field(default_factory=list)
    stages: dict[str, list[Owned]] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """Return it as plain data."""
        stages = [{"stage": name, "objects": [o.summary() for o in objects]} for name, objects in self.stages.items()]
        return {"layer": self.layer, "releases": self.releases, "stages": stages}


def stage_of(resource: Resource) -> str:
    """Return the stage in which objects of a resource go; most go with the workloads."""
    return _STAGE_OF.get((resource.group, resource.kind), "workloads")


def make_plan(client: Client, cluster: str, layer: str | None = None) -> list[Step]:
    """Return what is to be taken away, in order: layers in reverse, what has an unknown layer first. Writes nothing."""
    steps: dict[str, Step] = {}
    for obj in read_owned(client, cluster, layer):
        stages = steps.setdefault(obj.layer, Step(obj.layer)).stages
        stages.setdefault(stage_of(obj.resource), []).append(obj)
    for release in helm_releases(client, cluster):
        if layer is None or release["layer"] == layer:
            steps.setdefault(release["layer"], Step(release["layer"])).releases.append(release)
    for step in steps.values():
        step.stages = {
            name: sorted(step.stages[name], key=lambda o: (o.resource.kind, o.namespace, o.name))
            for name in STAGES
            if name in step.stages
        }
    order = [*sorted(set(steps) - set(LAYERS)), *reversed(LAYERS)]
    return [steps[name] for name in order if name in steps]


def foreign_in_namespace(client: Client, cluster: str, namespace: str) -> list[str]:
    """Return what somebody else keeps in a namespace of ours: "Kind name", Helm releases first; empty: it may go.

    Looked at are workloads, claims, Services and custom resources without an owner. What controllers leave behind
    (leases, generated Secrets and ConfigMaps) does not count.
    """

    def one(resource: Resource) -> list[str]:
        try:
            listed = client.list(resource, namespace, metadata_only=True)
        except ApiError as error:
            if error.status in (404, 405):
                return []
            raise
        return [
            f"{resource.kind} {obj['metadata']['name']}"
            for obj in listed
            if not obj["metadata"].get("ownerReferences")
            and not obj["metadata"].get("deletionTimestamp")
            and not is_ours(obj, cluster)
        ]

    looked_at = [r for r in deletable(client) if r.namespaced and _counts(r)]
    with ThreadPoolExecutor(THREADS, thread_name_prefix="llmfleet-foreign") as pool:
        found = [name for part in pool.map(one, looked_at) for name in part]
    secrets = Resource("", "v1", "Secret", "secrets", True)
    charts = client.list(secrets, namespace, label_selector="owner=helm", metadata_only=True)
    names = sorted({str((secret["metadata"].get("labels") or {}).get("name")) for secret in charts})
    return [*(f"Helm release {name}" for name in names), *sorted(found)]


def _counts(resource: Resource) -> bool:
    if (resource.group, resource.plural) in _MEANT:
        return True
    return "." in resource.group and resource.group not in _BUILT_IN and resource.group not in _REPORTS


def instances(client: Client, crd: Owned, cluster: str | None = None) -> list[str]:
    """Return the objects that would vanish with a CRD: "namespace/name"; with a cluster, those that are not ours."""
    plural, _sep, group = crd.name.partition(".")
    resource = client.discovery.by_plural(group, plural)
    if resource is None:
        return []
    try:
        listed = client.list(resource, metadata_only=True)
    except ApiError as error:
        if error.status in (404, 405):
            return []
        raise
    return [
        "/".join(part for part in (obj["metadata"].get("namespace"), obj["metadata"]["name"]) if part)
        for obj in listed
        if cluster is None or not is_ours(obj, cluster)
    ]


def plan_data(client: Client, cluster: str, steps: list[Step]) -> list[dict[str, Any]]:
    """Return the plan as plain data; namespaces and CRDs tell in `foreign` what others keep in them."""
    found = []
    for step in steps:
        data = step.summary()
        for stage in data["stages"]:
            for obj, owned in zip(stage["objects"], step.stages[stage["stage"]], strict=True):
                if stage["stage"] == "namespaces":
                    obj["foreign"] = foreign_in_namespace(client, cluster, owned.name)
                elif stage["stage"] == "crds":
                    obj["foreign"] = instances(client, owned, cluster)
        found.append(data)
    return found
