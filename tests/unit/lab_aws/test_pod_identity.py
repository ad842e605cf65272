# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Associations, and the agent as botocore's own provider of container credentials uses it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest

PODS = ("pods.eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"])


@pytest.fixture
def eks(aws: Any) -> Any:
    return aws("eks")


@pytest.fixture
def role(make_role: Any, name: str) -> str:
    return str(make_role(name, *PODS))


@pytest.fixture
def association(eks: Any, role: str, name: str) -> dict[str, Any]:
    """Of the service account `name` in the namespace llm."""
    return dict(
        eks.create_pod_identity_association(
            clusterName="lab", namespace="llm", serviceAccount=name, roleArn=role, tags={"llmfleet.io/cluster": "lab"}
        )["association"]
    )


def test_create_and_read(eks: Any, association: dict[str, Any], role: str, name: str) -> None:
    identifier = association["associationId"]
    found = eks.describe_pod_identity_association(clusterName="lab", associationId=identifier)["association"]
    assert (found["namespace"], found["serviceAccount"], found["roleArn"]) == ("llm", name, role)
    assert found["associationArn"] == f"arn:aws:eks:eu-west-3:123456789012:podidentityassociation/lab/{identifier}"
    assert found["tags"] == {"llmfleet.io/cluster": "lab"} and found["disableSessionTags"] is False
    listed = eks.list_pod_identity_associations(clusterName="lab", namespace="llm", serviceAccount=name)
    assert [item["associationId"] for item in listed["associations"]] == [identifier]
    assert "roleArn" not in listed["associations"][0]


def test_one_association_for_a_service_account(
    eks: Any, association: dict[str, Any], role: str, name: str, code: Any
) -> None:
    asked = {"clusterName": "lab", "namespace": "llm", "serviceAccount": name, "roleArn": role}
    assert code(eks.create_pod_identity_association, **asked)[:2] == ("ResourceInUseException", 409)


def test_a_token_makes_one_association(eks: Any, role: str, name: str) -> None:
    asked = {"clusterName": "lab", "namespace": "llm", "serviceAccount": name, "roleArn": role}
    first = eks.create_pod_identity_association(**asked, clientRequestToken=name)["association"]
    again = eks.create_pod_identity_association(**asked, clientRequestToken=name)["association"]
    assert again["associationId"] == first["associationId"]


def test_update_and_delete(eks: Any, association: dict[str, Any], make_role: Any, name: str, code: Any) -> None:
    which = {"clusterName": "lab", "associationId": association["associationId"]}
    other = make_role(f"{name}-2", *PODS)
    assert eks.update_pod_identity_association(**which, roleArn=other)["association"]["roleArn"] == other
    eks.delete_pod_identity_association(**which)
    for call in (eks.describe_pod_identity_association, eks.delete_pod_identity_association):
        assert code(call, **which)[:2] == ("ResourceNotFoundException", 404)


def test_tags(eks: Any, association: dict[str, Any], code: Any) -> None:
    arn = association["associationArn"]
    eks.tag_resource(resourceArn=arn, tags={"a": "b"})
    eks.untag_resource(resourceArn=arn, tagKeys=["llmfleet.io/cluster"])
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    assert code(eks.list_tags_for_resource, resourceArn=arn[:-1])[0] == "NotFoundException"
    cluster = eks.describe_cluster(name="lab")["cluster"]["arn"]
    eks.tag_resource(resourceArn=cluster, tags={"made-by": "a test"})
    assert eks.list_tags_for_resource(resourceArn=cluster)["tags"]["made-by"] == "a test"


def test_lists_have_pages(eks: Any, role: str, name: str) -> None:
    for number in range(3):
        eks.create_pod_identity_association(
            clusterName="lab", namespace=name, serviceAccount=f"sa-{number}", roleArn=role
        )
    pages = eks.get_paginator("list_pod_identity_associations").paginate(
        clusterName="lab", namespace=name, PaginationConfig={"PageSize": 2}
    )
    assert [len(page["associations"]) for page in pages] == [2, 1]


