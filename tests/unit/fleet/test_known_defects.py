# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defects of hand-made setups that what is rendered must not have: engine and replicas. One test a defect."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration, quantity, resources
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.compile_cache import MOUNT
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe

from tests.unit.fleet.reference import (
    ADAPTERS,
    NAMES,
    Object,
    Variables,
    containers,
    description,
    engine,
    engines,
    entries,
    manifests,
    pod_of,
)

TOKENS = re.compile(r"HF_TOKEN|HUGGING_?FACE_HUB_TOKEN|huggingface", re.IGNORECASE)
SCALED = ("qwen-coder", "qwen3-8b", "llamaguard3-1b")


@pytest.fixture
def fleet() -> Variables:
    """The reference fleet, to be changed."""
    return description()


def _queries(fleet: Variables) -> list[tuple[Object, Object]]:
    """Each trigger by load with the scaler that it is of."""
    found = [(scaler, each) for scaler in manifests(fleet, "ScaledObject") for each in scaler["spec"]["triggers"]]
    load = [(scaler, each) for scaler, each in found if each["type"] == "prometheus"]
    assert len(load) == 3 * len(SCALED)
    return load


def _model(fleet: Variables, name: str) -> Object:
    (found,) = [model for model in fleet["llmfleet_models"] if model["name"] == name]
    return found  # type: ignore[no-any-return]


# Scaling


def test_zero_replicas_are_zero_or_refused_and_never_one(fleet: Variables, errors: Any) -> None:
    _model(fleet, "qwen3-8b")["scaling"] = {"min": 0, "max": 2}
    lines = errors(fleet)
    if lines:
        assert [".scaling.min: got 0" in line for line in lines] == [True]
    else:
        (scaler,) = manifests(fleet, "ScaledObject", "qwen3-8b")
        assert scaler["spec"]["minReplicaCount"] == 0


