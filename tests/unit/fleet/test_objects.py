# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet wants: ownership, namespaces, storage, nodes, gateway."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import COMPONENTS, Desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS

KNOWN = {
    "file_system/prod-weights": "fs-0f",
    "access_point/prod-weights": "fsap-0a",
    "security_group/prod-node": "sg-0n",
    "security_group/prod-weights-mount-targets": "sg-0m",
    "vpc/prod": "vpc-0v",
    "subnets/prod": "subnet-0a,subnet-0b",
    "weights/fetcher/__main__.py": "print('fetch')\n",
}
Wanted = Callable[..., Desired]


@pytest.fixture
def wanted(variables: Any, fleet_of: Callable[[Any], Fleet]) -> Wanted:
    """What the fleet wants, as far as the cloud is known."""

    def run(known: dict[str, str] | None = None) -> Desired:
        return desired(fleet_of(variables), KNOWN if known is None else known)

    return run


def one(result: Desired, kind: str, name: str) -> dict[str, Any]:
    """The object of a kind and name."""
    (found,) = [
        entry["object"]
        for entry in result.objects
        if entry["object"]["kind"] == kind and entry["object"]["metadata"]["name"] == name
    ]
    return dict(found)


def test_everything_is_owned_and_named_once(wanted: Wanted) -> None:
    result = wanted()
    seen = set()
    for entry in result.objects:
        metadata = entry["object"]["metadata"]
        labels = metadata["labels"]
        assert entry["layer"] in LAYERS and entry["component"] in COMPONENTS
        assert labels["app.kubernetes.io/managed-by"] == "llmfleet"
        assert labels["llmfleet.io/cluster"] == "prod" and labels["llmfleet.io/layer"] == entry["layer"]
        identity = (entry["object"]["kind"], metadata.get("namespace"), metadata["name"])
        assert identity not in seen
        seen.add(identity)
        assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,63}", value) for value in labels.values())
    assert {entry["component"] for entry in result.objects} == set(COMPONENTS) - {"s3_files", "pod_identity"}
    for entry in result.aws:
        if entry["resource"] not in ("iam_policy", "s3_bucket_lifecycle", "s3files_mount_target"):
            assert entry["properties"]["tags"]["llmfleet.io/cluster"] == "prod"


def test_the_same_description_gives_the_same_objects(wanted: Wanted) -> None:
    assert wanted().as_dict() == wanted().as_dict()


def test_what_the_cloud_knows_is_pending(wanted: Wanted) -> None:
    text = str(wanted({}).as_dict())
    for kind, name in (key.split("/", 1) for key in KNOWN):
        assert f"pending:{kind}/{name}" in text
    assert "pending:" not in str(wanted().as_dict())


def test_namespaces(wanted: Wanted) -> None:
    result = wanted()
    for name, layer in (("llm", "storage"), ("llm-gateway", "gateway")):
        labels = one(result, "Namespace", name)["metadata"]["labels"]
        assert labels["llmfleet.io/layer"] == layer
        for mode in ("enforce", "audit", "warn"):
            assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def _policies(result: Desired, namespace: str) -> dict[str, dict[str, Any]]:
    found = [entry["object"] for entry in result.objects if entry["object"]["kind"] == "NetworkPolicy"]
    return {item["metadata"]["name"]: item["spec"] for item in found if item["metadata"]["namespace"] == namespace}


