# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readiness of each kind, from objects as API servers and controllers write them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import masked, pods_of, trouble, unready
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.readiness import verdict


def obj(
    kind: str, api: str, status: dict[str, Any], spec: dict[str, Any] | None = None, generation: int = 2
) -> dict[str, Any]:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "x", "generation": generation, "uid": "u"},
        "spec": spec or {},
        "status": status,
    }


def cond(kind: str, value: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": value, **more}


def parents(*conditions: dict[str, Any], name: str = "gw") -> dict[str, Any]:
    return {"parentRef": {"kind": "Gateway", "name": name}, "conditions": list(conditions)}


def deployment(wanted: int | None = 1, /, **status: Any) -> dict[str, Any]:
    full = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, **status}
    return obj("Deployment", "apps/v1", full, {} if wanted is None else {"replicas": wanted})


def groups(wanted: int = 2, /, available: str | None = "True", about: int = 2, **status: Any) -> dict[str, Any]:
    """A LeaderWorkerSet as its controller leaves it; available: of the condition, about: its generation."""
    full = {"observedGeneration": 2, "replicas": wanted, "updatedReplicas": wanted, "readyReplicas": wanted, **status}
    if available:
        full["conditions"] = [cond("Available", available, reason="AllGroupsReady", observedGeneration=about)]
    return obj("LeaderWorkerSet", "leaderworkerset.x-k8s.io/v1", full, {"replicas": wanted})


