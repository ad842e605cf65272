# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems of the emulated S3 Files, driven by boto3."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest


@pytest.fixture
def s3files(aws: Any) -> Any:
    return aws("s3files")


def test_create_and_read(s3files: Any, bucket: str, fs_role: str) -> None:
    tags = [{"key": "Name", "value": "weights"}, {"key": "llmfleet.io/cluster", "value": "lab"}]
    arn = f"arn:aws:s3:::{bucket}"
    made = s3files.create_file_system(bucket=arn, roleArn=fs_role, prefix="models/", tags=tags)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    found = s3files.get_file_system(fileSystemId=made["fileSystemId"])
    assert found["status"] == "available"
    assert (found["bucket"], found["prefix"], found["roleArn"]) == (arn, "models/", fs_role)
    assert found["name"] == "weights" and found["tags"] == tags and found["ownerId"] == "123456789012"
    assert found["fileSystemArn"] == f"arn:aws:s3files:eu-west-3:123456789012:file-system/{found['fileSystemId']}"
    assert s3files.get_file_system(fileSystemId=found["fileSystemArn"])["fileSystemId"] == found["fileSystemId"]
    listed = s3files.list_file_systems(bucket=arn)["fileSystems"]
    assert [item["fileSystemId"] for item in listed] == [found["fileSystemId"]]
    assert "tags" not in listed[0]


def test_states_move_with_time(s3files: Any, bucket: str, fs_role: str, delays: Any, code: Any) -> None:
    delays(creating=0.4, deleting=0.4)
    made = s3files.create_file_system(bucket=f"arn:aws:s3:::{bucket}", roleArn=fs_role)
    identifier = made["fileSystemId"]
    assert made["status"] == "creating"
    assert code(s3files.create_access_point, fileSystemId=identifier)[:2] == ("ConflictException", 409)
    time.sleep(0.5)
    assert s3files.get_file_system(fileSystemId=identifier)["status"] == "available"
    s3files.delete_file_system(fileSystemId=identifier)
    assert s3files.get_file_system(fileSystemId=identifier)["status"] == "deleting"
    s3files.delete_file_system(fileSystemId=identifier)
    time.sleep(0.5)
    assert code(s3files.get_file_system, fileSystemId=identifier)[:2] == ("ResourceNotFoundException", 404)
    assert code(s3files.delete_file_system, fileSystemId=identifier)[0] == "ResourceNotFoundException"


def test_a_token_makes_one_file_system(s3files: Any, bucket: str, fs_role: str, code: Any, name: str) -> None:
    asked = {"bucket": f"arn:aws:s3:::{bucket}", "roleArn": fs_role, "clientToken": name}
    first = s3files.create_file_system(**asked)["fileSystemId"]
    assert s3files.create_file_system(**asked)["fileSystemId"] == first
    failed = code(s3files.create_file_system, **asked, prefix="other/")
    assert failed[0] == "ConflictException" and failed[2]["resourceId"] == first
    assert len(s3files.list_file_systems(bucket=asked["bucket"])["fileSystems"]) == 1


