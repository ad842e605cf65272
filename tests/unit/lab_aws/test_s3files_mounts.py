# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount targets and access points of the emulated S3 Files."""

from __future__ import annotations

import time
from typing import Any

import pytest


@pytest.fixture
def s3files(aws: Any) -> Any:
    return aws("s3files")


@pytest.fixture
def network(aws: Any) -> dict[str, Any]:
    return dict(aws("eks").describe_cluster(name="lab")["cluster"]["resourcesVpcConfig"])


@pytest.fixture
def group(aws: Any, network: dict[str, Any], name: str) -> str:
    made = aws("ec2").create_security_group(GroupName=name, Description="NFS", VpcId=network["vpcId"])
    return str(made["GroupId"])


def test_one_mount_target_in_a_zone(
    aws: Any, s3files: Any, file_system: str, network: dict[str, Any], group: str, code: Any
) -> None:
    targets = [
        s3files.create_mount_target(fileSystemId=file_system, subnetId=subnet, securityGroups=[group])
        for subnet in network["subnetIds"]
    ]
    assert len({target["availabilityZoneId"] for target in targets}) == 2
    again = code(s3files.create_mount_target, fileSystemId=file_system, subnetId=network["subnetIds"][0])
    assert again[:2] == ("ConflictException", 409) and again[2]["resourceId"] == targets[0]["mountTargetId"]
    found = s3files.get_mount_target(mountTargetId=targets[0]["mountTargetId"])
    assert found["status"] == "available" and found["securityGroups"] == [group]
    (interface,) = aws("ec2").describe_network_interfaces(NetworkInterfaceIds=[found["networkInterfaceId"]])[
        "NetworkInterfaces"
    ]
    assert interface["PrivateIpAddress"] == found["ipv4Address"] and interface["SubnetId"] == found["subnetId"]
    listed = s3files.list_mount_targets(fileSystemId=file_system)["mountTargets"]
    assert len(listed) == 2 and "securityGroups" not in listed[0]


def test_the_interface_holds_its_security_group(
    aws: Any, s3files: Any, file_system: str, network: dict[str, Any], group: str, code: Any, delays: Any
) -> None:
    ec2 = aws("ec2")
    target = s3files.create_mount_target(
        fileSystemId=file_system, subnetId=network["subnetIds"][0], securityGroups=[group]
    )
    assert code(ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    delays(deleting=0.3)
    s3files.delete_mount_target(mountTargetId=target["mountTargetId"])
    assert s3files.get_mount_target(mountTargetId=target["mountTargetId"])["status"] == "deleting"
    assert code(ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    time.sleep(0.4)
    # Nobody needs to ask S3 Files for the interface to go.
    ec2.delete_security_group(GroupId=group)
    assert code(s3files.get_mount_target, mountTargetId=target["mountTargetId"])[0] == "ResourceNotFoundException"
    assert target["networkInterfaceId"] not in str(ec2.describe_network_interfaces())


def test_a_group_that_a_rule_names_is_in_use(aws: Any, network: dict[str, Any], group: str, code: Any) -> None:
    ec2 = aws("ec2")
    other = ec2.create_security_group(GroupName=f"{group}-other", Description="x", VpcId=network["vpcId"])["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 2049, "ToPort": 2049, "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[rule])
    assert code(ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    ec2.delete_security_group(GroupId=other)
    ec2.delete_security_group(GroupId=group)


def test_groups_are_replaced(aws: Any, s3files: Any, file_system: str, network: dict[str, Any], group: str) -> None:
    made = s3files.create_mount_target(fileSystemId=file_system, subnetId=network["subnetIds"][0])
    assert made["securityGroups"] != [group]
    updated = s3files.update_mount_target(mountTargetId=made["mountTargetId"], securityGroups=[group])
    assert updated["securityGroups"] == [group]
    (interface,) = aws("ec2").describe_network_interfaces(NetworkInterfaceIds=[made["networkInterfaceId"]])[
        "NetworkInterfaces"
    ]
    assert [item["GroupId"] for item in interface["Groups"]] == [group]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"subnetId": "subnet-00000000000000000"}, "ResourceNotFoundException"),
        ({"securityGroups": ["sg-00000000000000000"]}, "ResourceNotFoundException"),
        ({"ipv4Address": "192.168.1.1"}, "ValidationException"),
        ({"ipAddressType": "DUAL_STACK"}, "ValidationException"),
        ({"fileSystemId": "fs-00000000000000000"}, "ResourceNotFoundException"),
        ({"fileSystemId": "fs-0"}, "ValidationException"),
    ],
)
def test_refused_mount_targets(
    s3files: Any, file_system: str, network: dict[str, Any], code: Any, asked: dict[str, Any], expected: str
) -> None:
    request = {"fileSystemId": file_system, "subnetId": network["subnetIds"][0], **asked}
    assert code(s3files.create_mount_target, **request)[0] == expected
    assert s3files.list_mount_targets(fileSystemId=file_system)["mountTargets"] == []


def test_groups_of_another_vpc_are_refused(
    aws: Any, s3files: Any, file_system: str, network: dict[str, Any], code: Any
) -> None:
    vpc = aws("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = aws("ec2").create_security_group(GroupName="far", Description="x", VpcId=vpc)["GroupId"]
    request = {"fileSystemId": file_system, "subnetId": network["subnetIds"][0], "securityGroups": [group]}
    assert code(s3files.create_mount_target, **request)[0] == "ValidationException"


def test_access_point(s3files: Any, file_system: str, code: Any, name: str) -> None:
    root = {"path": "/models", "creationPermissions": {"ownerUid": 1001, "ownerGid": 1001, "permissions": "0775"}}
    asked = {
        "fileSystemId": file_system,
        "posixUser": {"uid": 1001, "gid": 1001},
        "rootDirectory": root,
        "tags": [{"key": "Name", "value": "models"}],
        "clientToken": name,
    }
    made = s3files.create_access_point(**asked)
    assert s3files.create_access_point(**asked)["accessPointId"] == made["accessPointId"]
    other = {**asked, "posixUser": {"uid": 1002, "gid": 1002}}
    assert code(s3files.create_access_point, **other)[0] == "ConflictException"
    found = s3files.get_access_point(accessPointId=made["accessPointId"])
    assert (found["posixUser"], found["rootDirectory"], found["status"]) == (asked["posixUser"], root, "available")
    assert found["accessPointArn"].endswith(f"file-system/{file_system}/access-point/{found['accessPointId']}")
    listed = s3files.list_access_points(fileSystemId=file_system)["accessPoints"]
    assert [item["name"] for item in listed] == ["models"] and "tags" not in listed[0]
    s3files.tag_resource(resourceId=found["accessPointArn"], tags=[{"key": "a", "value": "b"}])
    assert {"key": "a", "value": "b"} in s3files.list_tags_for_resource(resourceId=found["accessPointId"])["tags"]


def test_access_point_without_wishes_is_the_root(s3files: Any, file_system: str) -> None:
    assert s3files.create_access_point(fileSystemId=file_system)["rootDirectory"] == {"path": "/"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"posixUser": {"uid": 1, "gid": 4294967296}},
        {"rootDirectory": {"path": "models"}},
        {"rootDirectory": {"path": "/a/../b"}},
        {"rootDirectory": {"path": "/m", "creationPermissions": {"ownerUid": 1, "ownerGid": 1, "permissions": "0999"}}},
    ],
)
def test_refused_access_points(s3files: Any, file_system: str, code: Any, wrong: dict[str, Any]) -> None:
    assert code(s3files.create_access_point, fileSystemId=file_system, **wrong)[0] == "ValidationException"