GATEWAY = "gateway.networking.k8s.io/v1"
FALLING_BACK = obj(
    "ScaledObject",
    "keda.sh/v1alpha1",
    {
        "conditions": [cond("Ready"), cond("Fallback", reason="FallbackExists", message="At least one trigger")],
        "health": {"s0-prometheus": {"status": "Failing"}, "s1-prometheus": {"status": "Happy"}},
    },
)
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("groups", groups(), "ready"),
    ("no groups", groups(0), "ready"),
    ("groups never seen", obj("LeaderWorkerSet", "leaderworkerset.x-k8s.io/v1", {}, {"replicas": 1}), "waiting"),
    ("groups of an earlier generation", groups(observedGeneration=1), "waiting"),
    ("a controller that tells its generation in conditions only", groups(observedGeneration=None, about=1), "waiting"),
    ("groups of an earlier version", groups(updatedReplicas=1), "waiting"),
    ("groups that are not ready", groups(readyReplicas=1), "waiting"),
    ("groups more than wanted", groups(replicas=3), "waiting"),
    ("groups that are being replaced", groups(available="False"), "waiting"),
    ("groups that were never available", groups(available=None), "waiting"),
    ("deployment", deployment(), "ready"),
    ("default of one replica", deployment(None, updatedReplicas=0, replicas=0, availableReplicas=0), "waiting"),
    ("scaled to zero", deployment(0, updatedReplicas=0, replicas=0, availableReplicas=0), "ready"),
    ("earlier generation", deployment(observedGeneration=1), "waiting"),
    ("never seen", obj("Deployment", "apps/v1", {}), "waiting"),
    ("old pods", deployment(replicas=2, availableReplicas=2), "waiting"),
    ("not available", deployment(availableReplicas=0), "waiting"),
    (
        "deadline",
        deployment(availableReplicas=0, conditions=[cond("Progressing", "False", reason="ProgressDeadlineExceeded")]),
        "failing",
    ),
    (
        "deadline of an earlier generation",
        deployment(observedGeneration=1, conditions=[cond("Progressing", "False", reason="ProgressDeadlineExceeded")]),
        "waiting",
    ),
    (
        "quota",
        deployment(updatedReplicas=0, conditions=[cond("ReplicaFailure", reason="FailedCreate", message="quota")]),
        "failing",
    ),
    (
        "daemon set",
        obj(
            "DaemonSet",
            "apps/v1",
            {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2},
        ),
        "ready",
    ),
    (
        "daemon set half way",
        obj(
            "DaemonSet",
            "apps/v1",
            {"observedGeneration": 2, "desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 2},
        ),
        "waiting",
    ),
    (
        "stateful set",
        obj(
            "StatefulSet",
            "apps/v1",
            {"observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 2},
            {"replicas": 2},
        ),
        "ready",
    ),
    (
        "stateful set not updated",
        obj(
            "StatefulSet",
            "apps/v1",
            {"observedGeneration": 2, "readyReplicas": 2, "updatedReplicas": 1},
            {"replicas": 2},
        ),
        "waiting",
    ),
    ("job", obj("Job", "batch/v1", {"conditions": [cond("SuccessCriteriaMet"), cond("Complete")]}), "ready"),
    ("job running", obj("Job", "batch/v1", {"active": 1}), "waiting"),
    ("job suspended", obj("Job", "batch/v1", {}, {"suspend": True}), "ready"),
    ("job failed", obj("Job", "batch/v1", {"conditions": [cond("Failed", reason="BackoffLimitExceeded")]}), "failing"),
    ("job about to fail", obj("Job", "batch/v1", {"conditions": [cond("FailureTarget")]}), "failing"),
    ("claim bound", obj("PersistentVolumeClaim", "v1", {"phase": "Bound"}), "ready"),
    ("claim pending", obj("PersistentVolumeClaim", "v1", {"phase": "Pending"}), "waiting"),
    ("claim lost", obj("PersistentVolumeClaim", "v1", {"phase": "Lost"}), "failing"),
    ("volume", obj("PersistentVolume", "v1", {"phase": "Available"}), "ready"),
    ("namespace", obj("Namespace", "v1", {"phase": "Active"}), "ready"),
    ("service", obj("Service", "v1", {"loadBalancer": {}}, {"type": "ClusterIP"}), "ready"),
    ("balancer pending", obj("Service", "v1", {"loadBalancer": {}}, {"type": "LoadBalancer"}), "waiting"),
    (
        "balancer",
        obj("Service", "v1", {"loadBalancer": {"ingress": [{"hostname": "h"}]}}, {"type": "LoadBalancer"}),
        "ready",
    ),
    (
        "crd",
        obj(
            "CustomResourceDefinition",
            "apiextensions.k8s.io/v1",
            {"conditions": [cond("NamesAccepted"), cond("Established")]},
        ),
        "ready",
    ),
    (
        "crd names taken",
        obj("CustomResourceDefinition", "apiextensions.k8s.io/v1", {"conditions": [cond("NamesAccepted", "False")]}),
        "failing",
    ),
    ("api service", obj("APIService", "apiregistration.k8s.io/v1", {"conditions": [cond("Available")]}), "ready"),
    (
        "gateway as created",
        obj(
            "Gateway",
            GATEWAY,
            {"conditions": [cond("Accepted", "Unknown", reason="Pending"), cond("Programmed", "Unknown")]},
        ),
        "waiting",
    ),
    (
        "gateway",
        obj(
            "Gateway",
            GATEWAY,
            {"conditions": [cond("Accepted", observedGeneration=2), cond("Programmed", observedGeneration=2)]},
        ),
        "ready",
    ),
    (
        "gateway of an earlier generation",
        obj(
            "Gateway",
            GATEWAY,
            {"conditions": [cond("Accepted", observedGeneration=2), cond("Programmed", observedGeneration=1)]},
        ),
        "waiting",
    ),
    (
        "gateway without address",
        obj(
            "Gateway",
            GATEWAY,
            {"conditions": [cond("Accepted"), cond("Programmed", "False", reason="AddressNotAssigned")]},
        ),
        "waiting",
    ),
    (
        "gateway whose proxies start",
        obj("Gateway", GATEWAY, {"conditions": [cond("Accepted"), cond("Programmed", "False", reason="NoResources")]}),
        "waiting",
    ),
    (
        "gateway refused",
        obj("Gateway", GATEWAY, {"conditions": [cond("Accepted", "False", reason="Invalid"), cond("Programmed")]}),
        "failing",
    ),
    ("gateway class", obj("GatewayClass", GATEWAY, {"conditions": [cond("Accepted", observedGeneration=2)]}), "ready"),
    (
        "route",
        obj("HTTPRoute", GATEWAY, {"parents": [parents(cond("Accepted"), cond("ResolvedRefs"))]}, {"parentRefs": [{}]}),
        "ready",
    ),
    (
        "route with one of two parents",
        obj(
            "HTTPRoute",
            GATEWAY,
            {"parents": [parents(cond("Accepted"), cond("ResolvedRefs"))]},
            {"parentRefs": [{}, {}]},
        ),
        "waiting",
    ),
    (
        "route without backend",
        obj(
            "HTTPRoute",
            GATEWAY,
            {"parents": [parents(cond("Accepted"), cond("ResolvedRefs", "False", reason="BackendNotFound"))]},
            {"parentRefs": [{}]},
        ),
        "failing",
    ),
    ("route nobody looked at", obj("HTTPRoute", GATEWAY, {}, {"parentRefs": [{}]}), "waiting"),
    (
        "policy",
        obj("SecurityPolicy", "gateway.envoyproxy.io/v1alpha1", {"ancestors": [{"conditions": [cond("Accepted")]}]}),
        "ready",
    ),
    ("policy nobody looked at", obj("ClientTrafficPolicy", "gateway.envoyproxy.io/v1alpha1", {}), "waiting"),
    (
        "policy refused",
        obj(
            "EnvoyExtensionPolicy",
            "gateway.envoyproxy.io/v1alpha1",
            {
                "ancestors": [
                    {"ancestorRef": {"kind": "Gateway", "name": "g"}, "conditions": [cond("Accepted", "False")]}
                ]
            },
        ),
        "failing",
    ),
    (
        "policy whose Service has no pods yet",
        obj(
            "EnvoyExtensionPolicy",
            "gateway.envoyproxy.io/v1alpha1",
            {
                "ancestors": [
                    {
                        "ancestorRef": {"kind": "Gateway", "name": "g"},
                        "conditions": [
                            cond(
                                "Accepted",
                                "False",
                                reason="Invalid",
                                message="ExtProc: no ready endpoints for the related Service g/body-router.",
                            )
                        ],
                    }
                ]
            },
        ),
        "waiting",
    ),
    ("node pool", obj("NodePool", "karpenter.sh/v1", {"conditions": [cond("Ready", observedGeneration=2)]}), "ready"),
    ("node class", obj("EC2NodeClass", "karpenter.k8s.aws/v1", {"conditions": [cond("Ready", "False")]}), "failing"),
    ("scaled object", obj("ScaledObject", "keda.sh/v1alpha1", {"conditions": [cond("Ready")]}), "ready"),
    ("scaled object as created", obj("ScaledObject", "keda.sh/v1alpha1", {}), "waiting"),
    (
        "scaled object with a wrong target",
        obj(
            "ScaledObject",
            "keda.sh/v1alpha1",
            {"conditions": [cond("Ready", "False", reason="ScaledObjectCheckFailed")]},
        ),
        "failing",
    ),
    (
        "scaled object whose triggers partly fail",
        obj(
            "ScaledObject", "keda.sh/v1alpha1", {"conditions": [cond("Ready", "Unknown", reason="PartialTriggerError")]}
        ),
        "waiting",
    ),
    ("scaled object on its fallback", FALLING_BACK, "waiting"),
    (
        "scaled object whose fallback is over",
        obj("ScaledObject", "keda.sh/v1alpha1", {"conditions": [cond("Ready"), cond("Fallback", "False")]}),
        "ready",
    ),
    ("scrape", obj("PodMonitor", "monitoring.coreos.com/v1", {}), "ready"),
    (
        "scrape that is refused",
        obj(
            "PodMonitor",
            "monitoring.coreos.com/v1",
            {"bindings": [{"name": "k8s", "conditions": [cond("Accepted", "False", reason="InvalidConfiguration")]}]},
        ),
        "failing",
    ),
    (
        "rules that are accepted",
        obj(
            "PrometheusRule",
            "monitoring.coreos.com/v1",
            {"bindings": [{"name": "k8s", "conditions": [cond("Accepted")]}]},
        ),
        "ready",
    ),
    (
        "other scrape",
        obj("VMPodScrape", "operator.victoriametrics.com/v1beta1", {"updateStatus": "operational"}),
        "ready",
    ),
    ("other rules", obj("VMRule", "operator.victoriametrics.com/v1beta1", {"updateStatus": "failed"}), "failing"),
    (
        "certificate",
        obj("Certificate", "cert-manager.io/v1", {"conditions": [cond("Ready", observedGeneration=1)]}),
        "waiting",
    ),
    ("external secret", obj("ExternalSecret", "external-secrets.io/v1", {"conditions": [cond("Ready")]}), "ready"),
    ("kind without a rule", obj("ConfigMap", "v1", {}), "ready"),
    ("a NodePool of somebody else", obj("NodePool", "example.com/v1", {}), "ready"),
]


@pytest.mark.parametrize(("case", "state"), [(c[1], c[2]) for c in CASES], ids=[c[0] for c in CASES])
def test_verdict(case: dict[str, Any], state: str) -> None:
    found = verdict(case)
    assert found.state == state
    assert state == "ready" or found.reason


def test_an_object_that_goes_is_not_ready() -> None:
    going = deployment()
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert verdict(going).state == "failing"


def test_what_may_still_heal_has_a_grace_and_what_cannot_has_none() -> None:
    by_name = {c[0]: c[1] for c in CASES}
    assert verdict(by_name["job failed"]).grace == 0 == verdict(by_name["deadline"]).grace
    assert verdict(by_name["route without backend"]).grace > 10
    assert verdict(by_name["node class"]).grace > 10


def pod(name: str, owner: str, *containers: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "n", "ownerReferences": [{"uid": owner}]},
        "status": {"containerStatuses": list(containers), **status},
    }


