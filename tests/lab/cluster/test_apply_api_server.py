# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply against a real API server: idempotence, changes, conflicts, ownership, check mode, secrecy."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import ApplyError, ApplyResult, apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.prune import Pruned, parent_among, prune
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import applyset

Objects = list[dict[str, Any]]
Connect = Callable[[], Client]


def find(objects: Objects, kind: str, name: str | None = None) -> dict[str, Any]:
    return next(o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"]))


def live(client: Client, obj: dict[str, Any]) -> dict[str, Any]:
    resource = client.discovery.resource(obj["apiVersion"], obj["kind"])
    return client.get(resource.path(obj["metadata"].get("namespace"), obj["metadata"]["name"]))


def meddle(client: Client, obj: dict[str, Any], patch: dict[str, Any]) -> None:
    """Change an object as somebody else would, with kubectl edit."""
    resource = client.discovery.resource(obj["apiVersion"], obj["kind"])
    client.request(
        "PATCH",
        resource.path(obj["metadata"].get("namespace"), obj["metadata"]["name"]),
        query={"fieldManager": "kubectl-edit"},
        body=patch,
        content_type="application/merge-patch+json",
    )


def test_second_apply_sends_no_write(connect: Connect, cluster: str, objects: Objects) -> None:
    first, second = connect(), connect()
    made = apply(first, objects, cluster, "models")
    assert made.counts()["created"] == len(objects) == first.writes
    again = apply(second, objects, cluster, "models")
    assert again.counts()["unchanged"] == len(objects)
    assert not again.changed and again.diffs() == []
    assert second.writes == 0


def test_check_mode_on_an_empty_cluster_writes_nothing(connect: Connect, cluster: str, objects: Objects) -> None:
    client = connect()
    result = apply(client, objects, cluster, "models", check=True)
    assert client.writes == 0
    assert result.counts()["created"] == len(objects)
    notes = {(i.kind, i.name): i.note for i in result.items}
    assert notes[("Deployment", "d1")] == f"not validated: namespace {cluster} does not exist yet"
    assert notes[("Widget", "w1")] == "not validated: its CRD does not exist yet"
    assert notes[("Namespace", cluster)] == ""
    with pytest.raises(Exception, match="404"):
        live(client, find(objects, "Namespace"))


def test_check_mode_tells_all_that_the_server_refuses(client: Client, cluster: str, namespace: dict[str, Any]) -> None:
    wrong = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "Not_A_Name"}}
    unknown = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{cluster}-2"}, "spec": {"finalizer": []}}
    with pytest.raises(ApplyError) as caught:
        apply(client, [namespace, wrong, unknown], cluster, "models", check=True)
    assert "Not_A_Name" in str(caught.value)
    assert ".spec.finalizer: field not declared in schema" in str(caught.value)


CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "container image": ("Deployment", lambda o: o["spec"]["template"]["spec"]["containers"][0].update(image="img:2")),
    "field removed": ("Deployment", lambda o: o["spec"]["template"]["spec"]["containers"][0].pop("startupProbe")),
    "atomic list shorter": ("Deployment", lambda o: o["spec"]["template"]["spec"]["tolerations"][0].pop("effect")),
    "empty value filled": (
        "Deployment",
        lambda o: o["spec"]["template"]["spec"]["containers"][0]["env"][0].update(value="x"),
    ),
    "entry removed": ("Deployment", lambda o: o["spec"]["template"]["spec"]["containers"][0]["env"].pop(0)),
    "order of entries": ("Deployment", lambda o: o["spec"]["template"]["spec"]["containers"][0]["env"].reverse()),
    "quantity": (
        "Deployment",
        lambda o: o["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"].update(cpu="1001m"),
    ),
    "number as text": ("ConfigMap", lambda o: o["data"].update(limits="1")),
    "secret": ("Secret", lambda o: o["stringData"].update(key="sesame-open-2")),
    "label": ("Service", lambda o: o["metadata"].update(labels={"a": "b"})),
    "port": ("NetworkPolicy", lambda o: o["spec"]["ingress"][0]["ports"][0].update(port=8001)),
    "custom resource": ("Widget", lambda o: o["spec"]["parts"][0].update(weight=2)),
    "default of a custom resource": ("Widget", lambda o: o["spec"].update(mode="slow")),
    "list emptied": ("Role", lambda o: o.update(rules=[])),
}


def test_each_change_is_one_write_and_then_none(connect: Connect, cluster: str, objects: Objects) -> None:
    apply(connect(), objects, cluster, "models")
    for label, (kind, change) in CHANGES.items():
        changed = find(objects, kind, "c2" if kind == "ConfigMap" else None)
        change(changed)
        dry, client, again = connect(), connect(), connect()
        foreseen = apply(dry, objects, cluster, "models", check=True)
        assert dry.writes == 0, label
        result = apply(client, objects, cluster, "models")
        assert result.counts()["configured"] == 1 == foreseen.counts()["configured"], label
        assert client.writes == 1, label
        assert (
            len(result.diffs()) == 1 and result.diffs()[0]["before"] != result.diffs()[0]["after"] or kind == "Secret"
        )
        apply(again, objects, cluster, "models")
        assert again.writes == 0, label


