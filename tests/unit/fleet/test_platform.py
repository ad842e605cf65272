# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""llmfleet_cluster, llmfleet_aws and the variables that stand alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.platform_fields import (
    AWS_FIELDS,
    CLUSTER_FIELDS,
    PLATFORM_FIELDS,
    known_variables,
)

# path -> (accepted, refused)
CLUSTER: dict[str, tuple[list[Any], list[Any]]] = {
    "name": (["prod", "Prod_1"], ["", "a b", "-a", "a" * 45, 3, None]),
    "region": (["eu-west-3", "us-gov-west-1"], ["eu", "EU-WEST-3", 3, None]),
    "account": (["123456789012"], [123456789012, "1234", "1234567890123", None]),
    "kubeconfig": ([], ["", 3]),
    "context": ([], [3]),
    "vpc": (["vpc-0123456789abcdef0"], ["vpc", "VPC-1"]),
    "subnets": ([["subnet-0123456789abcdef0"]], [[], "subnet-0123456789abcdef0", ["x"]]),
}
AWS: dict[str, tuple[list[Any], list[Any]]] = {
    "profile": (["p"], [3]),
    "config_file": (["/x"], [3, ""]),
    "credentials_file": (["/x"], [True]),
}
# path -> (accepted, refused, not yet built)
PLATFORM: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
    "gateway": (["envoy_gateway"], ["kong", True], ["ai_gateway"]),
    "efs_csi_driver": (["chart", "addon", "existing"], ["helm", False], []),
    "helm_binary": (["/usr/bin/helm"], ["", 3], []),
    "envoy_gateway_chart": (["oci://mirror/gateway-helm", "/charts/x"], ["a b", 3], []),
    "envoy_image": (["a/b:c"], ["A b"], []),
    "body_router_image": (["a/b:c"], ["a/b:latest"], []),
    "endpoint_picker_image": (["a/b:c"], ["a/b", 3], []),
    "envoy_replicas": ([1, 3], [0, "2", True], []),
    "efs_csi_driver_chart": (["/charts/x"], [3], []),
    "weights_hub_endpoint": (["http://10.0.0.1:4580"], ["ftp://x", "huggingface.co", "https://"], []),
    "weights_proxy": (["http://proxy:3128", "http://p/"], ["proxy:3128", "https://p", "http://u:p@proxy:1", 3], []),
    "weights_image": (["a/b:c"], [3], []),
    "bucket": (["my-bucket"], ["My", "ab", "a_b"], []),
    "bucket_noncurrent_days": ([1, 365], [0, "30", True, 40000], []),
    "permissions_boundary": (
        ["arn:aws:iam::123456789012:policy/a/b", "arn:aws-cn:iam::aws:policy/X"],
        ["boundary", "arn:aws:iam::123456789012:role/x", "arn:aws:iam::1:policy/x", 3],
        [],
    ),
    "weights_claim": (["models"], ["A"], []),
    "weights_source_claim": (["hub-mirror"], ["A", "weights"], []),
    "storage_capacity": (["1Ti"], ["big", True], []),
    "models_namespace": (["llms"], ["LLM", "a.b", "llm-gateway"], []),
    "gateway_namespace": (["gw"], ["llm", 3], []),
    "gateway_service": (["gw"], ["GW"], []),
    "api_keys_secret": (["keys"], ["Keys"], []),
    "gateway_keys_secret": (["a/b"], ["a b"], []),
    "node_role": (["Role+=,.@-"], ["a/b", "a" * 65], []),
    "prometheus_url": (["http://p:9090", "https://x/select/0/prometheus"], ["prometheus:9090", "http://p?x=1", 3], []),
    "monitoring": (["prometheus_operator", "victoria_metrics", "none"], ["None", False, "prometheus"], []),
    "monitoring_namespace": (["observability"], ["A", 3], []),
    "monitoring_labels": ([{}, {"release": "kps"}], [{"a b": "c"}, {"llmfleet.io/x": "y"}, {"a": 1}, []], []),
    "only": ([["qwen"]], [3, True, "", [], ["qwen", 3], "qwen,", ["qwen", "nosuch"], "nosuch"], []),
    "render_to": (["/tmp/x"], [""], []),
    "destroy_confirm": (["prod"], [3], []),
    "gc_confirm": (["prod"], [3], []),
    "rollback": ([False, "false", "True"], ["no", 0, "0"], []),
    "storage_replace": ([True, "true", "False"], ["yes", 1, "1"], []),
}


def test_every_field_has_cases() -> None:
    assert list(CLUSTER) == [field.path for field in CLUSTER_FIELDS]
    assert list(AWS) == [field.path for field in AWS_FIELDS]
    assert list(PLATFORM) == [field.path for field in PLATFORM_FIELDS]


def _flat(cases: dict[str, Any], kind: int) -> list[Any]:
    return [(path, value) for path, parts in cases.items() for value in parts[kind]]


