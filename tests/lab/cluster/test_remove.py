# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan and removal against a real API server: order, what is kept, what hangs, Helm releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.plan import make_plan, plan_data
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import helm_releases, own_release
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.teardown import RemovalError, remove

Connect = Callable[[], Client]
Objects = list[dict[str, Any]]


def config_map(cluster: str, name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": cluster, **metadata}}


def post(client: Client, obj: dict[str, Any]) -> None:
    resource = client.discovery.resource(obj["apiVersion"], obj["kind"])
    client.request("POST", resource.path(obj["metadata"].get("namespace")), body=obj)


def patch(client: Client, path: str, body: dict[str, Any]) -> None:
    client.request("PATCH", path, body=body, content_type="application/merge-patch+json")


def release(cluster: str, name: str, revision: int, status: str, **metadata: Any) -> dict[str, Any]:
    labels = {"owner": "helm", "name": name, "version": str(revision), "status": status}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{name}.v{revision}",
            "namespace": cluster,
            "labels": labels,
            **metadata,
        },
    }


def test_the_plan_covers_all_that_was_applied_and_writes_nothing(
    connect: Connect, cluster: str, objects: Objects, namespace: dict[str, Any]
) -> None:
    apply(connect(), [namespace], cluster, "storage")
    in_models = [o for o in objects if o["kind"] != "Namespace"]
    apply(connect(), in_models, cluster, "models")
    client = connect()
    steps = make_plan(client, cluster)
    data = plan_data(client, cluster, steps)
    assert client.writes == 0
    assert [step["layer"] for step in data] == ["models", "storage"]
    planned = {(o["kind"], o["name"]) for step in data for stage in step["stages"] for o in stage["objects"]}
    assert planned == {(o["kind"], o["metadata"]["name"]) for o in objects}
    stages = {stage["stage"]: {o["kind"] for o in stage["objects"]} for stage in data[0]["stages"]}
    assert list(stages) == ["scaling", "workloads", "claims", "volumes", "classes", "settings", "crds"]
    assert stages["volumes"] == {"PersistentVolume"} and stages["crds"] == {"CustomResourceDefinition"}
    assert {"Deployment", "Job", "Service", "Widget"} <= stages["workloads"]


def test_a_layer_goes_in_two_parts_and_then_nothing_is_left(connect: Connect, cluster: str, objects: Objects) -> None:
    apply(connect(), objects, cluster, "models")
    first = remove(connect(), cluster, "models", part="before_charts", timeout=60)
    kinds = {o["kind"] for o in first.removed}
    assert {"Deployment", "PersistentVolumeClaim", "PersistentVolume", "StorageClass"} <= kinds
    assert not kinds & {"Namespace", "CustomResourceDefinition", "Secret", "Role"}
    second = remove(connect(), cluster, "models", part="after_charts", timeout=60)
    assert len(first.removed) + len(second.removed) == len(objects)
    assert second.kept == []
    client = connect()
    assert make_plan(client, cluster) == []
    again = remove(client, cluster, "models")
    assert (again.removed, client.writes) == ([], 0)


def test_only_the_layer_and_the_cluster_named_are_touched(
    connect: Connect, cluster: str, namespace: dict[str, Any]
) -> None:
    client = connect()
    apply(client, [namespace, config_map(cluster, "a")], cluster, "storage")
    apply(client, [config_map(cluster, "b")], cluster, "models")
    assert remove(connect(), "another", "models").removed == []
    removed = remove(connect(), cluster, "models", timeout=30).removed
    assert [o["name"] for o in removed] == ["b"]
    assert client.find(client.discovery.resource("v1", "ConfigMap").path(cluster, "a"))


def test_what_hangs_is_told_with_its_finalizers_and_nothing_is_stripped(
    client: Client, cluster: str, namespace: dict[str, Any]
) -> None:
    finalizer = "test.llmfleet.io/hold"
    apply(client, [namespace, config_map(cluster, "held", finalizers=[finalizer])], cluster, "models")
    with pytest.raises(RemovalError) as caught:
        remove(client, cluster, "models", timeout=3)
    assert f"ConfigMap {cluster}/held: deleting since 2" in str(caught.value)
    assert f"finalizers: {finalizer}" in str(caught.value)
    assert caught.value.hanging[0]["finalizers"] == [finalizer]
    path = client.discovery.resource("v1", "ConfigMap").path(cluster, "held")
    held = client.get(path)
    assert held["metadata"]["finalizers"] == [finalizer]
    patch(client, path, {"metadata": {"finalizers": None}})
    done = remove(client, cluster, "models", timeout=60)  # a second run goes on where the first one ended
    assert [o["kind"] for o in done.removed] == ["Namespace"]


