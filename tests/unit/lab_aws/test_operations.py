# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations are told from requests as every protocol sends them; writes from reads by their names."""

from __future__ import annotations

import io
from typing import Any

import pytest
from llmfleet_lab.aws.operations import Call, classify, match_rest
from llmfleet_lab.aws.request import HEADERS_KEY, Request
from llmfleet_lab.aws.s3_front import path_style
from llmfleet_lab.aws.sigv4 import Claim


def request(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Request:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "RAW_URI": target,
        "wsgi.input": io.BytesIO(body),
        HEADERS_KEY: [*(headers or {}).items(), ("content-length", str(len(body)))],
    }
    return Request(environ)


def claim(service: str, expires: int | None = None) -> Claim:
    return Claim("AKIA", "20261124", "eu-west-3", service, "20261124T000000Z", ("host",), "0", "", expires)


@pytest.mark.parametrize(
    ("method", "target", "headers", "operation"),
    [
        ("GET", "/", {}, "ListBuckets"),
        ("GET", "/b", {}, "ListObjects"),
        ("GET", "/b?list-type=2&prefix=models%2F", {}, "ListObjectsV2"),
        ("GET", "/b/?versions", {}, "ListObjectVersions"),
        ("GET", "/b?versioning", {}, "GetBucketVersioning"),
        ("PUT", "/b?versioning", {}, "PutBucketVersioning"),
        ("GET", "/b?lifecycle", {}, "GetBucketLifecycleConfiguration"),
        ("GET", "/b?uploads", {}, "ListMultipartUploads"),
        ("POST", "/b?delete", {}, "DeleteObjects"),
        ("PUT", "/b", {}, "CreateBucket"),
        ("HEAD", "/b", {}, "HeadBucket"),
        ("PUT", "/b/models/a%20b", {}, "PutObject"),
        ("PUT", "/b/k", {"x-amz-copy-source": "b/other"}, "CopyObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", {}, "UploadPart"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", {"x-amz-copy-source": "b/o"}, "UploadPartCopy"),
        ("POST", "/b/k?uploads=", {}, "CreateMultipartUpload"),
        ("POST", "/b/k?uploadId=u", {}, "CompleteMultipartUpload"),
        ("DELETE", "/b/k?uploadId=u", {}, "AbortMultipartUpload"),
        ("DELETE", "/b/k?versionId=v", {}, "DeleteObject"),
        ("GET", "/b/k?x-id=GetObject", {}, "GetObject"),
        ("GET", "/b/k?uploadId=u", {}, "ListParts"),
        ("HEAD", "/b/k", {}, "HeadObject"),
    ],
)
def test_s3(method: str, target: str, headers: dict[str, str], operation: str) -> None:
    item = request(method, target, headers)
    assert match_rest("s3", item, item.path)[0] == operation


def test_members_of_the_path_are_decoded() -> None:
    item = request("PUT", "/b/models/a%20b/%C3%BC")
    assert match_rest("s3", item, item.path)[1] == {"Bucket": "b", "Key": "models/a b/ü"}
    arn = "arn%3Aaws%3Aeks%3Aeu-west-3%3A1%3Apodidentityassociation%2Flab%2Fa-1"
    item = request("GET", f"/tags/{arn}")
    found = match_rest("eks", item, item.path)
    assert found == ("ListTagsForResource", {"resourceArn": "arn:aws:eks:eu-west-3:1:podidentityassociation/lab/a-1"})


def test_other_protocols() -> None:
    form = request("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, b"Action=CreateRole&Version=1")
    assert classify(form, claim("iam"), "/").operation == "CreateRole"
    target = request("POST", "/", {"x-amz-target": "secretsmanager.GetSecretValue"}, b"{}")
    assert classify(target, claim("secretsmanager"), "/").operation == "GetSecretValue"
    rpc = request("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics")
    call = classify(rpc, claim("monitoring"), "/")
    assert (call.service, call.operation) == ("cloudwatch", "ListMetrics")
    presigned = request("GET", "/?Action=GetCallerIdentity&X-Amz-Algorithm=AWS4-HMAC-SHA256")
    assert classify(presigned, claim("sts", 60), "/").operation == "GetCallerIdentity"
    assert classify(request("GET", "/"), claim("no-such-service"), "/").operation == ""
    assert match_rest("s3files", request("PATCH", "/file-systems"), "/file-systems") == ("", {})


@pytest.mark.parametrize(
    ("operation", "mutating"),
    [
        ("GetRole", False),
        ("ListFileSystems", False),
        ("DescribeVpcs", False),
        ("HeadObject", False),
        ("AssumeRole", False),
        ("AssumeRoleWithWebIdentity", False),
        ("BatchGetSecretValue", False),
        ("SimulatePrincipalPolicy", False),
        ("CreateRole", True),
        ("PutObject", True),
        ("UploadPart", True),
        ("TagResource", True),
        ("DeleteObjects", True),
        ("AuthorizeSecurityGroupIngress", True),
        ("BatchDeleteImage", True),
        ("", True),
    ],
)
def test_writes_are_told_from_reads(operation: str, mutating: bool) -> None:
    assert Call("x", operation, "query", "eu-west-3").mutating is mutating


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("10.245.0.1:4566", "/k"),
        ("b.10.245.0.1:4566", "/b/k"),
        ("b.localhost:4566", "/b/k"),
        ("b.s3.eu-west-3.amazonaws.com", "/b/k"),
        ("b.with.dots.s3.amazonaws.com", "/b.with.dots/k"),
        ("s3.eu-west-3.amazonaws.com", "/k"),
        ("other.example", "/k"),
    ],
)
def test_virtual_hosts_become_paths(host: str, path: str) -> None:
    assert path_style(request("GET", "/k", {"host": host}), ["10.245.0.1", "localhost"]) == path
