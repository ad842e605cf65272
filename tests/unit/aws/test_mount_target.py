# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount targets: one in each subnet, made together, security groups in place."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, ImmutableError, WaitError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.mount_target import (
    MountTargets,
    ensure_absent,
    ensure_present,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run
from aws_answers import FS, GROUP, GROUP2, SUBNET, SUBNET2, TARGET, TARGET2, target, targets

REAL = Run(timeout=60)
CHECK = Run(check=True)


def wanted(*subnets: str, **fields: Any) -> MountTargets:
    return MountTargets(**{"file_system_id": FS, "subnet_ids": subnets, "security_groups": (GROUP,), **fields})


def existing(script: Any, *items: dict[str, Any]) -> None:
    """Expect the list of a file system's mount targets and the reading of each."""
    script.answer("list_mount_targets", {"fileSystemId": FS}, targets(*items))
    for item in sorted(items, key=lambda item: item["status"] not in ("deleting", "deleted")):
        script.answer("get_mount_target", {"mountTargetId": item["mountTargetId"]}, item)


def request(subnet: str, *groups: str) -> dict[str, Any]:
    return {"fileSystemId": FS, "subnetId": subnet, "securityGroups": list(groups)}


def test_all_are_made_before_any_is_waited_for(s3files: Any) -> None:
    first, second = target("creating"), target("creating", TARGET2, SUBNET2)
    existing(s3files)
    s3files.answer("create_mount_target", request(SUBNET, GROUP), first)
    s3files.answer("create_mount_target", request(SUBNET2, GROUP), second)
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, first)
    s3files.answer("get_mount_target", {"mountTargetId": TARGET2}, target("available", TARGET2, SUBNET2))
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, target())
    result = ensure_present(s3files.client, wanted(SUBNET, SUBNET2), REAL)
    assert result.changed
    assert [item["mount_target_id"] for item in result.after["mount_targets"]] == [TARGET, TARGET2]
    assert "tags" not in result.after["mount_targets"][0]


def test_second_run_sends_no_write(s3files: Any) -> None:
    existing(s3files, target(groups=(GROUP2, GROUP)))
    assert not ensure_present(s3files.client, wanted(SUBNET, security_groups=(GROUP, GROUP2)), REAL).changed


def test_security_groups_are_changed_in_place(s3files: Any) -> None:
    existing(s3files, target())
    s3files.answer("update_mount_target", {"mountTargetId": TARGET, "securityGroups": [GROUP2]}, target())
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, target("updating"))
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, target(groups=(GROUP2,)))
    result = ensure_present(s3files.client, wanted(SUBNET, security_groups=(GROUP2,)), REAL)
    assert result.before["mount_targets"][0]["security_groups"] == [GROUP]
    assert result.after["mount_targets"][0]["security_groups"] == [GROUP2]


def test_security_groups_that_are_not_given_are_left_alone(s3files: Any) -> None:
    existing(s3files, target())
    assert not ensure_present(s3files.client, wanted(SUBNET, security_groups=None), REAL).changed


def test_check_mode_predicts_additions_changes_and_removals(s3files: Any) -> None:
    third = "subnet-0123456789abcdef3"
    existing(s3files, target(), target("available", TARGET2, third))
    result = ensure_present(s3files.client, wanted(SUBNET, SUBNET2, security_groups=(GROUP2,), purge=True), CHECK)
    assert result.changed
    predicted = {item["subnet_id"]: item["security_groups"] for item in result.after["mount_targets"]}
    assert predicted == {SUBNET: [GROUP2], SUBNET2: [GROUP2]}
    assert [item["subnet_id"] for item in result.before["mount_targets"]] == [SUBNET, third]


def test_check_mode_goes_on_where_the_file_system_is_yet_to_be_made(s3files: Any) -> None:
    s3files.error("list_mount_targets", "ResourceNotFoundException", status=404)
    result = ensure_present(s3files.client, wanted(SUBNET), CHECK)
    assert [item["status"] for item in result.after["mount_targets"]] == ["available"]


