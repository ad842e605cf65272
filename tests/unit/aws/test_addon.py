# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS add-ons: what is sent for each difference, that nothing is sent without one, and how a wait ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.addon import (
    Addon,
    ensure_absent,
    ensure_present,
    fitted,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, WaitError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

REAL, CHECK = Run(), Run(check=True)
NAME = "aws-efs-csi-driver"
ONE = {"clusterName": "example", "addonName": NAME}
ARN = f"arn:aws:eks:eu-west-3:123456789012:addon/example/{NAME}/x"
V1, V2 = "v3.3.0-eksbuild.1", "v3.4.1-eksbuild.1"
VALUES: dict[str, Any] = {"controller": {"resources": {"limits": {"memory": "512Mi"}}}}
TEXT = '{"controller":{"resources":{"limits":{"memory":"512Mi"}}}}'
OURS = ownership_labels("example", "storage")


def wanted(**fields: Any) -> Addon:
    given = {"version": V2, "configuration_values": VALUES, "tags": OURS, **fields}
    return Addon("example", NAME, **given)


def addon(status: str = "ACTIVE", **fields: Any) -> dict[str, Any]:
    given = {"addonVersion": V2, "configurationValues": TEXT, "addonArn": ARN, "tags": OURS, **fields}
    return {**ONE, "status": status, **given}


def reads(script: Any, *answers: dict[str, Any] | None) -> None:
    """Expect so many readings of the add-on; None: there is none."""
    for answer in answers:
        if answer is None:
            script.error("describe_addon", "ResourceNotFoundException", status=404)
        else:
            script.answer("describe_addon", ONE, {"addon": answer})


def updates(script: Any, **fields: Any) -> None:
    expected = {**ONE, "resolveConflicts": "OVERWRITE", "addonVersion": V2, "configurationValues": TEXT, **fields}
    script.answer("update_addon", expected, {"update": {"id": "u", "status": "InProgress"}})


CREATE = {**ONE, "resolveConflicts": "OVERWRITE", "tags": OURS, "addonVersion": V2, "configurationValues": TEXT}


def test_creates_and_waits(eks: Any, clock: list[float]) -> None:
    reads(eks, None)
    eks.answer("create_addon", CREATE, {"addon": addon("CREATING")})
    # What was made a moment ago may not be found yet.
    reads(eks, None, addon("CREATING"), addon(), addon())
    result = ensure_present(eks.client, wanted(), REAL)
    assert result.changed and result.before == {}
    assert (result.after["status"], result.after["addon_version"], result.after["tags"]) == ("ACTIVE", V2, OURS)
    assert len(clock) == 2


def test_nothing_is_pinned_that_was_not_said(eks: Any) -> None:
    reads(eks, None)
    request = {**ONE, "resolveConflicts": "OVERWRITE", "tags": {}}
    eks.answer("create_addon", request, {"addon": addon("CREATING")})
    reads(eks, addon(), addon())
    assert ensure_present(eks.client, Addon("example", NAME), REAL).changed
    reads(eks, addon(addonVersion=V1, configurationValues="a: b"))
    assert not ensure_present(eks.client, Addon("example", NAME), REAL).changed


@pytest.mark.parametrize("status", ["CREATE_FAILED", "DEGRADED"])
def test_a_failure_ends_the_wait_with_its_health(eks: Any, status: str) -> None:
    issue = {"code": "ConfigurationConflict", "message": "Conflicts found when trying to apply"}
    reads(eks, None)
    eks.answer("create_addon", CREATE, {"addon": addon("CREATING")})
    reads(eks, addon("CREATING"), addon(status, health={"issues": [issue]}))
    with pytest.raises(WaitError, match=rf"{status} \(ConfigurationConflict: Conflicts found when trying to apply\)"):
        ensure_present(eks.client, wanted(), REAL)


def test_one_that_appears_meanwhile_is_taken_on(eks: Any) -> None:
    reads(eks, None)
    eks.error("create_addon", "ResourceInUseException", status=409)
    reads(eks, addon("CREATING"), addon("CREATING"), addon(), addon())
    assert ensure_present(eks.client, wanted(), REAL).after["status"] == "ACTIVE"


def test_second_run_sends_no_write(eks: Any) -> None:
    reads(eks, addon(configurationValues=json.dumps(VALUES, indent=2)))
    assert not ensure_present(eks.client, wanted(), REAL).changed


def test_version_and_configuration_are_changed_in_place(eks: Any) -> None:
    role = "arn:aws:iam::123456789012:role/x"
    old = addon(addonVersion=V1, configurationValues="{}", serviceAccountRoleArn=role)
    reads(eks, old)
    updates(eks, serviceAccountRoleArn=role)
    reads(eks, addon("UPDATING"), addon(), addon())
    result = ensure_present(eks.client, wanted(), REAL)
    assert (result.before["addon_version"], result.after["addon_version"]) == (V1, V2)


def test_what_is_not_said_is_kept_by_an_update(eks: Any) -> None:
    reads(eks, addon(addonVersion=V1, configurationValues='{"node":{}}'))
    updates(eks, configurationValues='{"node":{}}')
    reads(eks, addon(), addon())
    assert ensure_present(eks.client, wanted(configuration_values=None), REAL).changed


