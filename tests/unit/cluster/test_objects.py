# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of objects, their waves, labels and diffs; plain values; errors; discovery."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible.parsing.vault import EncryptedString
from ansible.template import trust_as_template
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import prepare, wave
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Discovery
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError, UnknownKind
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import diff_entry
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.plain import plain
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.plan import STAGES, stage_of
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.applyset import parent


def config_map(name: str = "a", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, **more}


def test_prepare_labels_and_tidies() -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "n", "labels": {"mine": "x", "llmfleet.io/layer": "wrong"}},
        "data": {"a": "YQ=="},
        "stringData": {"b": "text", "a": "over"},
        "status": {"x": 1},
        "type": None,
    }
    item = prepare([{"kind": "List", "apiVersion": "v1", "items": [secret]}], "demo", "gateway")[0]
    assert item.desired == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "namespace": "n",
            "labels": {
                "mine": "x",
                "app.kubernetes.io/managed-by": "llmfleet",
                "llmfleet.io/cluster": "demo",
                "llmfleet.io/layer": "gateway",
            },
        },
        "data": {"a": base64.b64encode(b"over").decode(), "b": base64.b64encode(b"text").decode()},
    }
    assert "stringData" in secret  # the caller's object is left alone


def test_prepare_tells_all_faults_at_once() -> None:
    objects = [
        "text",
        {"kind": "ConfigMap", "metadata": {"name": "x"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}},
        config_map(metadata={"name": "a", "namespace": "n", "labels": {"n": 1}}),
        config_map("b"),
        config_map("b"),
    ]
    with pytest.raises(ClusterError) as caught:
        prepare(objects, "demo", "models")
    assert str(caught.value).splitlines() == [
        "objects[0]: got a str; accepted: a Kubernetes object",
        "objects[1]: apiVersion: got None; accepted: text such as apps/v1",
        "objects[2]: ConfigMap: metadata.name is missing; accepted: a fixed name",
        "objects[3]: ConfigMap n/a: metadata.labels[n]: accepted: text (quote it)",
        "objects[5]: ConfigMap n/b is already at objects[4]; accepted: each object once",
    ]
    with pytest.raises(ClusterError, match="layer"):
        prepare([], "demo", "nonsense")


def test_waves() -> None:
    kinds = ["Deployment", "Secret", "CustomResourceDefinition", "Namespace"]
    objects = [{"kind": kind, "metadata": {"name": "x"}} for kind in kinds] + [parent("set", "n", [])]
    found = [obj["kind"] for obj in sorted(objects, key=wave)]
    assert found == ["Namespace", "ConfigMap", "CustomResourceDefinition", "Secret", "Deployment"]


def test_diff_leaves_out_noise() -> None:
    before = config_map(data={"a": "1"}, status={"x": 1})
    before["metadata"] |= {"uid": "u", "resourceVersion": "1", "generation": 1, "managedFields": [{}]}
    before["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "secret things"}
    entry = diff_entry(before, config_map(data={"a": "2"}))
    assert entry["before_header"] == "ConfigMap n/a"
    assert entry["before"].replace("'1'", "'2'") == entry["after"]
    assert diff_entry(None, config_map())["before"] == "" == diff_entry(config_map(), None)["after"]


def test_diff_hides_the_environment_of_containers() -> None:
    def deployment(**values: str) -> dict[str, Any]:
        env = [{"name": name, "value": value} for name, value in values.items()]
        from_secret = {"name": "REF", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
        containers = [{"name": "vllm", "args": ["--port=8000"], "env": [*env, from_secret]}]
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "m", "namespace": "n"},
            "spec": {"template": {"spec": {"containers": containers}}},
        }

    before, after = deployment(KEPT="kept-5f3a", MOVED="old-77b1"), deployment(KEPT="kept-5f3a", MOVED="new-91c4")
    entry = diff_entry(before, after)
    for value in ("kept-5f3a", "old-77b1", "new-91c4"):
        assert value not in json.dumps(entry)
    assert entry["after"].count("<hidden>") == 1 and entry["after"].count("<hidden, changed>") == 1
    assert entry["before"].count("<hidden>") == 2
    assert "--port=8000" in entry["after"] and "secretKeyRef" in entry["after"]
    assert after == deployment(KEPT="kept-5f3a", MOVED="new-91c4")  # what is shown is a copy
    assert "new-91c4" not in diff_entry(None, after)["after"]


