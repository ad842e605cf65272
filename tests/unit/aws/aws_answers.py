# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the services as they look on the wire, for the tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

FS = "fs-0123456789abcdef0"
FS2 = "fs-0123456789abcdef2"
FS_ARN = f"arn:aws:s3files:eu-west-3:123456789012:file-system/{FS}"
POINT = "fsap-0123456789abcdef0"
POINT2 = "fsap-0123456789abcdef2"
TARGET = "fsmt-0123456789abcdef0"
TARGET2 = "fsmt-0123456789abcdef2"
SUBNET, SUBNET2 = "subnet-0123456789abcdef0", "subnet-0123456789abcdef2"
GROUP, GROUP2 = "sg-0123456789abcdef0", "sg-0123456789abcdef2"
BUCKET = "arn:aws:s3:::example-weights"
ROLE = "arn:aws:iam::123456789012:role/example-weights-fs"
ACCOUNT = "123456789012"


def tag_list(**tags: str) -> list[dict[str, str]]:
    """Tags in the lower-case form of s3files."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def file_system(status: str = "available", **fields: Any) -> dict[str, Any]:
    """An answer of GetFileSystem and CreateFileSystem."""
    return {
        "creationTime": datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        "fileSystemArn": FS_ARN,
        "fileSystemId": FS,
        "bucket": BUCKET,
        "roleArn": ROLE,
        "status": status,
        "ownerId": ACCOUNT,
        "name": "weights",
        "tags": tag_list(Name="weights"),
        **fields,
    }


def listed(*systems: dict[str, Any]) -> dict[str, Any]:
    """An answer of ListFileSystems, which has no prefix, key and tags."""
    hidden = ("tags", "prefix", "kmsKeyId", "clientToken")
    return {"fileSystems": [{key: value for key, value in item.items() if key not in hidden} for item in systems]}


def target(
    status: str = "available", target_id: str = TARGET, subnet: str = SUBNET, groups: tuple[str, ...] = (GROUP,)
) -> dict[str, Any]:
    """An answer of GetMountTarget and CreateMountTarget."""
    return {
        "ownerId": ACCOUNT,
        "mountTargetId": target_id,
        "fileSystemId": FS,
        "subnetId": subnet,
        "ipv4Address": "10.0.1.17",
        "securityGroups": list(groups),
        "status": status,
    }


def targets(*items: dict[str, Any]) -> dict[str, Any]:
    """An answer of ListMountTargets, which has no security groups."""
    return {"mountTargets": [{key: value for key, value in item.items() if key != "securityGroups"} for item in items]}


def point(status: str = "available", point_id: str = POINT, **fields: Any) -> dict[str, Any]:
    """An answer of GetAccessPoint and CreateAccessPoint."""
    return {
        "accessPointArn": f"{FS_ARN}/access-point/{point_id}",
        "accessPointId": point_id,
        "clientToken": "token",
        "fileSystemId": FS,
        "status": status,
        "ownerId": ACCOUNT,
        "name": "weights",
        "posixUser": {"uid": 1001, "gid": 1001},
        "rootDirectory": {
            "path": "/models",
            "creationPermissions": {"ownerUid": 1001, "ownerGid": 1001, "permissions": "0775"},
        },
        "tags": tag_list(Name="weights"),
        **fields,
    }


def points(*items: dict[str, Any]) -> dict[str, Any]:
    """An answer of ListAccessPoints, which has no tags and no token."""
    hidden = ("tags", "clientToken")
    return {"accessPoints": [{key: value for key, value in item.items() if key not in hidden} for item in items]}
