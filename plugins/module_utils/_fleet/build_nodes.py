# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPU nodes: the runtime class, and for every pool that is not static a NodePool with its EC2NodeClass."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Pool
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

RUNTIME_CLASS = "nvidia"
# Room for the engine's image (about 10 GB compressed) and its caches.
DATA_DISK = "150Gi"


def add_nodes(build: Builder) -> None:
    """Add the runtime class that we know how to write, and the pools."""
    if any(pool.fields["runtime_class"] == RUNTIME_CLASS for pool in build.fleet.pools):
        build.add(
            "nodes",
            "gpu_nodes",
            {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": RUNTIME_CLASS},
                # No scheduling here: which pool it is, the pods say.
                "handler": RUNTIME_CLASS,
            },
        )
    for pool in build.fleet.pools:
        if not pool.static:
            build.add("nodes", "gpu_nodes", _node_class(build, pool))
            build.add("nodes", "gpu_nodes", _node_pool(build, pool))


def subnet_ids(build: Builder) -> list[str]:
    """Subnets of nodes and mount targets: those of the inventory, else those of the cluster."""
    given = build.fleet.cluster["subnets"]
    if given:
        return list(given)
    found = build.known.get(f"subnets/{build.fleet.names.cluster}")
    if found:
        return [subnet for subnet in found.split(",") if subnet]
    return [build.id_of("subnets", build.fleet.names.cluster)]


def node_security_group(build: Builder) -> str:
    """The security group that nodes are in."""
    return build.id_of("security_group", f"{build.fleet.names.cluster}-node")


def _requirement(key: str, values: list[str]) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": values}


def _node_pool(build: Builder, pool: Pool) -> Manifest:
    fields = pool.fields
    requirements = [
        _requirement("kubernetes.io/arch", ["amd64"]),
        _requirement("kubernetes.io/os", ["linux"]),
        _requirement("karpenter.sh/capacity-type", list(fields["capacity_types"])),
        _requirement("karpenter.k8s.aws/instance-gpu-count", [str(pool.gpus)]),
    ]
    if fields["instance_families"]:
        requirements.append(_requirement("karpenter.k8s.aws/instance-family", list(fields["instance_families"])))
    if fields["instance_types"]:
        requirements.append(_requirement("node.kubernetes.io/instance-type", list(fields["instance_types"])))
    if fields["zones"]:
        requirements.append(_requirement("topology.kubernetes.io/zone", list(fields["zones"])))
    spec: dict[str, Any] = {
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": pool.name},
        "requirements": requirements,
        "taints": [_taint(taint) for taint in fields["taints"]],
        "expireAfter": fields["expire_after"],
    }
    if fields["startup_taints"]:
        spec["startupTaints"] = [_taint(taint) for taint in fields["startup_taints"]]
    if fields["terminate_after"] != "Never":
        spec["terminationGracePeriod"] = fields["terminate_after"]
    labels = {**fields["labels"], **ownership_labels(build.fleet.names.cluster, "nodes")}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": pool.name},
        "spec": {
            "template": {"metadata": {"labels": labels}, "spec": spec},
            # A warm model with little traffic looks underutilised: only empty nodes go.
            "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": fields["consolidate_after"]},
            "limits": {"nvidia.com/gpu": str(fields["limit"])},
        },
    }


def _taint(taint: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in taint.items() if value is not None}


def ami_family(ami: dict[str, str]) -> str:
    """The family that Karpenter has to be told where no alias says it; an image of an id is taken for Bottlerocket."""
    reference = next(iter(ami.values()))
    return "AL2023" if reference.startswith("al2023@") or "amazon-linux-2023" in reference else "Bottlerocket"


def _node_class(build: Builder, pool: Pool) -> Manifest:
    forms = {"ssm_parameter": "ssmParameter", "alias": "alias", "id": "id"}
    ami = dict(pool.fields["ami"])
    family = ami_family(ami)
    disk = {"volumeType": "gp3", "encrypted": True, "deleteOnTermination": True}
    # Bottlerocket keeps images and containers on its second disk.
    disks = (
        [{"deviceName": "/dev/xvda", "ebs": {**disk, "volumeSize": DATA_DISK}}]
        if family == "AL2023"
        else [
            {"deviceName": "/dev/xvda", "ebs": {**disk, "volumeSize": "4Gi"}},
            {"deviceName": "/dev/xvdb", "ebs": {**disk, "volumeSize": DATA_DISK}},
        ]
    )
    return {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": pool.name},
        "spec": {
            "amiFamily": family,
            "amiSelectorTerms": [{forms[form]: reference for form, reference in ami.items()}],
            "role": build.fleet.names.node_role,
            "subnetSelectorTerms": [{"id": subnet} for subnet in subnet_ids(build)],
            "securityGroupSelectorTerms": [{"id": node_security_group(build)}],
            "instanceStorePolicy": "RAID0",
            "blockDeviceMappings": disks,
            "metadataOptions": {
                "httpEndpoint": "enabled",
                "httpProtocolIPv6": "disabled",
                "httpPutResponseHopLimit": 1,
                "httpTokens": "required",
            },
            "tags": ownership_labels(build.fleet.names.cluster, "nodes"),
        },
    }