def test_the_time_before_a_replica_goes_acts_above_one_replica_too(fleet: Variables) -> None:
    _model(fleet, "qwen3-8b")["scaling"]["scale_down_after"] = 420
    (scaler,) = manifests(fleet, "ScaledObject", "qwen3-8b")
    behavior = scaler["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == 420


def test_no_query_is_a_maximum_or_a_ratio(fleet: Variables) -> None:
    for _scaler, trigger in _queries(fleet):
        query = trigger["metadata"]["query"]
        metric = re.search(r"vllm:\w+", query)
        # The load is a sum; a maximum is only in the conditions about replicas, and nothing is divided.
        assert metric and query.startswith(f"(sum({metric[0]}{{") and f"max({metric[0]}" not in query
        assert "/" not in query.replace(trigger["metadata"]["serverAddress"], "")


def test_targets_are_absolute_so_that_the_maximum_can_be_reached(fleet: Variables) -> None:
    for scaler, trigger in _queries(fleet):
        model = _model(fleet, scaler["metadata"]["name"])
        full = {"running": model["engine"]["max_sequences"], "kv-cache": 1.0, "waiting": 1000.0}[trigger["name"]]
        replicas, most = 1, scaler["spec"]["maxReplicaCount"]
        # Every replica is at its most; the scaler asks for the sum over the target.
        for _step in range(10):
            replicas = min(most, -int(-replicas * full // float(trigger["metadata"]["threshold"])))
        assert trigger["metricType"] == "AverageValue" and replicas == most, trigger["name"]


def test_lost_metrics_take_no_replica_away(fleet: Variables) -> None:
    for scaler, trigger in _queries(fleet):
        fallback = scaler["spec"]["fallback"]
        assert fallback["behavior"] == "currentReplicasIfHigher"
        assert fallback["replicas"] >= scaler["spec"]["minReplicaCount"]
        assert trigger["metadata"]["ignoreNullValues"] == "false"


def test_every_series_of_a_query_names_the_namespace(fleet: Variables) -> None:
    fleet["llmfleet_models_namespace"] = "elsewhere"
    for _scaler, trigger in _queries(fleet):
        selectors = re.findall(r"\w+\{([^}]*)\}", trigger["metadata"]["query"])
        assert len(selectors) >= 4 and all('namespace="elsewhere"' in selector for selector in selectors)


# Engine


def test_offloading_moves_the_cache_and_no_weights(fleet: Variables) -> None:
    for name in ("qwen-coder", "qwen3-8b"):
        args = engine(fleet, name)["args"]
        assert args[args.index("--kv-offloading-size") + 1] == "16" and "--cpu-offload-gb" not in args
    # And the memory is there: the volume is as large, and what is requested has room for it.
    for deployment in (manifests(fleet, "Deployment", name)[0] for name in ("qwen-coder", "qwen3-8b")):
        (shm,) = [each["emptyDir"] for each in pod_of(deployment)["volumes"] if each["name"] == "shm"]
        (container,) = pod_of(deployment)["containers"]
        assert quantity.parse(shm["sizeLimit"]) >= 16 * 1024**3
        assert quantity.parse(container["resources"]["requests"]["memory"]) >= 20 * 1024**3


@pytest.mark.parametrize("name", NAMES)
def test_compiled_code_outlives_the_pod(name: str, fleet: Variables) -> None:
    (deployment,) = manifests(fleet, "Deployment", name)
    container = engine(fleet, name)
    (root,) = [each["value"] for each in container["env"] if each["name"] == "VLLM_CACHE_ROOT"]
    (mount,) = [each for each in container["volumeMounts"] if root.startswith(each["mountPath"] + "/")]
    (volume,) = [each for each in pod_of(deployment)["volumes"] if each["name"] == mount["name"]]
    assert mount["mountPath"] == MOUNT and not mount.get("readOnly") and "persistentVolumeClaim" in volume


@pytest.mark.parametrize("name", NAMES)
def test_requests_fit_the_smallest_type_of_the_pool(name: str, fleet: Variables) -> None:
    found = describe(fleet)
    (model,) = [each for each in found.models if each.name == name]
    (_type, smallest), *_larger = resources.allocatable(found.pool(model.get("gpu.pool")).fields)
    requests = engine(fleet, name)["resources"]["requests"]
    for key in ("cpu", "memory"):
        # With what runs on every node.
        assert Decimal(0) < quantity.parse(requests[key]) + resources.DAEMONS[key] <= smallest[key]


def test_a_request_that_no_node_holds_is_refused(fleet: Variables, errors: Any) -> None:
    # 16 GiB are the node's nominal memory.
    _model(fleet, "qwen-coder-fim")["resources"] = {"requests": {"cpu": "2", "memory": "16Gi"}}
    (line,) = errors(fleet)
    assert line.startswith("llmfleet_models[2] (qwen-coder-fim).resources.requests: ") and "g6.xlarge" in line


def test_no_serving_pod_has_what_opens_the_hub(fleet: Variables) -> None:
    for model in fleet["llmfleet_models"]:
        model["weights"]["token_secret"] = "huggingface"
    for deployment in engines(fleet):
        env = pod_of(deployment)["containers"][0]["env"]
        assert not any(TOKENS.search(json.dumps(each)) for each in env if each["name"] != "HF_HOME")
        assert {"name": "HF_HUB_OFFLINE", "value": "1"} in env
        assert "envFrom" not in pod_of(deployment)["containers"][0]
    # The fetchers have it, and only those of models that ask for it.
    assert "huggingface" in json.dumps(manifests(fleet, "Job", "llamaguard3-1b"))
    assert '"secretKeyRef"' not in json.dumps(manifests(description(), "Job", "qwen3-8b"))


def test_a_secret_twice_is_refused(fleet: Variables, errors: Any) -> None:
    _model(fleet, "qwen3-8b")["env_from_secrets"] = ["keys", "keys"]
    (line,) = errors(fleet)
    assert ".env_from_secrets[1]: " in line or ".env_from_secrets: " in line


def test_no_pod_has_a_token_of_the_api_server(fleet: Variables) -> None:
    workloads = [*engines(fleet), *manifests(fleet, "Job")]
    assert len(workloads) == 10
    for item in workloads:
        assert pod_of(item)["automountServiceAccountToken"] is False
        assert "serviceAccountToken" not in json.dumps(pod_of(item)["volumes"])
    accounts = {
        item["metadata"]["name"]: item["automountServiceAccountToken"] for item in manifests(fleet, "ServiceAccount")
    }
    # It does not start without one, and nothing is bound to its account.
    assert {name for name, token in accounts.items() if token} == {"body-router"}
    assert manifests(fleet, "RoleBinding") == manifests(fleet, "ClusterRoleBinding") == []


# Weights and rollout


def test_one_replica_at_most_is_recreated_and_all_others_roll(fleet: Variables) -> None:
    strategies = {item["metadata"]["name"]: item["spec"]["strategy"]["type"] for item in engines(fleet)}
    assert strategies == dict.fromkeys(SCALED, "RollingUpdate") | {"qwen-coder-fim": "Recreate"}


def test_replicas_spread_and_keep_a_budget(fleet: Variables) -> None:
    before = manifests(fleet, "PodDisruptionBudget")
    assert [item["metadata"]["name"] for item in before] == ["body-router"]
    _model(fleet, "llamaguard3-1b")["scaling"]["min"] = 2
    (budget,) = [item for item in manifests(fleet, "PodDisruptionBudget") if item not in before]
    (deployment,) = manifests(fleet, "Deployment", "llamaguard3-1b")
    assert budget["spec"]["maxUnavailable"] == 1 and budget["spec"]["selector"] == deployment["spec"]["selector"]
    keys = [each["topologyKey"] for each in pod_of(deployment)["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_weights_come_before_the_engine_and_hold_no_gpu(fleet: Variables) -> None:
    kinds = [entry["object"]["kind"] for entry in entries(fleet) if entry["layer"] == "models"]
    assert max(index for index, kind in enumerate(kinds) if kind == "Job") < kinds.index("Deployment")
    for job in manifests(fleet, "Job"):
        assert "nvidia.com/gpu" not in json.dumps(job)


def _jobs(fleet: Variables, model: str = "qwen-coder") -> dict[str, Object]:
    return {item["metadata"]["name"]: item for item in manifests(fleet, "Job", model)}


def test_an_adapter_more_leaves_the_jobs_that_there_are(fleet: Variables) -> None:
    before = _jobs(fleet)
    more = {"name": "third", "repository": "acme/third", "revision": "3" * 40}
    _model(fleet, "qwen-coder")["adapters"].append(more)
    after = _jobs(fleet)
    assert before.items() < after.items() and len(after) == len(before) + 1 == len(ADAPTERS) + 2


@pytest.mark.parametrize(
    "change", [{"files": ["*.json"]}, {"revision": "f" * 40}, {"token_secret": "other"}, {"repository": "o/n"}], ids=str
)
def test_a_change_of_a_job_is_another_job(change: Object, fleet: Variables) -> None:
    before = _jobs(fleet, "qwen3-8b")
    _model(fleet, "qwen3-8b")["weights"] |= change
    assert not before.keys() & _jobs(fleet, "qwen3-8b").keys()


def test_no_job_ends_by_itself_and_comes_back(fleet: Variables) -> None:
    for job in manifests(fleet, "Job"):
        assert (
            "ttlSecondsAfterFinished" not in job["spec"] and job["spec"]["template"]["spec"]["restartPolicy"] == "Never"
        )


def test_nothing_is_installed_when_it_runs(fleet: Variables) -> None:
    assert not re.search(
        r"\b(pip|uv|apt|apk|curl|wget)\b", json.dumps([each.get("command") for each in containers(fleet)])
    )


def test_fetchers_write_to_the_bucket_and_not_through_the_mount(fleet: Variables) -> None:
    for job in manifests(fleet, "Job"):
        (fetch,) = [each for each in pod_of(job)["initContainers"] if each["name"] == "fetch"]
        assert "weights" not in [mount["name"] for mount in fetch["volumeMounts"]]
        assert pod_of(job)["serviceAccountName"] == "weights-fetcher"


def test_a_start_may_take_its_budget(fleet: Variables) -> None:
    _model(fleet, "qwen3-8b")["startup"] = {"budget": "20m"}
    probe = engine(fleet, "qwen3-8b")["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] >= duration.seconds("20m")