def test_plain_has_no_tags_left() -> None:
    tagged = trust_as_template("{{ x }}")
    assert type(tagged) is not str
    found = plain({tagged: [tagged, (1, True, None, 1.5)]})
    assert found == {"{{ x }}": ["{{ x }}", [1, True, None, 1.5]]}
    assert type(next(iter(found))) is str is type(found["{{ x }}"][0])
    assert json.dumps(found)
    with pytest.raises(TypeError, match="a bytes is not accepted"):
        plain(b"x")
    assert EncryptedString.__name__ == "EncryptedString"  # plain() knows it by name


def test_conflicts_name_manager_and_field() -> None:
    message = 'conflict with "kubectl-edit" using policy/v1'
    cause = {"reason": "FieldManagerConflict", "message": message, "field": ".spec.x"}
    body = {"message": "Apply failed with 1 conflict", "reason": "Conflict", "details": {"causes": [cause]}}
    assert ApiError(409, body).conflicts == [("kubectl-edit", ".spec.x")]


def test_rejected_values_are_not_repeated() -> None:
    value = 'Invalid value: core.PodTemplateSpec{Env:{"T": "hidden: value"}}: field is immutable'
    body = {"message": value, "details": {"causes": [{"field": "spec.template", "message": value}]}}
    assert ApiError(422, body).brief() == "spec.template: field is immutable"


DISCOVERY = {
    "/api": {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {
                "metadata": {},
                "versions": [
                    {
                        "version": "v1",
                        "resources": [
                            {
                                "resource": "pods",
                                "scope": "Namespaced",
                                "responseKind": {"kind": "Pod"},
                                "verbs": ["list"],
                            }
                        ],
                    }
                ],
            }
        ],
    },
    "/apis": {
        "kind": "APIGroupDiscoveryList",
        "items": [
            {
                "metadata": {"name": "x.io"},
                "versions": [
                    {
                        "version": version,
                        "freshness": "Stale" if version == "v3" else "Current",
                        "resources": [
                            {
                                "resource": "things",
                                "scope": "Cluster",
                                "responseKind": {"kind": "Thing"},
                                "verbs": ["get"],
                            }
                        ],
                    }
                    for version in ("v2", "v1", "v3")
                ],
            }
        ],
    },
}


def test_discovery() -> None:
    asked: list[str] = []

    def get(path: str, accept: str) -> Any:
        asked.append(path)
        return DISCOVERY[path]

    discovery = Discovery(get)
    assert discovery.resource("v1", "Pod").path("a b", "p") == "/api/v1/namespaces/a%20b/pods/p"
    assert discovery.resource("x.io/v1", "Thing").path(None, "t") == "/apis/x.io/v1/things/t"
    preferred = discovery.by_plural("x.io", "things")
    assert preferred is not None and preferred.version == "v2"
    assert [r.version for r in discovery.preferred()] == ["v1", "v2"]
    assert discovery.stale == {"x.io/v3"}
    assert asked == ["/api", "/apis"]
    with pytest.raises(UnknownKind, match=r"does not serve x\.io/v1 Other: its CRD is not installed"):
        discovery.resource("x.io/v1", "Other")
    discovery.refresh()
    assert discovery.has("v1", "Pod") and len(asked) == 4
    with pytest.raises(ClusterError, match=r"Kubernetes 1\.30 or later"):
        Discovery(lambda path, accept: {"kind": "APIGroupList"}).resources()


def test_stages_of_a_layer() -> None:
    def stage(group: str, kind: str) -> int:
        from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource

        return STAGES.index(stage_of(Resource(group, "v1", kind, "x", True)))

    order = [
        stage("keda.sh", "ScaledObject"),
        stage("apps", "Deployment"),
        stage("", "PersistentVolumeClaim"),
        stage("", "PersistentVolume"),
        stage("gateway.networking.k8s.io", "GatewayClass"),
        stage("rbac.authorization.k8s.io", "ClusterRole"),
        stage("apiextensions.k8s.io", "CustomResourceDefinition"),
        stage("", "Namespace"),
    ]
    assert order == sorted(set(order))
    workload = stage("apps", "Deployment")
    assert {stage("gateway.networking.k8s.io", "Gateway"), stage("karpenter.sh", "NodePool")} == {workload}
    # What watches a workload goes with it; what its controller needs (policies, accounts) later.
    watching = {stage("monitoring.coreos.com", "PodMonitor"), stage("operator.victoriametrics.com", "VMRule")}
    assert watching == {stage("leaderworkerset.x-k8s.io", "LeaderWorkerSet")} == {workload}
