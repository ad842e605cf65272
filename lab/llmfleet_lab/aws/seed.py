# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists before anyone asks: the operator's user, a VPC with private subnets, the EKS cluster, the secrets."""

from __future__ import annotations

import json
from typing import Any

from llmfleet_lab.aws.config import Cluster, Config
from llmfleet_lab.aws.world import World

OPERATOR = "lab-operator"
VPC_CIDR = "10.100.0.0/16"
SUBNET_CIDRS = ("10.100.0.0/20", "10.100.16.0/20")


def seed(world: World, config: Config) -> None:
    """Fill moto; call it once, before the first request."""
    _operator(world, config)
    _cluster(world, config.cluster)
    secrets = world.backend("secretsmanager")
    for name, value in config.secrets.items():
        secrets.create_secret(
            name=name,
            secret_string=json.dumps(value),
            secret_binary=None,
            description="Made by the lab",
            tags=[],
            kms_key_id=None,
            client_request_token=None,
            replica_regions=[],
            force_overwrite=False,
        )


def _operator(world: World, config: Config) -> None:
    """A user with the configured access key."""
    iam = world.backend("iam", "aws")
    iam.create_user(region_name=config.cluster.region, user_name=OPERATOR)
    key = iam.create_access_key(OPERATOR)
    del iam.access_keys[key.access_key_id]
    key.access_key_id = config.operator.access_key_id
    key.secret_access_key = config.operator.secret_access_key
    iam.access_keys[key.access_key_id] = key


def _cluster(world: World, cluster: Cluster) -> None:
    ec2 = world.backend("ec2")
    shared = {f"kubernetes.io/cluster/{cluster.name}": "shared"}
    vpc = ec2.create_vpc(VPC_CIDR, tags=_list({"Name": cluster.name}))
    for attribute in ("enable_dns_support", "enable_dns_hostnames"):
        ec2.modify_vpc_attribute(vpc.id, attribute, True)
    zones = [zone.name for zone in ec2.describe_availability_zones()][: len(SUBNET_CIDRS)]
    subnets = []
    for zone, cidr in zip(zones, SUBNET_CIDRS, strict=True):
        subnet = ec2.create_subnet(vpc.id, cidr, availability_zone=zone)
        tags = {"Name": f"{cluster.name}-private-{zone}", "kubernetes.io/role/internal-elb": "1", **shared}
        ec2.create_tags([subnet.id], {**tags, "karpenter.sh/discovery": cluster.name})
        subnets.append(subnet.id)
    control_plane = _group(ec2, vpc.id, f"eks-cluster-sg-{cluster.name}", "Cluster security group", cluster)
    node = _group(ec2, vpc.id, f"{cluster.name}-node", "Nodes of the cluster", cluster)
    ec2.create_tags([node], {"karpenter.sh/discovery": cluster.name})
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": ["sts:AssumeRole"]},
        ],
    }
    role = world.backend("iam", "aws").create_role(
        role_name=f"{cluster.name}-cluster",
        assume_role_policy_document=json.dumps(document),
        path="/",
        permissions_boundary=None,
        description="Control plane of the cluster",
        tags=[],
        max_session_duration="3600",
    )
    eks = world.backend("eks").create_cluster(
        name=cluster.name,
        role_arn=role.arn,
        resources_vpc_config={
            "subnetIds": subnets,
            "securityGroupIds": [node],
            "clusterSecurityGroupId": control_plane,
            "vpcId": vpc.id,
            "endpointPublicAccess": True,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": ["0.0.0.0/0"],
        },
        version=cluster.version,
    )
    eks.endpoint = cluster.endpoint
    eks.certificate_authority = {"data": cluster.certificate_authority}


def _group(ec2: Any, vpc: str, name: str, description: str, cluster: Cluster) -> str:
    group = ec2.create_security_group(name, description, vpc_id=vpc)
    ec2.create_tags([group.id], {"Name": name, f"kubernetes.io/cluster/{cluster.name}": "owned"})
    return str(group.id)


def _list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
