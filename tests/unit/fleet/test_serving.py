# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model wants: engine, route, weights."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Object = dict[str, Any]


def _model(variables: Any) -> Object:
    return variables["llmfleet_models"][0]  # type: ignore[no-any-return]


def _container(found: dict[str, Object], name: str = "qwen") -> Object:
    (container,) = found[f"Deployment/{name}"]["spec"]["template"]["spec"]["containers"]
    return container  # type: ignore[no-any-return]


def _job(found: dict[str, Object], name: str = "qwen") -> Object:
    (job,) = [item for key, item in found.items() if key.startswith(f"Job/{name}-weights-")]
    return job


def test_arguments_in_a_fixed_order(variables: Any, objects: Any) -> None:
    assert _container(objects())["args"] == [
        *("--model", f"/models/{COMMIT}", "--served-model-name", "qwen", "--host", "0.0.0.0", "--port", "8000"),
        *("--max-model-len", "4096", "--max-num-seqs", "64", "--gpu-memory-utilization", "0.92"),
        *("--tensor-parallel-size", "1", "--enable-prefix-caching", "--shutdown-timeout", "600"),
    ]
    _model(variables)["engine"] = {
        "context_length": 8192,
        "max_sequences": 8,
        "gpu_memory_utilization": 0.5,
        "prefix_caching": False,
        "quantization": "fp8",
        "tool_call_parser": "hermes",
        "reasoning_parser": "qwen3",
        "extra_args": ["--enforce-eager", "--dtype=float32"],
    }
    _model(variables)["gateway"] = {"timeout": "2m"}
    _model(variables)["gpu"] = {"pool": "lab", "count": 2}
    assert _container(objects())["args"][8:] == [
        *("--max-model-len", "8192", "--max-num-seqs", "8", "--gpu-memory-utilization", "0.5"),
        *("--tensor-parallel-size", "2", "--no-enable-prefix-caching", "--shutdown-timeout", "120"),
        *("--quantization", "fp8", "--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
        *("--reasoning-parser", "qwen3", "--enforce-eager", "--dtype=float32"),
    ]


def test_the_pod_is_restricted_and_has_no_token(objects: Any) -> None:
    found = objects()
    for owner in ("Deployment/qwen", next(key for key in found if key.startswith("Job/"))):
        pod = found[owner]["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False and pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsUser"] == 1001 and pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False and context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
    for account in ("ServiceAccount/qwen", "ServiceAccount/weights-fetcher"):
        assert found[account]["automountServiceAccountToken"] is False


def test_the_engine_is_offline_and_reads_its_weights_only(variables: Any, objects: Any) -> None:
    _model(variables)["engine"] = {"env": {"VLLM_LOGGING_LEVEL": "DEBUG"}}
    _model(variables)["env_from_secrets"] = ["more"]
    _model(variables)["weights"]["token_secret"] = "hf"
    found = objects()
    container = _container(found)
    env = {item["name"]: item["value"] for item in container["env"]}
    assert env["HF_HUB_OFFLINE"] == "1" and env["HOME"] == "/tmp" and env["VLLM_NO_USAGE_STATS"] == "1"
    assert env["USER"] == "vllm"
    assert env["VLLM_LOGGING_LEVEL"] == "DEBUG" and "HF_TOKEN" not in env
    assert container["envFrom"] == [{"secretRef": {"name": "more"}}]
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert mounts["/models"] == {"name": "weights", "mountPath": "/models", "subPath": "qwen", "readOnly": True}
    volumes = {volume["name"]: volume for volume in found["Deployment/qwen"]["spec"]["template"]["spec"]["volumes"]}
    assert volumes["weights"]["persistentVolumeClaim"] == {"claimName": "weights"}
    # Of the volume, it may write to the folder of its compiled code only.
    assert mounts["/cache"] == {"name": "weights", "mountPath": "/cache", "subPath": ".cache/qwen"}
    assert volumes["shm"]["emptyDir"]["medium"] == "Memory" and set(mounts) == {"/models", "/cache", "/tmp", "/dev/shm"}
    assert "'name': 'hf'" not in str(found["Deployment/qwen"])


def test_gpus_and_resources(variables: Any, objects: Any) -> None:
    _model(variables)["gpu"] = {"pool": "lab", "count": 2}
    _model(variables)["resources"] = {"requests": {"cpu": 2, "memory": "8Gi"}, "limits": {"memory": "9Gi"}}
    resources = _container(objects())["resources"]
    assert resources["requests"] == {"cpu": "2", "memory": "8Gi", "nvidia.com/gpu": "2"}
    assert resources["limits"] == {"memory": "9Gi", "nvidia.com/gpu": "2"}


def test_where_the_pod_runs(variables: Any, objects: Any) -> None:
    pod = objects()["Deployment/qwen"]["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"karpenter.sh/nodepool": "l4"} and pod["runtimeClassName"] == "nvidia"
    assert pod["tolerations"] == [
        {"key": "nvidia.com/gpu", "effect": "NoSchedule", "operator": "Equal", "value": "true"}
    ]
    variables["llmfleet_gpu_pools"][1] |= {
        "node_selector": {"kubernetes.io/hostname": "n1"},
        "taints": [{"key": "a", "effect": "NoExecute"}],
        "runtime_class": "other",
    }
    _model(variables)["gpu"] = {"pool": "lab"}
    _model(variables)["rollout"] = {"priority": "high"}
    pod = objects()["Deployment/qwen"]["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/hostname": "n1"} and pod["runtimeClassName"] == "other"
    assert pod["tolerations"] == [{"key": "a", "effect": "NoExecute", "operator": "Exists"}]
    assert pod["priorityClassName"] == "high"


def test_start_and_end(variables: Any, objects: Any) -> None:
    _model(variables)["startup"] = {"budget": "62s"}
    _model(variables)["gateway"] = {"timeout": "100s"}
    found = objects()
    container, spec = _container(found), found["Deployment/qwen"]["spec"]
    probe = container["startupProbe"]
    assert probe["failureThreshold"] * probe["periodSeconds"] == 65
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    timeout = int(container["args"][container["args"].index("--shutdown-timeout") + 1])
    assert timeout == 100 and spec["template"]["spec"]["terminationGracePeriodSeconds"] > sleep + timeout
    # An old replica may have the GPU for as long as it drains.
    for wait, budget in (("100s", "62s"), ("2h", "1h")):
        _model(variables)["startup"], _model(variables)["gateway"] = {"budget": budget}, {"timeout": wait}
        spec = objects()["Deployment/qwen"]["spec"]
        grace, probe = spec["template"]["spec"]["terminationGracePeriodSeconds"], _container(objects())["startupProbe"]
        start = probe["failureThreshold"] * probe["periodSeconds"]
        assert spec["progressDeadlineSeconds"] >= grace + start + 600
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[name]["httpGet"] == {"path": "/health", "port": "http"}


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        ("recreate", {"type": "Recreate"}),
        ("rolling", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
    ],
)
def test_rollout(strategy: str, wanted: Object, variables: Any, objects: Any) -> None:
    _model(variables)["rollout"] = {"strategy": strategy}
    assert objects()["Deployment/qwen"]["spec"]["strategy"] == wanted


def test_disruption(variables: Any, objects: Any) -> None:
    annotation = "karpenter.sh/do-not-disrupt"
    found = objects()
    assert found["Deployment/qwen"]["spec"]["template"]["metadata"]["annotations"] == {annotation: "true"}
    assert "PodDisruptionBudget/qwen" not in found
    _model(variables)["scaling"] = {"min": 2}
    found = objects()
    budget = found["PodDisruptionBudget/qwen"]["spec"]
    # A replica that does not serve never keeps a node from going.
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == found["Deployment/qwen"]["spec"]["selector"]
    _model(variables)["availability"] = {"do_not_disrupt": False}
    found = objects()
    assert "annotations" not in found["Deployment/qwen"]["spec"]["template"]["metadata"]
    assert "PodDisruptionBudget/qwen" not in found


def test_labels(variables: Any, objects: Any) -> None:
    _model(variables)["labels"] = {"team": "a"}
    _model(variables)["annotations"] = {"x/y": "z"}
    found = objects()
    template = found["Deployment/qwen"]["spec"]["template"]["metadata"]
    assert template["labels"]["team"] == "a" and template["annotations"]["x/y"] == "z"
    selector = found["Deployment/qwen"]["spec"]["selector"]["matchLabels"]
    assert selector.items() <= template["labels"].items()
    assert found["Service/qwen"]["spec"]["selector"] == selector
    # The fetcher's pods are no endpoints of the Service.
    assert not selector.items() <= _job(found)["spec"]["template"]["metadata"]["labels"].items()
    for key, item in found.items():
        # The fetcher and the parents of ApplySets are the fleet's.
        if "weights-fetcher" not in key and not key.startswith("ConfigMap/llmfleet-"):
            assert item["metadata"]["labels"]["app.kubernetes.io/name"] == "qwen"


def test_image(variables: Any, objects: Any) -> None:
    assert _container(objects())["image"] == versions().images["vllm"]
    _model(variables)["engine"] = {"image": "mirror/vllm:v1"}
    assert _container(objects())["image"] == "mirror/vllm:v1"


def test_routes(variables: Any, objects: Any) -> None:
    silent = copy.deepcopy(_model(variables)) | {"name": "a-silent", "gateway": {"enabled": False}}
    second = copy.deepcopy(_model(variables)) | {"name": "second", "gateway": {"timeout": "90s"}}
    variables["llmfleet_models"] = [silent, _model(variables), second]
    found = objects()
    assert "HTTPRoute/a-silent" not in found
    first, rest = found["HTTPRoute/qwen"]["spec"], found["HTTPRoute/second"]["spec"]
    assert first["parentRefs"][0]["name"] == "llm-gateway" and first["parentRefs"][0]["namespace"] == "llm-gateway"
    assert first["parentRefs"][0]["sectionName"] == "models"
    # A request that names no model is nobody's.
    assert all(match["headers"] for spec in (first, rest) for rule in spec["rules"] for match in rule["matches"])
    (rule,) = rest["rules"]
    (match,) = rule["matches"]
    assert match["path"] == {"type": "PathPrefix", "value": "/v1/"}
    assert match["headers"] == [{"type": "Exact", "name": "X-Gateway-Model-Name", "value": "second"}]
    assert rule["timeouts"] == {"request": "90s"}
    (backend,) = rule["backendRefs"]
    assert (backend["name"], backend["port"]) == ("second", found["Service/second"]["spec"]["ports"][0]["port"])


def test_the_longest_names_are_names(variables: Any, objects: Any) -> None:
    _model(variables)["name"] = "a" * 40
    assert all(len(item["metadata"]["name"]) <= 63 for item in objects().values())
