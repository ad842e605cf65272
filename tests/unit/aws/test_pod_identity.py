# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pod identity associations: what is sent for each difference, and that nothing is sent without one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.pod_identity import (
    Association,
    ensure_absent,
    ensure_present,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run, stable_token

REAL = Run()
CHECK = Run(check=True)
ROLE, ROLE2 = "arn:aws:iam::123456789012:role/fetcher", "arn:aws:iam::123456789012:role/other"
ID = "a-0123456789abcdef0"
ARN = f"arn:aws:eks:eu-west-3:123456789012:podidentityassociation/example/{ID}"
PLACE = {"clusterName": "example", "namespace": "llm", "serviceAccount": "weights-fetcher"}
ONE = {"clusterName": "example", "associationId": ID}


def wanted(**fields: Any) -> Association:
    given = {"cluster": "example", "namespace": "llm", "service_account": "weights-fetcher", "role_arn": ROLE}
    return Association(**{**given, **fields})


def association(role: str = ROLE, **tags: str) -> dict[str, Any]:
    return {"association": {**PLACE, "associationId": ID, "associationArn": ARN, "roleArn": role, "tags": tags}}


def found(script: Any, answer: dict[str, Any] | None) -> None:
    """Expect the reads of the service account's association."""
    listed = [{**PLACE, "associationId": ID, "associationArn": ARN}] if answer else []
    script.answer("list_pod_identity_associations", PLACE, {"associations": listed})
    if answer:
        script.answer("describe_pod_identity_association", ONE, answer)


def create_request(**tags: str) -> dict[str, Any]:
    token = stable_token("example", "llm", "weights-fetcher", ROLE)
    return {**PLACE, "roleArn": ROLE, "tags": tags, "clientRequestToken": token}


def test_creates(eks: Any) -> None:
    found(eks, None)
    eks.answer("create_pod_identity_association", create_request(team="ml"), association(team="ml"))
    eks.answer("describe_pod_identity_association", ONE, association(team="ml"))
    result = ensure_present(eks.client, wanted(tags={"team": "ml"}), REAL)
    assert result.changed
    assert result.after["association_id"] == ID
    assert result.after["tags"] == {"team": "ml"}


def test_waits_for_a_role_that_is_not_known_yet(eks: Any, clock: list[float]) -> None:
    found(eks, None)
    message = "Role provided in the request does not exist."
    eks.error("create_pod_identity_association", "InvalidParameterException", message=message)
    eks.answer("create_pod_identity_association", create_request(), association())
    eks.answer("describe_pod_identity_association", ONE, association())
    assert ensure_present(eks.client, wanted(), REAL).changed
    assert clock == [4.0]


def test_a_role_that_never_appears_is_an_error(eks: Any, clock: list[float]) -> None:
    found(eks, None)
    for _ in range(16):
        eks.error("create_pod_identity_association", "InvalidParameterException", message="Role x does not exist")
    with pytest.raises(AwsError, match="Role x does not exist"):
        ensure_present(eks.client, wanted(), REAL)
    assert sum(clock) == 60


def test_another_bad_parameter_fails_at_once(eks: Any, clock: list[float]) -> None:
    found(eks, None)
    eks.error("create_pod_identity_association", "InvalidParameterException", message="the namespace is not valid")
    with pytest.raises(AwsError, match="namespace is not valid"):
        ensure_present(eks.client, wanted(), REAL)
    assert clock == []


def test_one_that_appears_meanwhile_is_taken_on(eks: Any) -> None:
    found(eks, None)
    eks.error("create_pod_identity_association", "ResourceInUseException", status=409)
    found(eks, association(ROLE2))
    found(eks, association(ROLE2))
    eks.answer("update_pod_identity_association", {**ONE, "roleArn": ROLE}, association())
    eks.answer("describe_pod_identity_association", ONE, association())
    assert ensure_present(eks.client, wanted(), REAL).after["role_arn"] == ROLE


def test_second_run_sends_no_write(eks: Any) -> None:
    found(eks, association(team="ml"))
    assert not ensure_present(eks.client, wanted(tags={"team": "ml"}), REAL).changed


def test_tags_that_are_not_given_are_left_alone(eks: Any) -> None:
    found(eks, association(team="ml"))
    assert not ensure_present(eks.client, wanted(), REAL).changed


def test_role_and_tags_are_changed_in_place(eks: Any) -> None:
    found(eks, association(ROLE2, old="1"))
    eks.answer("update_pod_identity_association", {**ONE, "roleArn": ROLE}, association())
    eks.answer("tag_resource", {"resourceArn": ARN, "tags": {"team": "ml"}})
    eks.answer("untag_resource", {"resourceArn": ARN, "tagKeys": ["old"]})
    eks.answer("describe_pod_identity_association", ONE, association(team="ml"))
    result = ensure_present(eks.client, wanted(tags={"team": "ml"}), REAL)
    assert (result.before["role_arn"], result.after["role_arn"]) == (ROLE2, ROLE)


def test_check_mode_predicts(eks: Any) -> None:
    found(eks, association(ROLE2, old="1"))
    result = ensure_present(eks.client, wanted(tags={"team": "ml"}), CHECK)
    assert result.changed
    assert (result.after["role_arn"], result.after["tags"]) == (ROLE, {"team": "ml"})


def test_absent_deletes(eks: Any) -> None:
    found(eks, association())
    eks.answer("delete_pod_identity_association", ONE, association())
    assert ensure_absent(eks.client, wanted(role_arn=None), REAL).changed


def test_absent_is_unchanged_without_a_cluster(eks: Any) -> None:
    eks.error("list_pod_identity_associations", "ResourceNotFoundException", status=404)
    assert not ensure_absent(eks.client, wanted(), REAL).changed
