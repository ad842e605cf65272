# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let in: the errors are those of each service."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

CALLS = {
    "sts": "get_caller_identity",
    "iam": "list_roles",
    "ec2": "describe_vpcs",
    "eks": "list_clusters",
    "s3files": "list_file_systems",
    "secretsmanager": "list_secrets",
    "s3": "list_buckets",
}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("sts", ("InvalidClientTokenId", 403)),
        ("iam", ("InvalidClientTokenId", 403)),
        ("ec2", ("AuthFailure", 401)),
        ("eks", ("UnrecognizedClientException", 403)),
        ("s3files", ("UnrecognizedClientException", 403)),
        ("secretsmanager", ("UnrecognizedClientException", 400)),
        ("s3", ("InvalidAccessKeyId", 403)),
    ],
)
def test_unknown_key(aws: Any, code: Any, service: str, expected: tuple[str, int]) -> None:
    client = aws(service, keys=("AKIAUNKNOWN000000000", "whatever"))
    assert code(getattr(client, CALLS[service]))[:2] == expected


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("sts", "SignatureDoesNotMatch"),
        ("ec2", "AuthFailure"),
        ("eks", "InvalidSignatureException"),
        ("secretsmanager", "InvalidSignatureException"),
        ("s3", "SignatureDoesNotMatch"),
    ],
)
def test_wrong_secret(aws: Any, code: Any, service: str, expected: str) -> None:
    client = aws(service, keys=("AKIALABTEST000000001", "another secret"))
    assert code(getattr(client, CALLS[service]))[0] == expected


@pytest.mark.parametrize("service", sorted(CALLS))
def test_the_operator_is_let_in(aws: Any, service: str) -> None:
    getattr(aws(service), CALLS[service])()


def test_the_operator_is_a_user_of_the_account(aws: Any) -> None:
    identity = aws("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"] == "arn:aws:iam::123456789012:user/lab-operator"


@pytest.mark.parametrize("path", ["/", "/some-bucket/key", "/latest/meta-data/", "/moto-api/data.json"])
def test_unsigned_requests_get_nothing(emulation: Any, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(emulation.endpoint + path, timeout=5)
    assert caught.value.code == 403


def test_moto_cannot_be_reset_by_a_stranger(emulation: Any, aws: Any) -> None:
    request = urllib.request.Request(f"{emulation.endpoint}/moto-api/reset", method="POST")
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=5)
    assert aws("eks").list_clusters()["clusters"] == ["lab"]


def test_an_inactive_key_is_refused(aws: Any, code: Any, name: str) -> None:
    iam = aws("iam")
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    client = aws("sts", keys=(key["AccessKeyId"], key["SecretAccessKey"]))
    assert client.get_caller_identity()["Arn"].endswith(f"user/{name}")
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code(client.get_caller_identity)[0] == "InvalidClientTokenId"


@pytest.fixture
def session_keys(emulation: Any, make_role: Any, name: str) -> Any:
    role = make_role(name, "pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])

    def issue(seconds: int) -> tuple[str, str, str]:
        keys = emulation.world.assume_role(role, "session", seconds)
        return keys.access_key_id, keys.secret_access_key, keys.session_token

    return issue


def test_keys_of_a_role(aws: Any, session_keys: Any, name: str) -> None:
    identity = aws("sts", keys=session_keys(900)).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::123456789012:assumed-role/{name}/session"


def test_keys_of_a_role_need_their_token(aws: Any, code: Any, session_keys: Any) -> None:
    key, secret, token = session_keys(900)
    assert code(aws("sts", keys=(key, secret)).get_caller_identity)[0] == "InvalidClientTokenId"
    assert code(aws("eks", keys=(key, secret, token[:-1])).list_clusters)[0] == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("service", "expected"),
    [("sts", "ExpiredToken"), ("eks", "ExpiredTokenException"), ("ec2", "RequestExpired"), ("s3", "ExpiredToken")],
)
def test_expired_keys(aws: Any, code: Any, session_keys: Any, service: str, expected: str) -> None:
    client = aws(service, keys=session_keys(-1))
    assert code(getattr(client, CALLS[service]))[0] == expected


def test_a_request_kept_for_an_hour_is_refused(emulation: Any) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    class Late(SigV4Auth):  # type: ignore[misc]
        def add_auth(self, request: Any) -> None:
            hour_ago = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y%m%dT%H%M%SZ")
            request.context["timestamp"] = hour_ago
            self._modify_request_before_signing(request)
            request.headers.replace_header("X-Amz-Date", hour_ago)
            canonical = self.canonical_request(request)
            signature = self.signature(self.string_to_sign(request, canonical), request)
            self._inject_signature_to_request(request, signature)

    url = f"{emulation.endpoint}/file-systems"
    signed = AWSRequest("GET", url, headers={"Host": url.split("/")[2]})
    Late(Credentials("AKIALABTEST000000001", "an-operator-secret-of-the-tests"), "s3files", "eu-west-3").add_auth(
        signed
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, headers=dict(signed.headers.items())), timeout=5)
    assert b"Signature expired" in caught.value.read()


def test_a_presigned_identity_is_answered(aws: Any) -> None:
    """As EKS tokens are: a presigned GetCallerIdentity."""
    url = aws("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert b"user/lab-operator" in answer.read()
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url.replace("Expires=60", "Expires=61"), timeout=5)
    assert caught.value.code == 403