@pytest.mark.parametrize(("path", "value"), _flat(CLUSTER, 0))
def test_cluster_accepted(path: str, value: Any, variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_cluster"][path] = value
    assert fleet_of(variables).cluster[path] == value


@pytest.mark.parametrize(("path", "value"), _flat(CLUSTER, 1))
def test_cluster_refused(path: str, value: Any, variables: Any, errors: Any) -> None:
    variables["llmfleet_cluster"][path] = value
    lines = errors(variables)
    name = value if path == "name" and isinstance(value, str) and value else "?" if path == "name" else "prod"
    assert any(line.startswith(f"llmfleet_cluster ({name}).{path}") for line in lines)


@pytest.mark.parametrize("given", ["kubeconfig", "context"])
def test_kubeconfig_and_context_or_neither(given: str, variables: Any, errors: Any) -> None:
    variables["llmfleet_cluster"][given] = "x"
    (line,) = errors(variables)
    missing = "context" if given == "kubeconfig" else "kubeconfig"
    assert line.startswith(f"llmfleet_cluster (prod).{missing}: got nothing: required")
    variables["llmfleet_cluster"][missing] = "y"
    assert errors(variables) == []


@pytest.mark.parametrize(("path", "value"), _flat(AWS, 0))
def test_aws_accepted(path: str, value: Any, variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_aws"] = {path: value}
    assert fleet_of(variables).aws[path] == value


@pytest.mark.parametrize(("path", "value"), [*_flat(AWS, 1), ("secret_key", "AKIAABCDEFGHIJKLMNOP")])
def test_aws_refused(path: str, value: Any, variables: Any, errors: Any) -> None:
    variables["llmfleet_aws"] = {path: value}
    (line,) = errors(variables)
    assert line.startswith(f"llmfleet_aws.{path}: got ")
    assert "ABCDEFG" not in line


@pytest.mark.parametrize(("path", "value"), _flat(PLATFORM, 0))
def test_platform_accepted(path: str, value: Any, variables: Any, fleet_of: Any) -> None:
    variables[f"llmfleet_{path}"] = value
    assert fleet_of(variables).platform[path] == value


@pytest.mark.parametrize(("path", "value"), _flat(PLATFORM, 1))
def test_platform_refused(path: str, value: Any, variables: Any, errors: Any) -> None:
    variables[f"llmfleet_{path}"] = value
    (line,) = errors(variables)
    # Both namespaces the same: reported at one of them.
    where = "gateway_namespace" if value == "llm-gateway" else path
    assert line.startswith((f"llmfleet_{where}: got ", f"llmfleet_{where}."))


@pytest.mark.parametrize(("path", "value"), _flat(PLATFORM, 2))
def test_platform_not_yet_built(path: str, value: Any, variables: Any, errors: Any) -> None:
    variables[f"llmfleet_{path}"] = value
    (line,) = errors(variables)
    assert line.startswith(f"llmfleet_{path}: got {value!r}") and line.endswith("not yet built")


def test_unknown_variables(variables: Any, errors: Any) -> None:
    variables |= {"llmfleet_modells": [], "llmfleet_x": "sk-secretsecret", "other": 1}
    lines = errors(variables)
    assert [line.split(": got")[0] for line in lines] == ["llmfleet_modells", "llmfleet_x"]
    assert "nearest: llmfleet_models" in lines[0] and "secretsecret" not in lines[1]
    assert "llmfleet_cluster" in known_variables()


@pytest.mark.parametrize("name", ["llmfleet_models", "llmfleet_gpu_pools", "llmfleet_cluster"])
def test_required_variables(name: str, variables: Any, errors: Any) -> None:
    del variables[name]
    assert any(line.startswith(f"{name}: got nothing: required") for line in errors(variables))


def test_only_some_models(variables: Any, fleet_of: Any, errors: Any) -> None:
    first = variables["llmfleet_models"][0]
    variables["llmfleet_models"] = [first, {**first, "name": "second"}, {**first, "name": "third"}]
    assert fleet_of(variables).as_dict()["chosen"] == ["qwen", "second", "third"]
    for given in (["third", "qwen"], "third, qwen", "qwen,third,qwen"):
        variables["llmfleet_only"] = given
        fleet = fleet_of(variables)
        assert [model.name for model in fleet.chosen] == fleet.as_dict()["chosen"] == ["qwen", "third"]
        # The others are described all the same.
        assert len(fleet.models) == len(fleet.as_dict()["models"]) == 3
    variables["llmfleet_only"] = "third,forth,fifth"
    assert errors(variables) == [
        "llmfleet_only: got 'forth, fifth': not a model of the fleet; accepted: qwen, second, third"
    ]
    variables["llmfleet_models"] = []
    assert errors(variables) == [
        "llmfleet_only: got 'third, forth, fifth': not a model of the fleet; accepted: none: llmfleet_models is empty"
    ]


def test_no_models_is_a_fleet(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"] = []
    assert fleet_of(variables).models == ()


def test_the_buckets_name_has_a_bound(variables: Any, errors: Any, fleet_of: Any) -> None:
    variables["llmfleet_cluster"]["name"] = "a" * 33
    (line,) = errors(variables)
    assert "has 64 characters" in line and line.startswith("llmfleet_cluster (")
    variables["llmfleet_bucket"] = "mine"
    assert fleet_of(variables).names.bucket == "mine"


def test_derived_names(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_cluster"]["name"] = "Prod_1"
    names = fleet_of(variables).names
    assert names.bucket == "eu-west-3-123456789012-prod-1-weights"
    assert (names.volume, names.fetcher_role) == ("prod-1-weights", "Prod_1-weights-fetcher")
    variables["llmfleet_cluster"]["region"] = "cn-north-1"
    assert fleet_of(variables).names.bucket_arn.startswith("arn:aws-cn:s3:::")


def test_the_answer_has_no_values_of_the_environment(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0]["engine"] = {"env": {"TOKEN_OF_MINE": "swordfish"}}
    text = str(fleet_of(variables).as_dict())
    assert "TOKEN_OF_MINE" in text and "swordfish" not in text