def test_same_quantity_written_otherwise_is_no_change(connect: Connect, cluster: str, objects: Objects) -> None:
    apply(connect(), objects, cluster, "models")
    resources = find(objects, "Deployment")["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert resources["requests"]["cpu"] == "1000m"
    resources["requests"].update(cpu=1, memory="2Gi")
    client = connect()
    assert not apply(client, objects, cluster, "models").changed
    assert client.writes == 0


def test_what_is_removed_from_the_description_goes(client: Client, cluster: str, objects: Objects) -> None:
    apply(client, objects, cluster, "models")
    deployment = find(objects, "Deployment")
    del deployment["spec"]["template"]["spec"]["containers"][0]["startupProbe"]
    apply(client, objects, cluster, "models")
    assert "startupProbe" not in live(client, deployment)["spec"]["template"]["spec"]["containers"][0]


def test_a_field_changed_by_hand_is_taken_back_and_named(
    connect: Connect, client: Client, cluster: str, objects: Objects
) -> None:
    apply(client, objects, cluster, "models")
    policy = find(objects, "PodDisruptionBudget")
    meddle(client, policy, {"spec": {"maxUnavailable": 2}})
    for check in (True, False):
        mending = connect()
        result = apply(mending, objects, cluster, "models", check=check)
        changed = [item for item in result.summary() if item["action"] != "unchanged"]
        assert [(item["kind"], item["action"]) for item in changed] == [("PodDisruptionBudget", "configured")]
        assert changed[0]["note"] == "took back .spec.maxUnavailable from kubectl-edit"
        assert mending.writes == (0 if check else 1)
        assert live(client, policy)["spec"]["maxUnavailable"] == (2 if check else 1)
    again = connect()
    apply(again, objects, cluster, "models")
    assert again.writes == 0


def test_what_others_add_stays_and_is_no_change(
    connect: Connect, client: Client, cluster: str, objects: Objects
) -> None:
    apply(client, objects, cluster, "models")
    deployment = find(objects, "Deployment")
    meddle(client, deployment, {"metadata": {"annotations": {"who": "else"}}, "spec": {"replicas": 3}})
    again = connect()
    assert not apply(again, objects, cluster, "models").changed
    assert again.writes == 0
    assert live(client, deployment)["spec"]["replicas"] == 3


def test_objects_of_others_are_refused(client: Client, cluster: str, namespace: dict[str, Any]) -> None:
    apply(client, [namespace], cluster, "models")
    names = [f"c{number}" for number in range(6)]
    maps = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": n, "namespace": cluster}} for n in names]
    resource = client.discovery.resource("v1", "ConfigMap")
    client.request("POST", resource.path(cluster), body={**maps[3], "data": {"mine": "yes"}})
    with pytest.raises(ApplyError) as caught:
        apply(client, [namespace, *maps], cluster, "models")
    assert f"ConfigMap {cluster}/c3: exists already and it was not made by llmfleet" in str(caught.value)
    assert caught.value.result.counts()["created"] == 5
    assert live(client, maps[3])["data"] == {"mine": "yes"}
    with pytest.raises(ApplyError, match="belongs to the cluster named"):
        apply(client, [maps[0]], "another", "models", adopt=True)


def test_a_namespace_is_adopted_only_when_told(client: Client, cluster: str, namespace: dict[str, Any]) -> None:
    client.request("POST", client.discovery.resource("v1", "Namespace").path(), body=namespace)
    with pytest.raises(ApplyError, match="adopt: true takes a Namespace over"):
        apply(client, [namespace], cluster, "models")
    assert apply(client, [namespace], cluster, "models", adopt=True).counts()["configured"] == 1
    assert apply(client, [namespace], cluster, "models").counts()["unchanged"] == 1


def test_immutable_fields_fail_briefly_or_replace(client: Client, cluster: str, objects: Objects) -> None:
    job = find(objects, "Job")
    job["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "T", "value": "do-not-print-me"}]
    apply(client, objects, cluster, "models")
    uid = live(client, job)["metadata"]["uid"]
    job["spec"]["template"]["spec"]["containers"][0]["command"] = ["true"]
    with pytest.raises(ApplyError) as caught:
        apply(client, objects, cluster, "models")
    assert "spec.template: field is immutable" in str(caught.value)
    assert "do-not-print-me" not in str(caught.value)
    assert apply(client, objects, cluster, "models", replace=["Job"], check=True).counts()["replaced"] == 1
    assert live(client, job)["metadata"]["uid"] == uid
    assert apply(client, objects, cluster, "models", replace=["Job"]).counts()["replaced"] == 1
    assert live(client, job)["metadata"]["uid"] != uid


def test_no_value_of_a_secret_is_told(client: Client, cluster: str, namespace: dict[str, Any]) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": cluster},
        "stringData": {"kept": "first-value-kept", "moved": "first-value-moved"},
    }
    first = apply(client, [namespace, secret], cluster, "gateway")
    secret["stringData"] = {"kept": "first-value-kept", "moved": "second-value-moved", "new": "third-value"}
    second = apply(client, [namespace, secret], cluster, "gateway")
    told = json.dumps([first.diffs(), second.diffs(), first.summary(), second.summary()])
    for hidden in ("value-kept", "value-moved", "third-value", "Zmlyc3Q", "c2Vjb25k", "dGhpcmQ"):
        assert hidden not in told
    diff = second.diffs()[0]
    assert "moved: <hidden, changed>" in diff["after"] and "kept: <hidden>" in diff["after"]
    assert "new: <hidden>" in diff["after"] and "new" not in diff["before"]
    broken = copy.deepcopy(secret)
    broken["stringData"] = {"bad key!": "value-not-to-print"}
    with pytest.raises(ApplyError) as caught:
        apply(client, [broken], cluster, "gateway")
    assert "value-not-to-print" not in str(caught.value)


def test_an_object_being_deleted_is_waited_for_and_made_again(
    client: Client, cluster: str, namespace: dict[str, Any]
) -> None:
    held = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "held", "namespace": cluster, "finalizers": ["test.llmfleet.io/hold"]},
    }
    apply(client, [namespace, held], cluster, "models")
    path = client.discovery.resource("v1", "ConfigMap").path(cluster, "held")
    client.delete(path)
    with pytest.raises(ApplyError, match=r"still being deleted; its finalizers: test\.llmfleet\.io/hold"):
        apply(client, [namespace, held], cluster, "models", timeout=2)
    client.request("PATCH", path, body={"metadata": {"finalizers": None}}, content_type="application/merge-patch+json")
    held["metadata"].pop("finalizers")
    assert apply(client, [namespace, held], cluster, "models", timeout=20).counts()["created"] == 1