def test_a_missing_file_system_is_an_error(s3files: Any) -> None:
    s3files.error("list_mount_targets", "ResourceNotFoundException", status=404)
    with pytest.raises(AwsError, match=f"no file system {FS}"):
        ensure_present(s3files.client, wanted(SUBNET), REAL)


def test_the_conflict_after_a_lost_reply_is_our_own_mount_target(s3files: Any) -> None:
    existing(s3files)
    s3files.error("create_mount_target", "ServiceUnavailable", status=503)
    s3files.error("create_mount_target", "ConflictException", status=409)
    existing(s3files, target("creating"))
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, target())
    assert ensure_present(s3files.client, wanted(SUBNET), REAL).changed


def test_the_conflict_names_our_own_mount_target_where_the_list_lags(s3files: Any) -> None:
    existing(s3files)
    members = {"resourceId": TARGET, "resourceType": "MOUNT_TARGET"}
    s3files.stubber.add_client_error(
        "create_mount_target", "ConflictException", http_status_code=409, modeled_fields={**members, "errorCode": "x"}
    )
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, target("creating"))
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, target())
    assert ensure_present(s3files.client, wanted(SUBNET), REAL).changed


def test_another_conflict_is_an_error(s3files: Any) -> None:
    existing(s3files)
    message = "the zone has a mount target"
    s3files.error("create_mount_target", "ConflictException", status=409, message=message)
    existing(s3files, target("available", TARGET2, SUBNET2))
    with pytest.raises(AwsError, match=f"{SUBNET}: ConflictException: {message}"):
        ensure_present(s3files.client, wanted(SUBNET), REAL)


def test_purge_removes_before_it_creates(s3files: Any) -> None:
    existing(s3files, target())
    s3files.answer("delete_mount_target", {"mountTargetId": TARGET})
    s3files.error("get_mount_target", "ResourceNotFoundException", status=404)
    s3files.answer("create_mount_target", request(SUBNET2, GROUP), target("available", TARGET2, SUBNET2))
    s3files.answer("get_mount_target", {"mountTargetId": TARGET2}, target("available", TARGET2, SUBNET2))
    assert ensure_present(s3files.client, wanted(SUBNET2, purge=True), REAL).changed


def test_one_that_is_being_deleted_is_outlasted(s3files: Any) -> None:
    existing(s3files, target("deleting"))
    s3files.error("get_mount_target", "ResourceNotFoundException", status=404)
    s3files.answer("create_mount_target", request(SUBNET, GROUP), target("available", TARGET2))
    s3files.answer("get_mount_target", {"mountTargetId": TARGET2}, target("available", TARGET2))
    assert ensure_present(s3files.client, wanted(SUBNET), REAL).changed


def test_a_broken_one_fails_at_once_with_its_message(s3files: Any, clock: list[float]) -> None:
    broken = {**target("error"), "statusMessage": "no free address"}
    existing(s3files, broken)
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, broken)
    with pytest.raises(WaitError, match=rf"{TARGET} is error \(no free address\)"):
        ensure_present(s3files.client, wanted(SUBNET), REAL)
    assert clock == []


def test_the_address_type_cannot_change(s3files: Any) -> None:
    existing(s3files, target())
    with pytest.raises(ImmutableError, match="ip_address_type is 'IPV4_ONLY', wanted 'DUAL_STACK'"):
        ensure_present(s3files.client, wanted(SUBNET, ip_address_type="DUAL_STACK"), REAL)


def test_absent_deletes_only_the_named_subnets_and_waits(s3files: Any) -> None:
    existing(s3files, target(), target("available", TARGET2, SUBNET2))
    s3files.answer("delete_mount_target", {"mountTargetId": TARGET})
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, target("deleting"))
    s3files.error("get_mount_target", "ResourceNotFoundException", status=404)
    result = ensure_absent(s3files.client, wanted(SUBNET), REAL)
    assert result.changed
    assert [item["subnet_id"] for item in result.after["mount_targets"]] == [SUBNET2]


def test_absent_is_unchanged_without_a_file_system(s3files: Any) -> None:
    s3files.error("list_mount_targets", "ResourceNotFoundException", status=404)
    assert not ensure_absent(s3files.client, wanted(SUBNET), REAL).changed