def test_policies_deny_everything_then_allow(wanted: Wanted) -> None:
    result = wanted()
    for namespace in ("llm", "llm-gateway"):
        deny = _policies(result, namespace)["default-deny"]
        assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        (dns,) = _policies(result, namespace)["allow-dns"]["egress"]
        assert {(port["protocol"], port["port"]) for port in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
    for entry in (*_policies(result, "llm").values(), *_policies(result, "llm-gateway").values()):
        for direction in ("ingress", "egress"):
            assert (direction.capitalize() in entry["policyTypes"]) or direction not in entry


def _heard(result: Desired) -> dict[str, dict[str, Any]]:
    """The policies of the engines."""
    engine = {"app.kubernetes.io/part-of": "llmfleet", "app.kubernetes.io/component": "inference"}
    policies = _policies(result, "llm").items()
    return {name: spec for name, spec in policies if spec["podSelector"].get("matchLabels") == engine}


def test_the_engine_hears_the_gateway_and_the_scraper_and_asks_nobody(variables: Any, wanted: Wanted) -> None:
    variables["llmfleet_monitoring_namespace"] = "observability"
    peers = {}
    for name, spec in _heard(wanted()).items():
        assert spec["policyTypes"] == ["Ingress"]
        (rule,) = spec["ingress"]
        assert [port["port"] for port in rule["ports"]] == [8000]
        (peers[name],) = rule["from"]
    assert peers["allow-gateway-to-models"]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "llm-gateway"
    }
    assert peers["allow-scraper-to-models"] == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}
    }
    variables["llmfleet_monitoring"] = "none"
    assert list(_heard(wanted())) == ["allow-gateway-to-models"]


def test_the_fetcher_reaches_a_hub_on_another_port(variables: Any, wanted: Wanted) -> None:
    variables["llmfleet_weights_hub_endpoint"] = "http://hub.example:4580"
    hub, agent = _policies(wanted(), "llm")["allow-fetcher-to-hub-and-s3"]["egress"]
    assert [port["port"] for port in hub["ports"]] == [443, 4580]
    assert {"ipBlock": {"cidr": "169.254.170.23/32"}} in agent["to"]


def test_volume_and_claim_name_each_other(wanted: Wanted) -> None:
    result = wanted()
    volume, claim = one(result, "PersistentVolume", "prod-weights"), one(result, "PersistentVolumeClaim", "weights")
    assert volume["spec"]["csi"] == {"driver": "efs.csi.aws.com", "volumeHandle": "s3files:fs-0f::fsap-0a"}
    assert volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert volume["spec"]["accessModes"] == claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert claim["spec"]["volumeName"] == "prod-weights"
    assert (volume["spec"]["claimRef"]["namespace"], volume["spec"]["claimRef"]["name"]) == ("llm", "weights")
    storage = one(result, "StorageClass", "weights")
    assert storage["metadata"]["name"] == volume["spec"]["storageClassName"] == claim["spec"]["storageClassName"]
    assert storage["reclaimPolicy"] == "Retain" and storage["provisioner"] == "efs.csi.aws.com"


def test_overridden_names(variables: Any, wanted: Wanted) -> None:
    variables |= {
        "llmfleet_models_namespace": "models",
        "llmfleet_gateway_namespace": "gate",
        "llmfleet_weights_claim": "files",
        "llmfleet_gateway_service": "front",
        "llmfleet_api_keys_secret": "keys",
        "llmfleet_bucket": "my-bucket",
        "llmfleet_storage_capacity": "1Ti",
        "llmfleet_node_role": "Nodes",
    }
    result = wanted()
    namespaces = {entry["object"]["metadata"].get("namespace") for entry in result.objects}
    assert namespaces == {None, "models", "gate"}
    assert one(result, "PersistentVolumeClaim", "files")["spec"]["resources"]["requests"]["storage"] == "1Ti"
    assert one(result, "Secret", "keys")
    service = one(result, "EnvoyProxy", "llm-gateway")["spec"]["provider"]["kubernetes"]["envoyService"]
    assert service == {"name": "front", "type": "ClusterIP"}
    text = str(result.as_dict())
    assert "weights-fetcher" in text and "'claimName': 'files'" in text and "'claimName': 'weights'" not in text
    assert "arn:aws:s3:::my-bucket/models/qwen" in text and "eu-west-3-123456789012-prod-weights" not in text
    assert one(result, "EC2NodeClass", "l4")["spec"]["role"] == "Nodes"
    assert {chart["namespace"] for chart in result.charts} == {"gate", "kube-system"}