def waits(reason: str, restarts: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": "c", "restartCount": restarts, "state": {"waiting": {"reason": reason, "message": "m"}}, **more}


@pytest.mark.parametrize(
    ("container", "grace"),
    [
        (waits("ErrImageNeverPull"), 0),
        (waits("InvalidImageName"), 0),
        (waits("ImagePullBackOff"), 60),
        (waits("CreateContainerConfigError"), 60),
        (waits("CrashLoopBackOff", 3), 0),
        (waits("CrashLoopBackOff", 2), None),
        (waits("ContainerCreating"), None),
        ({"name": "c", "state": {"running": {}}, "ready": False}, None),
    ],
)
def test_container_states(container: dict[str, Any], grace: float | None) -> None:
    found = trouble([pod("p", "o", container)])
    assert (found[0].grace if found else None) == grace


def test_the_worst_container_is_told_and_jobs_count_their_crashes_themselves() -> None:
    pods = [pod("a", "o", waits("ImagePullBackOff")), pod("b", "o", waits("CrashLoopBackOff", 9))]
    found = trouble(pods)
    assert found is not None and found[0].reason.startswith("pod b, container c: CrashLoopBackOff")
    assert trouble(pods[1:], crashes_count=False) is None


def test_only_pods_of_the_present_revision_count() -> None:
    def replica_set(uid: str, revision: str) -> dict[str, Any]:
        metadata = {
            "uid": uid,
            "ownerReferences": [{"uid": "d"}],
            "annotations": {"deployment.kubernetes.io/revision": revision},
        }
        labels = {"app": "x", "pod-template-hash": uid}
        return {"metadata": metadata, "spec": {"template": {"metadata": {"labels": labels}, "spec": {"hostname": uid}}}}

    def workload(uid: str) -> dict[str, Any]:
        template = {"metadata": {"labels": {"app": "x"}, "creationTimestamp": None}, "spec": {"hostname": uid}}
        return {"kind": "Deployment", "metadata": {"uid": "d"}, "spec": {"template": template}}

    pods = [pod("old", "rs9"), pod("new", "rs10"), pod("other", "x")]
    sets = [replica_set("rs10", "10"), replica_set("rs9", "9")]
    assert [p["metadata"]["name"] for p in pods_of(workload("rs10"), pods, sets)] == ["new"]
    # One that recreates has no ReplicaSet of its own until the last of the old pods has ended.
    assert pods_of(workload("rs11"), pods, sets) == []
    assert pods_of({"kind": "Job", "metadata": {"uid": "x"}}, pods, []) == [pods[2]]


def test_why_pods_are_not_ready() -> None:
    unschedulable = pod(
        "a", "o", conditions=[cond("PodScheduled", "False", reason="Unschedulable", message="0/1 nodes")]
    )
    running = pod("b", "o", {"name": "c", "state": {"running": {}}, "ready": False}, phase="Running")
    ready = pod("c", "o", conditions=[cond("Ready")])
    assert unready([unschedulable, running, ready]) == [
        "pod a: Unschedulable: 0/1 nodes",
        "pod b: Running; c runs, not ready",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer sk-abcdef0123",
        "token=abcdef0123",
        "--tokens=abcdef0123",
        "tokens: 12abcdef0123",
        "HF token is hf_abcdef0123",
        "password: abcdef0123",
        "api_key=abcdef0123",
        "using AKIAABCDEF0123ABCDEF0",
        "got eyJhbGciOiJSUzI1NiJ9.abcdef0123.x",
    ],
)
def test_credentials_in_logs_are_masked(text: str) -> None:
    assert "abcdef0123" not in masked(text) and "ABCDEF0123" not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "ValueError: No available memory for the cache blocks. Try gpu_memory_utilization 0.9",
        "arguments with --max-num-batched-tokens=1, without --max-model-len=64",
        "prompt_tokens: 5, completion_tokens: 16",
    ],
)
def test_ordinary_log_lines_stay(text: str) -> None:
    assert masked(text) == text


def test_a_fallback_names_the_triggers_that_fail() -> None:
    reason = verdict(FALLING_BACK).reason
    assert "FallbackExists" in reason and "s0-prometheus" in reason and "s1-prometheus" not in reason
