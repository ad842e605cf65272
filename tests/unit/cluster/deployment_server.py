# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for an API server, the controller of Deployments and a kubelet, as far as a rollout needs them.

Deployments get ReplicaSets with revisions, and pods at once; a container with the argument --bad crashes again and
again. What is applied is kept with the fields that its manager owns, and with defaults, as the real one keeps it.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

KINDS = {
    "Deployment": Resource("apps", "v1", "Deployment", "deployments", True),
    "LeaderWorkerSet": Resource("leaderworkerset.x-k8s.io", "v1", "LeaderWorkerSet", "leaderworkersets", True),
    "HTTPRoute": Resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes", True),
}
REVISION = "deployment.kubernetes.io/revision"


def deployment(
    name: str = "qwen", *args: str, strategy: str = "Recreate", replicas: int = 1, **container: Any
) -> dict[str, Any]:
    """A Deployment of one container. args: of its engine; container: more fields of it."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "vllm", "image": "vllm:1", "args": ["--model", "/m", *args], **container}]},
    }
    metadata = {"name": name, "namespace": "llm", "labels": ownership_labels("prod", "models")}
    selector = {"matchLabels": {"app": name}}
    spec = {"replicas": replicas, "strategy": {"type": strategy}, "selector": selector, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


class Server:
    """Quacks like Client.

    sent: what was written: (verb, name, arguments of the engine or labels). broken: names of Deployments whose pods
    crash whatever they are. room: how many pods of a Deployment can be available, by its name. late: after how many
    looks at pods there is room for all of them. forbidden: names that may not be applied. objects, sets: by (kind,
    name), by name.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.sets: dict[str, dict[str, Any]] = {}
        self.sent: list[tuple[str, str, Any]] = []
        self.broken: set[str] = set()
        self.forbidden: set[str] = set()
        self.room: dict[str, int] = {}
        self.late: dict[str, int] = {}
        self.discovery = self

    def resource(self, api_version: str, kind: str) -> Resource:
        return KINDS[kind]

    def find(self, path: str) -> dict[str, Any] | None:
        plural, name = path.split("/")[-2:]
        kind = next(kind for kind, resource in KINDS.items() if resource.plural == plural)
        return copy.deepcopy(self.objects.get((kind, name)))

    def list(self, resource: Resource, namespace: str | None = None, **options: Any) -> list[dict[str, Any]]:
        if resource.kind == "ReplicaSet":
            return copy.deepcopy([*self.sets.values()])
        if resource.kind == "Pod":
            for name in self.late:
                self.late[name] -= 1
                if self.late[name] == 0:
                    del self.room[name]
                    self.roll(name)
            return [pod for rs in self.sets.values() for pod in self._pods(rs)]
        return copy.deepcopy([obj for (kind, _name), obj in self.objects.items() if kind == resource.kind])

    def apply(
        self, path: str, body: Any, *, dry_run: bool = False, force: bool = False, metadata_only: bool = False
    ) -> dict[str, Any]:
        kind, name = body["kind"], body["metadata"]["name"]
        if name in self.forbidden:
            raise ApiError(403, {"message": "forbidden: quota", "reason": "Forbidden"})
        found = self.objects.get((kind, name), {"metadata": {"uid": f"{kind}-{name}", "generation": 0}})
        kept = copy.deepcopy(body)
        fields = _fields({key: value for key, value in body.items() if key in ("spec", "metadata")})
        for key in ("f:name", "f:namespace"):
            fields["f:metadata"].pop(key)
        entry = {"manager": "llmfleet", "operation": "Apply", "apiVersion": body["apiVersion"], "fieldsV1": fields}
        generation = found["metadata"]["generation"] + 1
        kept["metadata"] |= {"uid": found["metadata"]["uid"], "generation": generation, "managedFields": [entry]}
        if kind == "Deployment":
            _default(kept["spec"]["template"])
        if not dry_run:
            self.objects[(kind, name)] = kept
            if kind == "Deployment":
                self.sent.append(("apply", name, body["spec"]["template"]["spec"]["containers"][0]["args"][2:]))
                self.roll(name)
        return copy.deepcopy(kept)

    def request(self, method: str, path: str, *, body: Any, **options: Any) -> Any:
        name = path.rpartition("/")[2]
        if name not in self.sets or body["metadata"]["uid"] != self.sets[name]["metadata"]["uid"]:
            raise ApiError(404, {"message": "not found", "reason": "NotFound"})
        self.sent.append((method, name, body["metadata"]["labels"]))
        self.sets[name]["metadata"]["labels"].update(body["metadata"]["labels"])

    def text(self, path: str, **options: Any) -> str:
        return "starting\nValueError: --bad is no good, token=abcdef123456"

    def roll(self, name: str) -> None:
        """What the controllers do until nothing moves any more; also when a pod's fate has changed."""
        obj = self.objects[("Deployment", name)]
        own = [rs for rs in self.sets.values() if rs["metadata"]["ownerReferences"][0]["name"] == name]
        new = next((rs for rs in own if _template(rs) == obj["spec"]["template"]), None)
        last = max((int(rs["metadata"]["annotations"][REVISION]) for rs in own), default=0)
        if new is None:
            new = self._new_set(obj, len(own))
            own.append(new)
        if not last or int(new["metadata"]["annotations"][REVISION]) < last:
            new["metadata"]["annotations"][REVISION] = str(last + 1)
        wanted = obj["spec"]["replicas"]
        good = 0 if self._crashes(new) else wanted
        for rs in own:
            kept = obj["spec"]["strategy"]["type"] != "Recreate" and not good and rs is not new
            rs["status"]["replicas"] = wanted if rs is new else rs["status"]["replicas"] if kept else 0
            there = min(rs["status"]["replicas"], self.room.get(name, 99))
            rs["status"]["availableReplicas"] = 0 if self._crashes(rs) else there
        obj["metadata"].setdefault("annotations", {})[REVISION] = new["metadata"]["annotations"][REVISION]
        obj["status"] = {
            "observedGeneration": obj["metadata"]["generation"],
            "replicas": sum(rs["status"]["replicas"] for rs in own),
            "updatedReplicas": wanted,
            "availableReplicas": sum(rs["status"]["availableReplicas"] for rs in own),
        }

    def labels(self) -> dict[str, bool]:
        """Which ReplicaSets are known to have served."""
        return {name: rs["metadata"]["labels"].get("llmfleet.io/served") == "true" for name, rs in self.sets.items()}

    def args(self, name: str = "qwen") -> list[str]:
        """The arguments of a Deployment's engine as it is now, but for the model."""
        found: list[str] = self.objects[("Deployment", name)]["spec"]["template"]["spec"]["containers"][0]["args"]
        return found[2:]

    def _new_set(self, obj: dict[str, Any], number: int) -> dict[str, Any]:
        name = f"{obj['metadata']['name']}-{number}"
        template = copy.deepcopy(obj["spec"]["template"])
        template["metadata"]["labels"]["pod-template-hash"] = name
        owner = {"uid": obj["metadata"]["uid"], "kind": "Deployment", "name": obj["metadata"]["name"]}
        metadata = {
            "name": name,
            "namespace": "llm",
            "uid": f"uid-{name}",
            "creationTimestamp": f"2026-01-01T00:00:{number:02}Z",
            "labels": dict(template["metadata"]["labels"]),
            "annotations": {REVISION: "0"},
            "ownerReferences": [{**owner, "controller": True}],
        }
        rs = {"metadata": metadata, "spec": {"template": template}, "status": {"replicas": 0, "availableReplicas": 0}}
        self.sets[name] = rs
        return rs

    def _crashes(self, rs: dict[str, Any]) -> bool:
        args = rs["spec"]["template"]["spec"]["containers"][0]["args"]
        return "--bad" in args or rs["metadata"]["ownerReferences"][0]["name"] in self.broken

    def _pods(self, rs: dict[str, Any]) -> list[dict[str, Any]]:
        crashing = {
            "name": "vllm",
            "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
        }
        status = (
            {"phase": "Running", "containerStatuses": [crashing]}
            if self._crashes(rs)
            else {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        )
        owner = [{"uid": rs["metadata"]["uid"]}]
        return [
            {
                "metadata": {"name": f"{rs['metadata']['name']}-{at}", "namespace": "llm", "ownerReferences": owner},
                "status": status,
            }
            for at in range(rs["status"]["replicas"])
        ]


def _template(rs: dict[str, Any]) -> dict[str, Any]:
    template = copy.deepcopy(rs["spec"]["template"])
    del template["metadata"]["labels"]["pod-template-hash"]
    return template


def _default(template: dict[str, Any]) -> None:
    """Fill in what the API server fills in, as far as it matters."""
    template["spec"].setdefault("dnsPolicy", "ClusterFirst")
    for container in template["spec"]["containers"]:
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        for probe in (container[key] for key in ("startupProbe", "readinessProbe") if key in container):
            probe.setdefault("timeoutSeconds", 1)


def _fields(value: Any) -> dict[str, Any]:
    """The fieldsV1 tree of an applied value."""
    if isinstance(value, dict):
        return {f"f:{key}": _fields(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) and "name" in item for item in value):
        return {"k:" + json.dumps({"name": item["name"]}): {".": {}, **_fields(item)} for item in value}
    return {}