@pytest.mark.parametrize(
    ("actions", "disabled", "accepted"),
    [
        (["sts:AssumeRole", "sts:TagSession"], False, True),
        (["sts:*"], False, True),
        (["sts:AssumeRole"], False, False),
        (["sts:AssumeRole"], True, True),
        (["sts:TagSession"], True, False),
    ],
)
def test_the_role_must_trust_pods(
    eks: Any, make_role: Any, name: str, code: Any, actions: list[str], disabled: bool, accepted: bool
) -> None:
    role = make_role(name, PODS[0], actions)
    asked = {"clusterName": "lab", "namespace": "llm", "serviceAccount": name, "roleArn": role}
    if accepted:
        eks.create_pod_identity_association(**asked, disableSessionTags=disabled)
    else:
        failed = code(eks.create_pod_identity_association, **asked, disableSessionTags=disabled)
        assert failed[0] == "InvalidParameterException" and "Trust policy" in failed[2]["Error"]["Message"]


def test_refused_requests(eks: Any, role: str, name: str, code: Any) -> None:
    asked = {"clusterName": "lab", "namespace": "llm", "serviceAccount": name, "roleArn": f"{role}-not-there"}
    failed = code(eks.create_pod_identity_association, **asked)
    assert failed[0] == "InvalidParameterException" and "does not exist" in failed[2]["Error"]["Message"]
    failed = code(eks.create_pod_identity_association, **{**asked, "clusterName": "no-such-cluster"})
    assert failed[0] == "ResourceNotFoundException"


class TestAgent:
    """The agent gives a pod the keys of its role."""

    @pytest.fixture
    def url(self, emulation: Any) -> str:
        return f"http://127.0.0.1:{emulation.agent.port}/v1/credentials"

    def _refused(self, url: str, token: str | None) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": token} if token is not None else {}
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5)
        return caught.value.code, json.load(caught.value)

    def test_botocore_gets_keys_that_work(
        self,
        url: str,
        tokens: Any,
        association: dict[str, Any],
        emulation: Any,
        name: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        file = tmp_path / "token"
        file.write_text(tokens.issue("llm", name))
        for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
            monkeypatch.delenv(variable, raising=False)
        for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(variable, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(file))
        monkeypatch.setenv("AWS_ENDPOINT_URL", emulation.endpoint)
        session = boto3.Session(botocore_session=botocore.session.Session(), region_name="eu-west-3")
        credentials = session.get_credentials()
        assert credentials is not None and credentials.method == "container-role"
        assert credentials.refresh_needed() is False
        arn = session.client("sts").get_caller_identity()["Arn"]
        assert arn.startswith(f"arn:aws:sts::123456789012:assumed-role/{name}/eks-lab-some-pod-")

    def test_shape_of_the_answer(self, url: str, tokens: Any, association: dict[str, Any], name: str) -> None:
        request = urllib.request.Request(url, headers={"Authorization": tokens.issue("llm", name)})
        with urllib.request.urlopen(request, timeout=5) as answer:
            document = json.load(answer)
        assert set(document) == {"AccessKeyId", "SecretAccessKey", "Token", "AccountId", "Expiration"}
        left = datetime.fromisoformat(document["Expiration"]) - datetime.now(UTC)
        assert timedelta(hours=5) < left <= timedelta(hours=6)

    def test_refusals(self, url: str, tokens: Any, association: dict[str, Any], name: str) -> None:
        assert self._refused(url, None)[0] == 400
        assert self._refused(url, "a token of nobody") == (
            400,
            {"code": "InvalidTokenException", "message": "The token is not valid for pods.eks.amazonaws.com"},
        )
        status, answer = self._refused(url, tokens.issue("elsewhere", name))
        assert (status, answer["code"]) == (404, "ResourceNotFoundException")
        assert self._refused(url.replace("/v1/", "/v2/"), tokens.issue("llm", name))[0] == 404

    def test_the_trust_is_checked_at_each_request(
        self, aws: Any, url: str, tokens: Any, association: dict[str, Any], name: str
    ) -> None:
        statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws("iam").update_assume_role_policy(RoleName=name, PolicyDocument=document)
        assert self._refused(url, tokens.issue("llm", name))[1]["code"] == "AccessDeniedException"
