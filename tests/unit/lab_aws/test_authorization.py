# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the keys of a role may do: its policies and its permissions boundary decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from llmfleet_lab.aws.policies import permits

Policy = list[dict[str, Any]]


def document(statements: Policy) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def acting(aws: Any, emulation: Any, make_role: Any, name: str) -> Callable[..., Any]:
    """acting(service, statements, boundary=None) -> client with keys of a role that has this inline policy."""

    def client(service: str, statements: Policy, boundary: Policy | None = None) -> Any:
        role = make_role(name, "pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])
        iam = aws("iam")
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(statements))
        if boundary is not None:
            arn = iam.create_policy(PolicyName=name, PolicyDocument=document(boundary))["Policy"]["Arn"]
            iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
        keys = emulation.world.assume_role(role, "session", 900)
        return aws(service, keys=(keys.access_key_id, keys.secret_access_key, keys.session_token))

    return client


def fetcher(bucket: str) -> Policy:
    """What the fetcher of weights needs."""
    objects = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"arn:aws:s3:::{bucket}/models/*",
    }
    listing = {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{bucket}",
        "Condition": {"StringLike": {"s3:prefix": ["models/*"]}},
    }
    return [objects, listing]


def test_a_role_does_what_its_policy_says(acting: Any, bucket: str, code: Any) -> None:
    s3 = acting("s3", fetcher(bucket))
    s3.put_object(Bucket=bucket, Key="models/a", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="models/a")["Body"].read() == b"x"
    upload = s3.create_multipart_upload(Bucket=bucket, Key="models/b")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="models/b", UploadId=upload, PartNumber=1, Body=b"x")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="models/a")["KeyCount"] == 1
    for call, parameters in (
        (s3.put_object, {"Key": "elsewhere", "Body": b"x"}),
        (s3.delete_object, {"Key": "models/a"}),
        (s3.list_objects_v2, {}),
        (s3.list_objects_v2, {"Prefix": "other/"}),
        (s3.abort_multipart_upload, {"Key": "models/b", "UploadId": upload}),
        (s3.get_object, {"Key": "models/a", "VersionId": "some-version"}),
        (s3.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Suspended"}}),
    ):
        assert code(call, Bucket=bucket, **parameters)[:2] == ("AccessDenied", 403), (call, parameters)


def test_what_is_not_there_is_hidden_from_who_may_not_list(acting: Any, bucket: str, code: Any) -> None:
    s3 = acting("s3", fetcher(bucket)[:1])
    assert code(s3.get_object, Bucket=bucket, Key="models/none")[:2] == ("AccessDenied", 403)
    assert code(s3.head_object, Bucket=bucket, Key="models/none")[1] == 403


def test_what_is_not_there_is_told_to_who_may_list(acting: Any, bucket: str, code: Any) -> None:
    s3 = acting("s3", fetcher(bucket))
    assert code(s3.get_object, Bucket=bucket, Key="models/none")[:2] == ("NoSuchKey", 404)


def test_the_boundary_limits(acting: Any, bucket: str, code: Any) -> None:
    everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    s3 = acting("s3", everything, boundary=[{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}])
    s3.get_bucket_versioning(Bucket=bucket)
    assert code(s3.put_object, Bucket=bucket, Key="a", Body=b"x")[0] == "AccessDenied"


def test_managed_policies_count(acting: Any, aws: Any, bucket: str, name: str, code: Any) -> None:
    s3 = acting("s3", [])
    assert code(s3.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"
    aws("iam").attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert code(s3.put_object, Bucket=bucket, Key="a", Body=b"x")[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "method", "expected"),
    [
        ("eks", "list_clusters", "AccessDeniedException"),
        ("secretsmanager", "list_secrets", "AccessDeniedException"),
        ("iam", "list_roles", "AccessDenied"),
        ("ec2", "describe_vpcs", "UnauthorizedOperation"),
    ],
)
def test_other_services_by_action(acting: Any, code: Any, service: str, method: str, expected: str) -> None:
    assert code(getattr(acting(service, []), method))[0] == expected


def test_everybody_may_ask_who_they_are(acting: Any) -> None:
    acting("sts", []).get_caller_identity()


ALLOW = {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/models/*"}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([ALLOW], True),
        ([{**ALLOW, "Action": "S3:getobject"}], True),
        ([{**ALLOW, "Action": ["s3:PutObject"]}], False),
        ([{**ALLOW, "Resource": "arn:aws:s3:::b/other/*"}], False),
        ([{**ALLOW, "Resource": "arn:aws:s3:::b/model?/x"}], True),
        ([{**ALLOW, "Resource": "arn:aws:s3:::b/[m]odels/x"}], False),
        ([ALLOW, {**ALLOW, "Effect": "Deny"}], False),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Resource": "arn:aws:s3:::b/other/*"}], True),
        ([{"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}], True),
        ([{"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}], False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::b/models/*"}], False),
        ([{**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}], True),
        ([{**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": False}}}], False),
        ([{**ALLOW, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "x"}}}], False),
        ([{**ALLOW, "Condition": {"StringEqualsIfExists": {"aws:PrincipalTag/team": "x"}}}], True),
        ([{**ALLOW, "Condition": {"IpAddress": {"aws:SecureTransport": "true"}}}], False),
        ([{"Action": "*", "Resource": "*"}], False),
    ],
)
def test_policies(statements: Policy, expected: bool) -> None:
    policy = {"Version": "2012-10-17", "Statement": statements}
    context = {"aws:securetransport": "true"}
    assert permits([policy], "s3:GetObject", "arn:aws:s3:::b/models/x", context) is expected