def test_the_bucket_must_exist_and_be_versioned(aws: Any, s3files: Any, fs_role: str, code: Any, name: str) -> None:
    asked = {"bucket": f"arn:aws:s3:::{name}", "roleArn": fs_role}
    assert code(s3files.create_file_system, **asked)[0] == "ResourceNotFoundException"
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    failed = code(s3files.create_file_system, **asked)
    assert failed[0] == "ValidationException" and "versioning" in failed[2]["Error"]["Message"]
    aws("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    assert code(s3files.create_file_system, **asked)[0] == "ValidationException"


@pytest.mark.parametrize(
    ("principal", "actions", "condition"),
    [
        ("ec2.amazonaws.com", ["sts:AssumeRole"], None),
        ("elasticfilesystem.amazonaws.com", ["sts:TagSession"], None),
        ("elasticfilesystem.amazonaws.com", ["sts:AssumeRole"], {"StringEquals": {"aws:SourceAccount": "1" * 12}}),
        ("elasticfilesystem.amazonaws.com", ["sts:AssumeRole"], {"ArnLike": {"aws:SourceArn": "arn:aws:s3files:x:*"}}),
    ],
)
def test_the_role_must_trust_the_service(
    s3files: Any,
    make_role: Any,
    bucket: str,
    code: Any,
    name: str,
    principal: str,
    actions: list[str],
    condition: dict[str, Any] | None,
) -> None:
    role = make_role(name, principal, actions, condition)
    failed = code(s3files.create_file_system, bucket=f"arn:aws:s3:::{bucket}", roleArn=role)
    assert failed[0] == "ValidationException" and "cannot be assumed" in failed[2]["Error"]["Message"]


def test_the_role_must_exist(s3files: Any, bucket: str, code: Any, name: str) -> None:
    role = f"arn:aws:iam::123456789012:role/{name}"
    failed = code(s3files.create_file_system, bucket=f"arn:aws:s3:::{bucket}", roleArn=role)
    assert failed[0] == "ValidationException" and "does not exist" in failed[2]["Error"]["Message"]


@pytest.mark.parametrize(
    ("wrong", "member"),
    [
        ({"bucket": "a-name-and-no-arn"}, "bucket"),
        ({"prefix": "no-slash-at-the-end"}, "prefix"),
        ({"roleArn": "arn:aws:iam::12:role/x"}, "roleArn"),
        ({"tags": [{"key": "a<b", "value": ""}]}, "tags[0].key"),
        ({"tags": [{"key": f"k{i}", "value": ""} for i in range(51)]}, "tags"),
        ({"tags": [{"key": "aws:x", "value": ""}]}, "tags"),
        ({"tags": [{"key": "x", "value": ""}, {"key": "x", "value": ""}]}, "tags"),
    ],
)
def test_requests_are_validated(
    s3files: Any, bucket: str, fs_role: str, code: Any, wrong: dict[str, Any], member: str
) -> None:
    asked = {"bucket": f"arn:aws:s3:::{bucket}", "roleArn": fs_role, **wrong}
    failed = code(s3files.create_file_system, **asked)
    assert failed[:2] == ("ValidationException", 400)
    assert failed[2]["Error"]["Message"].startswith(f"{member}:") and failed[2]["errorCode"]
    assert s3files.list_file_systems(bucket=f"arn:aws:s3:::{bucket}")["fileSystems"] == []


def test_what_boto_checks_itself_is_checked_here_too(aws: Any, code: Any) -> None:
    """Other SDKs send what boto3 would not: a missing member, a wrong type."""
    loose = aws("s3files", parameter_validation=False)
    assert "roleArn: missing" in code(loose.create_file_system, bucket="arn:aws:s3:::b")[2]["Error"]["Message"]
    failed = code(loose.create_file_system, bucket="arn:aws:s3:::b", roleArn="r", acceptBucketWarning="yes")
    assert failed[0] == "ValidationException"
    failed = code(loose.put_synchronization_configuration, fileSystemId="fs-" + "0" * 17, importDataRules=[])
    assert failed[0] == "ValidationException"


def test_misconfigured_when_the_role_is_gone(aws: Any, s3files: Any, file_system: str, fs_role: str) -> None:
    aws("iam").delete_role(RoleName=fs_role.rpartition("/")[2])
    found = s3files.get_file_system(fileSystemId=file_system)
    assert found["status"] == "misconfigured" and "does not exist" in found["statusMessage"]


def test_misconfigured_when_versioning_is_suspended(aws: Any, s3files: Any, file_system: str, bucket: str) -> None:
    aws("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3files.get_file_system(fileSystemId=file_system)["status"] == "misconfigured"


def test_not_deleted_while_it_has_children(aws: Any, s3files: Any, file_system: str, code: Any) -> None:
    subnet = aws("eks").describe_cluster(name="lab")["cluster"]["resourcesVpcConfig"]["subnetIds"][0]
    target = s3files.create_mount_target(fileSystemId=file_system, subnetId=subnet)["mountTargetId"]
    point = s3files.create_access_point(fileSystemId=file_system)["accessPointId"]
    assert code(s3files.delete_file_system, fileSystemId=file_system)[2]["errorCode"] == "FileSystemHasMountTargets"
    s3files.delete_mount_target(mountTargetId=target)
    assert code(s3files.delete_file_system, fileSystemId=file_system)[2]["errorCode"] == "FileSystemHasAccessPoints"
    s3files.delete_access_point(accessPointId=point)
    s3files.delete_file_system(fileSystemId=file_system)


def test_not_deleted_with_pending_exports(s3files: Any, control: Any, file_system: str, code: Any) -> None:
    assert control("PUT", "pending-export", {"fileSystemId": file_system, "pending": True})[0] == 200
    failed = code(s3files.delete_file_system, fileSystemId=file_system)
    assert failed[0] == "ConflictException" and failed[2]["errorCode"] == "FileSystemHasPendingExport"
    s3files.delete_file_system(fileSystemId=file_system, forceDelete=True)


def test_policy(s3files: Any, file_system: str, fs_role: str, code: Any) -> None:
    def policy(principal: str) -> str:
        statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "s3files:ClientMount"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    assert code(s3files.get_file_system_policy, fileSystemId=file_system)[0] == "ResourceNotFoundException"
    for wrong in ("{", "[]", policy("arn:aws:iam::123456789012:role/nobody"), policy("*").replace("Allow", "Maybe")):
        failed = code(s3files.put_file_system_policy, fileSystemId=file_system, policy=wrong)
        assert failed[0] == "ValidationException", wrong
    s3files.put_file_system_policy(fileSystemId=file_system, policy=policy(fs_role))
    assert s3files.get_file_system_policy(fileSystemId=file_system)["policy"] == policy(fs_role)
    s3files.delete_file_system_policy(fileSystemId=file_system)
    assert code(s3files.get_file_system_policy, fileSystemId=file_system)[0] == "ResourceNotFoundException"


def test_synchronization_has_an_optimistic_lock(s3files: Any, file_system: str, code: Any) -> None:
    def rules(size: int) -> dict[str, Any]:
        return {
            "fileSystemId": file_system,
            "importDataRules": [{"prefix": "", "trigger": "ON_FILE_ACCESS", "sizeLessThan": size}],
            "expirationDataRules": [{"daysAfterLastAccess": 7}],
        }

    first = s3files.get_synchronization_configuration(fileSystemId=file_system)
    assert first["importDataRules"][0]["sizeLessThan"] == 131072
    s3files.put_synchronization_configuration(**rules(1))
    changed = s3files.get_synchronization_configuration(fileSystemId=file_system)
    assert changed["importDataRules"] == rules(1)["importDataRules"]
    put = s3files.put_synchronization_configuration
    assert code(put, **rules(2))[0] == "ConflictException"
    assert code(put, **rules(2), latestVersionNumber=changed["latestVersionNumber"] + 1)[0] == "ConflictException"
    put(**rules(2), latestVersionNumber=changed["latestVersionNumber"])
    twice = {**rules(2), "importDataRules": rules(2)["importDataRules"] * 2}
    assert code(put, **twice, latestVersionNumber=changed["latestVersionNumber"] + 1)[0] == "ValidationException"


def test_import_rules_stay_inside_the_prefix(s3files: Any, bucket: str, fs_role: str, code: Any) -> None:
    made = s3files.create_file_system(bucket=f"arn:aws:s3:::{bucket}", roleArn=fs_role, prefix="models/")
    failed = code(
        s3files.put_synchronization_configuration,
        fileSystemId=made["fileSystemId"],
        importDataRules=[{"prefix": "", "trigger": "ON_FILE_ACCESS", "sizeLessThan": 1}],
        expirationDataRules=[{"daysAfterLastAccess": 7}],
    )
    assert "must start with the file system prefix 'models/'" in failed[2]["Error"]["Message"]


def test_tags(s3files: Any, file_system: str, code: Any) -> None:
    s3files.tag_resource(resourceId=file_system, tags=[{"key": f"k{i:02}", "value": "v"} for i in range(50)])
    failed = code(s3files.tag_resource, resourceId=file_system, tags=[{"key": "one-more", "value": ""}])
    assert failed[0] == "ValidationException"
    s3files.untag_resource(resourceId=file_system, tagKeys=["k00", "k01", "not-there"])
    pages = s3files.get_paginator("list_tags_for_resource").paginate(
        resourceId=file_system, PaginationConfig={"PageSize": 20}
    )
    sizes = [len(page["tags"]) for page in pages]
    assert sizes == [20, 20, 8]
    failed = code(s3files.list_tags_for_resource, resourceId=file_system, nextToken="made-up")
    assert failed[0] == "ValidationException"


def test_lists_have_pages(s3files: Any, bucket: str, fs_role: str) -> None:
    for _ in range(3):
        s3files.create_file_system(bucket=f"arn:aws:s3:::{bucket}", roleArn=fs_role)
    pages = s3files.get_paginator("list_file_systems").paginate(
        bucket=f"arn:aws:s3:::{bucket}", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["fileSystems"]) for page in pages] == [2, 1]


def test_every_operation_of_the_model_is_served(emulation: Any) -> None:
    from llmfleet_lab.aws.operations import service_model

    assert set(emulation.s3files.operations) == set(service_model("s3files").operation_names)
