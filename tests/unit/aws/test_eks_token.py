# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access to an EKS cluster: the token is what the API server's authenticator takes, and is renewed in time."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.eks_token import (
    Token,
    TokenSource,
    bearer_token,
    describe_cluster,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials

CREDENTIALS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "not-a-secret", "aws_session_token": "TOK"}


@pytest.fixture
def aws_session() -> Any:
    return boto3.Session(region_name="eu-west-3", **CREDENTIALS)


def url_of(value: str) -> str:
    prefix, _, encoded = value.partition(".")
    assert prefix == "k8s-aws-v1"
    assert "=" not in encoded
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def test_the_token_is_a_presigned_request_bound_to_the_cluster(aws_session: Any) -> None:
    url = urlsplit(url_of(bearer_token(aws_session, "example").value))
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.eu-west-3.amazonaws.com", "/")
    assert query["Action"] == "GetCallerIdentity"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Security-Token"] == "TOK"


def test_the_signature_holds_for_this_cluster_only(aws_session: Any) -> None:
    """Sign the same request again as the service does to check it: with the header of the cluster."""
    query = {k: v[0] for k, v in parse_qs(urlsplit(url_of(bearer_token(aws_session, "example").value)).query).items()}

    def signature(cluster: str) -> str:
        request = AWSRequest("GET", "https://sts.eu-west-3.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15")
        request.headers["x-k8s-aws-id"] = cluster
        credentials = Credentials(*CREDENTIALS.values())
        auth = SigV4QueryAuth(credentials, "sts", "eu-west-3", expires=60)
        request.context["timestamp"] = query["X-Amz-Date"]
        auth._modify_request_before_signing(request)
        return str(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))

    assert signature("example") == query["X-Amz-Signature"]
    assert signature("another") != query["X-Amz-Signature"]


def test_the_value_is_not_shown(aws_session: Any) -> None:
    token = bearer_token(aws_session, "example")
    assert token.value not in repr(token)


def test_it_expires_a_minute_before_the_fifteen_are_over(aws_session: Any) -> None:
    left = bearer_token(aws_session, "example").expires_at - datetime.now(UTC)
    assert timedelta(minutes=13, seconds=50) < left <= timedelta(minutes=14)


def test_it_expires_with_temporary_credentials(aws_session: Any) -> None:
    end = datetime.now(UTC) + timedelta(minutes=11)
    aws_session._session._credentials = RefreshableCredentials("AKID", "s", "t", end, lambda: {}, "test")
    aws_session._session._credentials._advisory_refresh_timeout = 0
    assert bearer_token(aws_session, "example").expires_at == end


def test_missing_credentials_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty:
        def get_credentials(self) -> None:
            return None

    with pytest.raises(AwsError, match="no AWS credentials were found"):
        bearer_token(Empty(), "example")


def test_a_source_keeps_a_fresh_token_and_renews_one_that_ends(aws_session: Any) -> None:
    source = TokenSource(aws_session, "example")
    first = source.get()
    assert source.get() == first
    source._token = Token("old", datetime.now(UTC) + timedelta(seconds=30))
    assert source.get() != "old"
    source._token = Token("refused", datetime.now(UTC) + timedelta(minutes=10))
    source.discard()
    assert source.get() != "refused"


CLUSTER = {
    "name": "example",
    "arn": "arn:aws:eks:eu-west-3:123456789012:cluster/example",
    "status": "ACTIVE",
    "version": "1.36",
    "endpoint": "https://example",
    "certificateAuthority": {"data": "Y2E="},
    "resourcesVpcConfig": {
        "vpcId": "vpc-1",
        "subnetIds": ["subnet-1", "subnet-2"],
        "clusterSecurityGroupId": "sg-1",
    },
}


def test_a_cluster_is_described(eks: Any) -> None:
    eks.error("describe_cluster", "ThrottlingException", status=429)
    eks.answer("describe_cluster", {"name": "example"}, {"cluster": CLUSTER})
    access = describe_cluster(eks.client, "example")
    assert (access.account, access.region) == ("123456789012", "eu-west-3")
    assert (access.endpoint, access.ca_data, access.status) == ("https://example", "Y2E=", "ACTIVE")
    assert (access.vpc_id, access.subnet_ids) == ("vpc-1", ("subnet-1", "subnet-2"))
    assert (access.security_group_ids, access.cluster_security_group_id) == ((), "sg-1")


def test_a_cluster_in_creation_has_no_endpoint_yet(eks: Any) -> None:
    cluster = {"name": "example", "arn": CLUSTER["arn"], "status": "CREATING"}
    eks.answer("describe_cluster", {"name": "example"}, {"cluster": cluster})
    access = describe_cluster(eks.client, "example")
    assert (access.endpoint, access.ca_data) == ("", "")


def test_a_missing_cluster_is_told_apart(eks: Any) -> None:
    eks.error("describe_cluster", "ResourceNotFoundException", status=404, message="No cluster found")
    with pytest.raises(AwsError, match="EKS cluster example in eu-west-3.*No cluster found") as caught:
        describe_cluster(eks.client, "example")
    assert caught.value.missing