def test_an_update_waits_for_the_one_under_way(eks: Any) -> None:
    reads(eks, addon("UPDATING", addonVersion=V1), addon("UPDATING", addonVersion=V1), addon(addonVersion=V1))
    updates(eks)
    reads(eks, addon(), addon())
    assert ensure_present(eks.client, wanted(), REAL).changed


def test_what_failed_is_asked_for_again(eks: Any) -> None:
    reads(eks, addon("UPDATE_FAILED"))
    updates(eks)
    # The old state, for a moment.
    reads(eks, addon("UPDATE_FAILED"), addon("UPDATING"), addon(), addon())
    assert ensure_present(eks.client, wanted(), REAL).after["status"] == "ACTIVE"


def test_an_update_that_fails_is_an_error(eks: Any) -> None:
    reads(eks, addon(addonVersion=V1))
    updates(eks)
    reads(eks, addon("UPDATING"), addon("UPDATE_FAILED"))
    with pytest.raises(WaitError, match="UPDATE_FAILED"):
        ensure_present(eks.client, wanted(), REAL)


def test_one_that_is_degraded_is_told_and_not_written(eks: Any) -> None:
    issue = {"code": "InsufficientNumberOfReplicas", "message": "no replicas"}
    reads(eks, *[addon("DEGRADED", health={"issues": [issue]})] * 2)
    with pytest.raises(WaitError, match="DEGRADED .InsufficientNumberOfReplicas: no replicas"):
        ensure_present(eks.client, wanted(), REAL)


def test_tags_are_set_and_purged(eks: Any) -> None:
    reads(eks, addon(tags={**OURS, "old": "1"}))
    eks.answer("tag_resource", {"resourceArn": ARN, "tags": {"team": "ml"}})
    eks.answer("untag_resource", {"resourceArn": ARN, "tagKeys": ["old"]})
    result = ensure_present(eks.client, wanted(tags={**OURS, "team": "ml"}), REAL)
    assert result.changed and result.after["tags"] == {**OURS, "team": "ml"}


@pytest.mark.parametrize(
    ("tags", "whose"),
    [({}, "was not made by llmfleet"), (ownership_labels("other", "storage"), "belongs to the cluster named 'other'")],
)
def test_a_foreign_one_is_refused(eks: Any, tags: dict[str, str], whose: str) -> None:
    reads(eks, addon(addonVersion=V1, tags=tags))
    with pytest.raises(AwsError, match=f"{whose}.*addonVersion is not {V2}"):
        ensure_present(eks.client, wanted(), REAL)


def test_a_foreign_one_that_is_as_wanted_is_left_alone(eks: Any) -> None:
    reads(eks, addon(tags={"team": "x"}))
    result = ensure_present(eks.client, wanted(), REAL)
    assert not result.changed and result.after["tags"] == {"team": "x"}


def test_check_mode_predicts(eks: Any) -> None:
    reads(eks, None)
    result = ensure_present(eks.client, wanted(), CHECK)
    assert result.changed and result.after["addon_version"] == V2
    reads(eks, addon(addonVersion=V1, tags={**OURS, "old": "1"}))
    result = ensure_present(eks.client, wanted(), CHECK)
    assert result.changed and (result.after["addon_version"], result.after["tags"]) == (V2, OURS)
    reads(eks, addon())
    assert ensure_absent(eks.client, wanted(), CHECK).changed


def test_one_that_is_going_is_made_again(eks: Any) -> None:
    reads(eks, addon("DELETING"), addon("DELETING"), None)
    eks.answer("create_addon", CREATE, {"addon": addon("CREATING")})
    reads(eks, addon(), addon())
    assert ensure_present(eks.client, wanted(), REAL).changed


def test_absent_deletes_and_waits(eks: Any) -> None:
    reads(eks, addon())
    eks.answer("delete_addon", {**ONE, "preserve": False}, {"addon": addon("DELETING")})
    reads(eks, addon("DELETING"), None)
    assert ensure_absent(eks.client, wanted(), REAL).changed


def test_a_deletion_that_fails_is_an_error(eks: Any) -> None:
    reads(eks, addon("DELETE_FAILED"))
    eks.answer("delete_addon", {**ONE, "preserve": False}, {"addon": addon("DELETING")})
    reads(eks, addon("DELETE_FAILED"), addon("DELETING"), addon("DELETE_FAILED"))
    with pytest.raises(WaitError, match="DELETE_FAILED"):
        ensure_absent(eks.client, wanted(), REAL)


def test_absent_is_unchanged_without_a_cluster(eks: Any) -> None:
    reads(eks, None)
    assert not ensure_absent(eks.client, wanted(), REAL).changed


def test_values_that_the_version_does_not_take_are_dropped(eks: Any) -> None:
    closed = {"type": "object", "additionalProperties": False}
    node = {**closed, "properties": {"logLevel": {"type": "integer"}}}
    schema = {**closed, "properties": {"controller": {"type": "object"}, "node": node}}
    answer = {"addonName": NAME, "addonVersion": V2, "configurationSchema": json.dumps(schema)}
    eks.answer("describe_addon_configuration", {"addonName": NAME, "addonVersion": V2}, answer)
    values = {**VALUES, "node": {"resources": {"limits": {}}}, "typo": 1}
    found, dropped = fitted(eks.client, wanted(configuration_values=values, drop_unknown_values=True))
    assert found.configuration_values == VALUES and dropped == ["node.resources", "typo"]
    as_given = wanted(configuration_values=values)
    assert fitted(eks.client, as_given) == (as_given, [])
