# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulated account holds before anyone asks."""

from __future__ import annotations

import json
from typing import Any


def test_the_cluster_is_that_of_the_lab(aws: Any) -> None:
    cluster = aws("eks").describe_cluster(name="lab")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["endpoint"] == "https://10.245.0.1:6443"
    assert cluster["certificateAuthority"] == {"data": "Q0EgY2VydGlmaWNhdGU="}
    assert cluster["arn"] == "arn:aws:eks:eu-west-3:123456789012:cluster/lab"
    assert cluster["version"] == "1.36"
    network = cluster["resourcesVpcConfig"]
    assert network["vpcId"].startswith("vpc-") and network["clusterSecurityGroupId"].startswith("sg-")


def test_private_subnets_in_two_zones(aws: Any) -> None:
    ec2 = aws("ec2")
    network = aws("eks").describe_cluster(name="lab")["cluster"]["resourcesVpcConfig"]
    subnets = ec2.describe_subnets(SubnetIds=network["subnetIds"])["Subnets"]
    assert {subnet["VpcId"] for subnet in subnets} == {network["vpcId"]}
    assert len({subnet["AvailabilityZoneId"] for subnet in subnets}) == 2
    filters = [{"Name": "tag:kubernetes.io/role/internal-elb", "Values": ["1"]}]
    found = ec2.describe_subnets(Filters=filters)["Subnets"]
    assert {subnet["SubnetId"] for subnet in found} == set(network["subnetIds"])


def test_the_node_security_group_is_found_by_its_name(aws: Any) -> None:
    filters = [{"Name": "tag:Name", "Values": ["lab-node"]}]
    (group,) = aws("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert group["VpcId"] == aws("eks").describe_cluster(name="lab")["cluster"]["resourcesVpcConfig"]["vpcId"]


def test_secrets(aws: Any) -> None:
    value = aws("secretsmanager").get_secret_value(SecretId="llmfleet/lab/api-keys")["SecretString"]
    assert json.loads(value) == {"operator": "sk-of-the-operator"}


def test_managed_policies_of_aws_can_be_attached(aws: Any, make_role: Any, name: str) -> None:
    make_role(name, "pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])
    for policy in ("service-role/AmazonEFSCSIDriverPolicy", "service-role/AmazonS3FilesCSIDriverPolicy"):
        aws("iam").attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    attached = aws("iam").list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert len(attached) == 2
