# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand, and what the log says of requests."""

from __future__ import annotations

from typing import Any

import botocore.exceptions
import pytest

pytestmark = pytest.mark.usefixtures("no_faults")


@pytest.mark.parametrize(
    ("service", "operation", "error", "method", "status"),
    [
        ("s3files", "ListFileSystems", "ThrottlingException", "list_file_systems", 429),
        ("s3files", "ListFileSystems", "InternalServerException", "list_file_systems", 500),
        ("eks", "ListClusters", "ServerException", "list_clusters", 500),
        ("ec2", "DescribeVpcs", "RequestLimitExceeded", "describe_vpcs", 503),
        ("iam", "ListRoles", "Throttling", "list_roles", 400),
        ("s3", "ListBuckets", "SlowDown", "list_buckets", 503),
        ("secretsmanager", "ListSecrets", "InternalServiceError", "list_secrets", 400),
    ],
)
def test_the_error_comes_as_often_as_asked(
    aws: Any, control: Any, code: Any, service: str, operation: str, error: str, method: str, status: int
) -> None:
    fault = {"service": service, "operation": operation, "error": error, "times": 2}
    assert control("POST", "faults", fault)[0] == 201
    call = getattr(aws(service), method)
    assert code(call)[:2] == (error, status)
    assert code(call)[:2] == (error, status)
    call()
    assert control("GET", "faults") == (200, {"faults": []})


def test_sdks_retry_it(aws: Any, control: Any) -> None:
    control("POST", "faults", {"service": "eks", "operation": "*", "error": "ServerException", "times": 2})
    answer = aws("eks", attempts=3).list_clusters()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2


def test_other_operations_are_spared(aws: Any, control: Any) -> None:
    fault = {"service": "s3files", "operation": "CreateFileSystem", "error": "ThrottlingException"}
    control("POST", "faults", fault)
    aws("s3files").list_file_systems()
    assert control("GET", "faults")[1]["faults"][0]["times"] == 1


def test_a_lost_reply_has_done_its_work(aws: Any, control: Any, bucket: str, fs_role: str, name: str) -> None:
    control("POST", "faults", {"service": "s3files", "operation": "CreateFileSystem", "error": "LostReply"})
    s3files = aws("s3files")
    asked = {"bucket": f"arn:aws:s3:::{bucket}", "roleArn": fs_role, "clientToken": name}
    with pytest.raises(botocore.exceptions.HTTPClientError):
        s3files.create_file_system(**asked)
    (found,) = s3files.list_file_systems(bucket=asked["bucket"])["fileSystems"]
    assert s3files.create_file_system(**asked)["fileSystemId"] == found["fileSystemId"]


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ([], "JSON object"),
        ({"service": "s3files", "operation": "CreateFileSystem"}, "error"),
        ({"service": "s3files", "operation": "MakeFileSystem", "error": "X"}, "operation"),
        ({"service": "s4files", "operation": "*", "error": "X"}, "operation"),
        ({"service": "eks", "operation": "*", "error": "X", "times": 0}, "times"),
        ({"service": "eks", "operation": "*", "error": "X", "status": 200}, "status"),
        ({"service": "eks", "operation": "*", "error": "X", "when": "now"}, "when"),
    ],
)
def test_bad_faults_are_refused(control: Any, fault: Any, named: str) -> None:
    status, answer = control("POST", "faults", fault)
    assert status == 400 and named in answer["error"]
    assert control("GET", "faults")[1] == {"faults": []}


def test_controls(control: Any, delays: Any) -> None:
    assert control("GET", "health") == (200, {"status": "ok"})
    assert control("GET", "nothing")[0] == 404
    assert control("PUT", "delays", {"creating": -1})[0] == 400
    assert control("PUT", "delays", {"sleeping": 1})[0] == 400
    assert control("PUT", "delays", {"creating": 3}) == (200, {"creating": 3.0, "deleting": 0.0})
    assert control("PUT", "pending-export", {"fileSystemId": "fs-0", "pending": True})[0] == 400


def test_counters_tell_reads_and_changes_apart(aws: Any, control: Any, code: Any, name: str) -> None:
    before = control("GET", "requests")[1]["next"]
    aws("eks").describe_cluster(name="lab")
    aws("s3").list_buckets()
    aws("sts").get_caller_identity()
    aws("ec2").describe_vpcs()
    none = control("GET", f"requests?since={before}")[1]
    assert (none["requests"], none["mutating"], none["mutating_operations"]) == (4, 0, [])
    aws("iam").create_user(UserName=name)
    code(aws("iam").create_user, UserName=name)
    some = control("GET", f"requests?since={none['next']}")[1]
    assert some["mutating"] == 2 and some["mutating_operations"] == ["iam:CreateUser"]
    assert some["operations"] == {"iam:CreateUser": {"requests": 2, "errors": 1}}


def test_a_dry_run_changes_nothing(aws: Any, control: Any, code: Any) -> None:
    before = control("GET", "requests")[1]["next"]
    failed = code(aws("ec2").create_vpc, CidrBlock="10.8.0.0/16", DryRun=True)
    assert failed[:2] == ("DryRunOperation", 412)
    assert "10.8.0.0/16" not in str(aws("ec2").describe_vpcs())
    assert control("GET", f"requests?since={before}")[1]["mutating"] == 0


def test_the_log_has_every_request_and_no_secret(aws: Any, log_lines: Any, bucket: str, name: str) -> None:
    import urllib.request

    s3 = aws("s3")
    s3.put_object(Bucket=bucket, Key="a key", Body=b"the content of the object")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a key"})
    urllib.request.urlopen(url, timeout=5).close()
    aws("secretsmanager").create_secret(Name=name, SecretString="a secret of the log test")
    lines = log_lines()[-3:]
    assert [(line["service"], line["operation"], line["mutating"]) for line in lines] == [
        ("s3", "PutObject", True),
        ("s3", "GetObject", False),
        ("secretsmanager", "CreateSecret", True),
    ]
    members = {"time", "service", "operation", "method", "path", "status", "access_key_id", "mutating", "request_id"}
    members.add("actions")
    assert lines[0]["actions"] == ["s3:PutObject"] and lines[2]["actions"] == ["secretsmanager:CreateSecret"]
    assert all(set(line) == members for line in lines)
    assert lines[0]["path"] == f"/{bucket}/a%20key" and lines[0]["access_key_id"] == "AKIALABTEST000000001"
    text = str(log_lines())
    for secret in ("an-operator-secret-of-the-tests", "X-Amz-Signature", "a secret of the log test", "content of the"):
        assert secret not in text


def test_refused_requests_are_logged_too(aws: Any, code: Any, log_lines: Any) -> None:
    failed = code(aws("eks", keys=("AKIAUNKNOWN000000000", "x")).delete_cluster, name="lab")
    line = log_lines()[-1]
    assert (line["operation"], line["status"], line["mutating"]) == ("DeleteCluster", 403, True)
    assert line["request_id"] == failed[2]["ResponseMetadata"]["RequestId"]