def test_a_namespace_with_something_of_others_is_kept(client: Client, cluster: str, namespace: dict[str, Any]) -> None:
    apply(client, [namespace, config_map(cluster, "ours")], cluster, "models")
    post(client, config_map(cluster, "generated"))  # controllers leave such things behind: they go along
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "theirs", "namespace": cluster},
        "spec": {"ports": [{"port": 80}]},
    }
    post(client, service)
    foreseen = plan_data(client, cluster, make_plan(client, cluster))
    assert foreseen[0]["stages"][-1]["objects"][0]["foreign"] == ["Service theirs"]
    done = remove(client, cluster, "models", timeout=30)
    assert [o["name"] for o in done.removed] == ["ours"]
    assert done.kept == [
        {"kind": "Namespace", "namespace": "", "name": cluster, "reason": "still holds Service theirs"}
    ]
    assert client.find(client.discovery.resource("v1", "Service").path(cluster, "theirs"))
    assert remove(client, cluster, "models", timeout=60, foreign_content=True).removed[0]["kind"] == "Namespace"


def test_a_crd_with_objects_of_others_is_kept(client: Client, cluster: str, objects: Objects) -> None:
    crd = next(o for o in objects if o["kind"] == "CustomResourceDefinition")
    widget = next(o for o in objects if o["kind"] == "Widget")
    apply(client, [crd], cluster, "controllers")
    post(client, {**widget, "metadata": {"name": "theirs", "namespace": "default"}})
    done = remove(client, cluster, "controllers", timeout=30)
    assert done.kept[0]["reason"] == "still holds default/theirs"
    assert client.discovery.has(widget["apiVersion"], "Widget")


def test_a_claim_in_use_is_told_with_its_pod(client: Client, cluster: str, namespace: dict[str, Any]) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "c", "namespace": cluster},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    container = {"name": "c", "image": "lab.local/none:1", "imagePullPolicy": "Never"}
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "user", "namespace": cluster},
        "spec": {"containers": [container], "volumes": [volume], "nodeName": "nowhere"},
    }
    apply(client, [namespace, claim], cluster, "storage")
    post(client, pod)
    with pytest.raises(RemovalError) as caught:
        remove(client, cluster, "storage", timeout=3)
    assert "kubernetes.io/pvc-protection" in str(caught.value) and "used by pod user (Pending)" in str(caught.value)
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
    client.request("DELETE", client.discovery.resource("v1", "Pod").path(cluster, "user"), body=options)
    assert "Namespace" in {o["kind"] for o in remove(client, cluster, "storage", timeout=60).removed}


def test_helm_releases_are_marked_and_found(connect: Connect, cluster: str, namespace: dict[str, Any]) -> None:
    client = connect()
    apply(client, [namespace], cluster, "gateway")
    for revision, status in ((1, "superseded"), (2, "superseded"), (10, "deployed")):
        post(client, release(cluster, "gw", revision, status))
    post(client, release(cluster, "theirs", 1, "deployed"))
    assert helm_releases(client, cluster) == []
    checked = connect()
    assert own_release(checked, cluster, "gateway", cluster, "gw", check=True)
    assert checked.writes == 0
    assert own_release(client, cluster, "gateway", cluster, "gw")
    again = connect()
    assert not own_release(again, cluster, "gateway", cluster, "gw")
    assert again.writes == 0
    found = {"name": "gw", "namespace": cluster, "layer": "gateway", "revision": "10", "status": "deployed"}
    assert helm_releases(client, cluster) == [found]
    assert make_plan(client, cluster)[0].releases == [found]
    # A namespace is not deleted under a chart that is still installed; the release's own Secret is not ours to delete.
    done = remove(client, cluster, "gateway", timeout=30)
    assert done.kept[0]["reason"] == "still holds Helm release gw, Helm release theirs"
    assert helm_releases(client, cluster) == [found]