def test_node_pool(variables: Any, wanted: Wanted) -> None:
    variables["llmfleet_gpu_pools"][0] |= {
        "zones": ["eu-west-3a"],
        "instance_types": ["g6.xlarge"],
        "labels": {"team": "a"},
        "startup_taints": [{"key": "a/b", "effect": "NoExecute"}],
        "capacity_types": ["on-demand"],
    }
    spec = one(wanted(), "NodePool", "l4")["spec"]
    requirements = {item["key"]: item["values"] for item in spec["template"]["spec"]["requirements"]}
    assert requirements == {
        "kubernetes.io/arch": ["amd64"],
        "kubernetes.io/os": ["linux"],
        "karpenter.sh/capacity-type": ["on-demand"],
        "karpenter.k8s.aws/instance-gpu-count": ["1"],
        "karpenter.k8s.aws/instance-family": ["g6"],
        "node.kubernetes.io/instance-type": ["g6.xlarge"],
        "topology.kubernetes.io/zone": ["eu-west-3a"],
    }
    template = spec["template"]["spec"]
    assert template["taints"] == [{"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}]
    assert template["startupTaints"] == [{"key": "a/b", "effect": "NoExecute"}]
    assert template["expireAfter"] == "Never" and template["terminationGracePeriod"] == "1h"
    assert spec["template"]["metadata"]["labels"]["team"] == "a"
    assert spec["limits"] == {"nvidia.com/gpu": "4"}
    assert spec["disruption"] == {"consolidationPolicy": "WhenEmpty", "consolidateAfter": "30s"}
    variables["llmfleet_gpu_pools"][0]["terminate_after"] = "Never"
    assert "terminationGracePeriod" not in one(wanted(), "NodePool", "l4")["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("ami", "family", "term", "disks"),
    [
        ({"alias": "al2023@v1"}, "AL2023", {"alias": "al2023@v1"}, 1),
        ({"alias": "bottlerocket@v1.50.0"}, "Bottlerocket", {"alias": "bottlerocket@v1.50.0"}, 2),
        ({"id": "ami-0123456789abcdef0"}, "Bottlerocket", {"id": "ami-0123456789abcdef0"}, 2),
        (
            {"ssm_parameter": "/aws/eks/1.35/amazon-linux-2023/x86_64/nvidia/v20261101/image_id"},
            "AL2023",
            {"ssmParameter": "/aws/eks/1.35/amazon-linux-2023/x86_64/nvidia/v20261101/image_id"},
            1,
        ),
    ],
)
def test_node_class(ami: Any, family: str, term: Any, disks: int, variables: Any, wanted: Wanted) -> None:
    variables["llmfleet_gpu_pools"][0]["ami"] = ami
    spec = one(wanted(), "EC2NodeClass", "l4")["spec"]
    assert (spec["amiFamily"], spec["amiSelectorTerms"]) == (family, [term])
    assert spec["subnetSelectorTerms"] == [{"id": "subnet-0a"}, {"id": "subnet-0b"}]
    assert spec["securityGroupSelectorTerms"] == [{"id": "sg-0n"}]
    assert len(spec["blockDeviceMappings"]) == disks
    assert all(disk["ebs"]["encrypted"] for disk in spec["blockDeviceMappings"])
    assert spec["metadataOptions"]["httpTokens"] == "required"


def test_static_pools_and_other_runtime_classes_make_nothing(variables: Any, wanted: Wanted) -> None:
    variables["llmfleet_gpu_pools"] = [{"name": "l4", "static": True, "runtime_class": "mine", "gpu_count": 1}]
    variables["llmfleet_models"][0]["resources"] = {"requests": {"memory": "1Gi"}}
    kinds = {entry["object"]["kind"] for entry in wanted().objects}
    assert not kinds & {"NodePool", "EC2NodeClass", "RuntimeClass"}


def test_runtime_class_names_no_pool(wanted: Wanted) -> None:
    found = one(wanted(), "RuntimeClass", "nvidia")
    assert found["handler"] == "nvidia" and "scheduling" not in found


def test_gateway(wanted: Wanted) -> None:
    result = wanted()
    gateway = one(result, "Gateway", "llm-gateway")["spec"]
    clients, models = gateway["listeners"]
    assert (clients["protocol"], clients["port"]) == (models["protocol"], models["port"] - 1) == ("HTTP", 8080)
    # Nobody but the gateway itself routes what clients ask; models have routes where only the gateway asks.
    assert clients["allowedRoutes"] == {"namespaces": {"from": "Same"}}
    (expression,) = models["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert expression["values"] == ["llm", "llm-gateway"]
    assert gateway["gatewayClassName"] == one(result, "GatewayClass", "llmfleet")["metadata"]["name"]


def test_envoy(variables: Any, wanted: Wanted) -> None:
    variables |= {"llmfleet_envoy_replicas": 3, "llmfleet_envoy_image": "mirror/envoy:1"}
    deployment = one(wanted(), "EnvoyProxy", "llm-gateway")["spec"]["provider"]["kubernetes"]["envoyDeployment"]
    assert deployment["replicas"] == 3 and deployment["container"]["image"] == "mirror/envoy:1"
    assert deployment["container"]["securityContext"]["allowPrivilegeEscalation"] is False
    assert deployment["container"]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_proxy_that_ends_waits_for_the_longest_request(variables: Any, wanted: Wanted) -> None:
    model = variables["llmfleet_models"][0]
    others = [model | {"name": "slow", "gateway": {"timeout": "1h5m"}}]
    others.append(model | {"name": "alone", "gateway": {"timeout": "9h", "enabled": False}})
    variables["llmfleet_gpu_pools"][0]["limit"] = 20
    variables["llmfleet_models"] = [model, *others]
    assert one(wanted(), "EnvoyProxy", "llm-gateway")["spec"]["shutdown"] == {"drainTimeout": "1h5m"}
    variables["llmfleet_models"] = []
    assert one(wanted(), "EnvoyProxy", "llm-gateway")["spec"]["shutdown"] == {"drainTimeout": "60s"}


def test_proxies_spread_and_go_one_at_a_time(variables: Any, wanted: Wanted) -> None:
    kubernetes = one(wanted(), "EnvoyProxy", "llm-gateway")["spec"]["provider"]["kubernetes"]
    assert kubernetes["envoyPDB"] == {"maxUnavailable": 1}
    (zone, node) = kubernetes["envoyDeployment"]["pod"]["topologySpreadConstraints"]
    assert (zone["topologyKey"], node["topologyKey"]) == ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    # The labels by which the policies know the same pods.
    (rule,) = _policies(wanted(), "llm")["allow-gateway-to-models"]["ingress"]
    assert rule["from"][0]["podSelector"] == zone["labelSelector"] == node["labelSelector"]
    variables["llmfleet_envoy_replicas"] = 1
    kubernetes = one(wanted(), "EnvoyProxy", "llm-gateway")["spec"]["provider"]["kubernetes"]
    # One that may not go would keep its node for ever.
    assert "envoyPDB" not in kubernetes and "topologySpreadConstraints" not in kubernetes["envoyDeployment"]["pod"]


def test_the_secret_has_no_values(wanted: Wanted) -> None:
    secret = one(wanted(), "Secret", "llm-api-keys")
    assert "data" not in secret and "stringData" not in secret and secret["metadata"]["namespace"] == "llm-gateway"


def test_charts(variables: Any, wanted: Wanted) -> None:
    envoy, csi = wanted().charts
    assert (envoy["chart"], envoy["version"]) == ("oci://docker.io/envoyproxy/gateway-helm", "1.9.1")
    assert (csi["namespace"], csi["version"], csi["chart"]) == ("kube-system", "4.4.1", "aws-efs-csi-driver")
    assert csi["repository"].startswith("https://") and csi["values"]["storageClasses"] == []
    variables |= {"llmfleet_efs_csi_driver": "existing", "llmfleet_envoy_gateway_chart": "/charts/gateway-helm"}
    (envoy,) = wanted().charts
    assert (envoy["chart"], envoy["version"], envoy["repository"]) == ("/charts/gateway-helm", "", "")
    variables["llmfleet_envoy_gateway_chart"] = "oci://mirror/gateway-helm"
    assert wanted().charts[0]["version"] == "1.9.1"
    # Helm adopts nothing that says somebody else manages it.
    assert "app.kubernetes.io/managed-by" not in envoy["values"]["commonLabels"]
