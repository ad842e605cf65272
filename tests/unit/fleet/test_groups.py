# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model whose replica takes several nodes: a LeaderWorkerSet."""

from __future__ import annotations

import copy
import os
import socket
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import build_pod

Object = dict[str, Any]
LEADER = {"leaderworkerset.sigs.k8s.io/worker-index": "0"}


@pytest.fixture
def found(variables: Any, objects: Any) -> dict[str, Object]:
    """The objects of a model of three nodes, twice."""
    variables["llmfleet_gpu_pools"][0]["limit"] = 12
    variables["llmfleet_models"][0] |= {
        "gpu": {"pool": "l4", "nodes": 3},
        "scaling": {"min": 2, "max": 2},
        "labels": {"a": "b"},
    }
    variables["llmfleet_models"][0]["rollout"] = {"priority": "high"}
    return objects()  # type: ignore[no-any-return]


def _template(found: dict[str, Object], part: str) -> Object:
    return found["LeaderWorkerSet/qwen"]["spec"]["leaderWorkerTemplate"][part]  # type: ignore[no-any-return]


def _container(found: dict[str, Object], part: str) -> Object:
    (container,) = _template(found, part)["spec"]["containers"]
    return container  # type: ignore[no-any-return]


def test_one_node_is_a_deployment(variables: Any, objects: Any) -> None:
    assert "LeaderWorkerSet/qwen" not in objects() and "NetworkPolicy/qwen-group" not in objects()


def test_a_group_instead_of_a_deployment(found: dict[str, Object]) -> None:
    assert "Deployment/qwen" not in found
    group = found["LeaderWorkerSet/qwen"]
    assert group["apiVersion"] == "leaderworkerset.x-k8s.io/v1"
    spec = group["spec"]
    template = spec["leaderWorkerTemplate"]
    assert spec["replicas"] == 2 and template["size"] == 3
    assert template["restartPolicy"] == "RecreateGroupOnPodRestart" and spec["startupPolicy"] == "LeaderCreated"
    rolling = spec["rolloutStrategy"]["rollingUpdateConfiguration"]
    assert (rolling["maxSurge"], rolling["maxUnavailable"], rolling["partition"]) == (1, 0, 0)
    # A headless Service that all groups share would have the name of the model's own.
    assert spec["networkConfig"] == {"subdomainPolicy": "UniquePerReplica"} and "Service/qwen" in found


def test_requests_go_to_leaders_only(found: dict[str, Object]) -> None:
    selector = found["Service/qwen"]["spec"]["selector"]
    assert LEADER.items() <= selector.items()
    for part in ("leaderTemplate", "workerTemplate"):
        labels = _template(found, part)["metadata"]["labels"]
        assert {key: value for key, value in selector.items() if key not in LEADER}.items() <= labels.items()
        assert labels["a"] == "b" and not LEADER.keys() & labels.keys()
        assert _template(found, part)["metadata"]["annotations"] == {"karpenter.sh/do-not-disrupt": "true"}


def test_leader_and_workers(found: dict[str, Object]) -> None:
    leader, worker = _container(found, "leaderTemplate"), _container(found, "workerTemplate")
    assert leader["name"] == worker["name"] == "vllm"
    assert leader["command"][-3:] == ["python3", "-m", "vllm.entrypoints.openai.api_server"]
    assert worker["command"][-3:] == ["python3", "-m", "vllm.entrypoints.cli.main"]
    assert leader["args"][0] == "--model" and worker["args"][0] == "serve" and "--headless" in worker["args"]
    for key in ("image", "env", "resources", "volumeMounts", "securityContext"):
        assert leader[key] == worker[key]
    # A worker answers no request and no probe.
    assert not {"ports", "startupProbe", "readinessProbe", "livenessProbe"} & worker.keys()
    one, other = _template(found, "leaderTemplate")["spec"], _template(found, "workerTemplate")["spec"]
    assert one["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"].items() >= LEADER.items()
    assert "topologySpreadConstraints" not in other
    for key in ("nodeSelector", "tolerations", "priorityClassName", "volumes", "terminationGracePeriodSeconds"):
        assert one[key] == other[key]


def test_the_groups_own_traffic(found: dict[str, Object]) -> None:
    spec = found["NetworkPolicy/qwen-group"]["spec"]
    labels = spec["podSelector"]["matchLabels"]
    assert labels == {
        key: value for key, value in found["Service/qwen"]["spec"]["selector"].items() if key not in LEADER
    }
    peers = [{"podSelector": {"matchLabels": labels}}]
    assert spec["ingress"] == [{"from": peers}] and spec["egress"] == [{"to": peers}]
    assert spec["policyTypes"] == ["Ingress", "Egress"]


def test_one_pod_of_all_groups_may_go(found: dict[str, Object]) -> None:
    spec = found["PodDisruptionBudget/qwen"]["spec"]
    assert spec["maxUnavailable"] == 1 and not LEADER.items() <= spec["selector"]["matchLabels"].items()


def test_groups_roll(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0] |= {"gpu": {"pool": "l4", "nodes": 2}, "scaling": {"min": 1, "max": 1}}
    assert fleet_of(variables).models[0].get("rollout.strategy") == "rolling"


def test_names_of_groups_are_taken(variables: Any, errors: Any) -> None:
    first = variables["llmfleet_models"][0]
    first |= {"gpu": {"pool": "l4", "nodes": 2}, "scaling": {"min": 1, "max": 1}}
    others = [copy.deepcopy(first) | {"name": name, "gpu": {"pool": "lab"}} for name in ("qwen-1", "qwen-2", "qwen-x")]
    variables["llmfleet_models"] += others
    assert errors(variables) == [
        "llmfleet_models[1] (qwen-1).name: got 'qwen-1': also a group of qwen, which takes several nodes; "
        "accepted: another name"
    ]
    first["gpu"] = {"pool": "l4"}
    assert errors(variables) == []


def test_nodes_count_against_the_pool(variables: Any, errors: Any) -> None:
    variables["llmfleet_models"][0]["gpu"] = {"pool": "l4", "nodes": 5}
    (line,) = errors(variables)
    assert "the models' minimum is 5 GPUs, and the pool has at most 4" in line


def test_a_worker_stays_until_its_leader_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        code = build_pod.WAIT_FOR_LEADER.replace(str(build_pod.RANKS_PORT), port)
        assert port in code
        environment = {**os.environ, "LWS_LEADER_ADDRESS": "127.0.0.1"}
        process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(3)
    assert process.wait(10) == 0
    unknown = {**environment, "LWS_LEADER_ADDRESS": "no-such-leader.invalid"}
    assert subprocess.run([sys.executable, "-c", code], env=unknown, timeout=30).returncode == 0