def as_set(objects: Objects, namespace: str) -> Objects:
    """The objects as an ApplySet, its parent first."""
    label = {applyset.MEMBER_LABEL: applyset.identifier("set", namespace)}
    members = [
        {**o, "metadata": {**o["metadata"], "labels": {**(o["metadata"].get("labels") or {}), **label}}}
        for o in objects
    ]
    return [applyset.parent("set", namespace, members), *members]


def test_prune_takes_what_is_ours_and_left_out_only(client: Client, cluster: str, objects: Objects) -> None:
    def applied(wanted: Objects, check: bool) -> tuple[Pruned, ApplyResult]:
        done = apply(client, wanted, cluster, "models", check=check)
        return prune(client, cluster, wanted[0], done.items, check=check, timeout=30), done

    _none, done = applied(as_set(objects, cluster), check=False)
    assert _none == Pruned() and done.counts()["created"] == len(objects) + 1
    resource = client.discovery.resource("v1", "ConfigMap")
    # Somebody else's, and one of ours that is of no set.
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "foreign", "namespace": cluster}}
    foreign["metadata"]["labels"] = {applyset.MEMBER_LABEL: applyset.identifier("set", cluster)}
    client.request("POST", resource.path(cluster), body=foreign)
    alone = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "alone", "namespace": cluster}}
    apply(client, [alone], cluster, "models")
    gone = {("ConfigMap", "c1"), ("ConfigMap", "c2"), ("PersistentVolumeClaim", "pvc"), ("Widget", "w1")}
    keep = as_set([o for o in objects if (o["kind"], o["metadata"]["name"]) not in gone], cluster)
    foreseen, _checked = applied(keep, check=True)
    assert {(o["kind"], o["name"]) for o in foreseen.objects} == gone - {("PersistentVolumeClaim", "pvc")}
    pruned, _done = applied(keep, check=False)
    assert pruned.objects == foreseen.objects and len(pruned.diffs) == 3
    left = {o["metadata"]["name"] for o in client.list(resource, cluster)}
    assert {"foreign", "alone"} <= left and not left & {"c1", "c2"}
    assert live(client, find(objects, "PersistentVolumeClaim"))
    # The claim stays, and so the parent goes on naming its kind; the kind of the widget that went is named no more.
    named = applyset.kinds_of(client.find(resource.path(cluster, "set")))
    assert "PersistentVolumeClaim" in named and not any(kind.startswith("Widget") for kind in named)
    before = client.writes
    again, done = applied(keep, check=False)
    assert again == Pruned() and not done.changed and client.writes == before


def test_prune_of_chosen_models_takes_nothing_of_others(
    client: Client, cluster: str, namespace: dict[str, Any]
) -> None:
    def config(name: str, model: str) -> dict[str, Any]:
        labels = {"app.kubernetes.io/name": model}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": cluster, "labels": labels},
        }

    apply(client, [namespace], cluster, "models")
    apply(client, as_set([config("a1", "a"), config("a2", "a"), config("b1", "b")], cluster), cluster, "models")
    wanted = as_set([config("a1", "a")], cluster)
    done = apply(client, wanted, cluster, "models")
    pruned = prune(client, cluster, wanted[0], done.items, only=["a"], check=False, timeout=30)
    assert [obj["name"] for obj in pruned.objects] == ["a2"]


def test_prune_wants_a_parent(objects: Objects) -> None:
    with pytest.raises(ClusterError, match="got objects with 0 parents of an ApplySet"):
        parent_among(objects)
