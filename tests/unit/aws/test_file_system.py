# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3 file systems: what is sent for each difference, and that nothing is sent without one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, ImmutableError, WaitError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.file_system import FileSystem, ensure_present, same_key
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.file_system_removal import ensure_absent
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run, stable_token
from aws_answers import (
    BUCKET,
    FS,
    FS2,
    FS_ARN,
    POINT,
    ROLE,
    TARGET,
    file_system,
    listed,
    point,
    points,
    tag_list,
    targets,
)
from aws_answers import target as mount_target

CHECK = Run(check=True)
REAL = Run(timeout=60)
STATEMENT = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": ["s3files:ClientMount"]}
POLICY = {"Version": "2012-10-17", "Statement": [STATEMENT]}
STORED = {"Version": "2012-10-17", "Statement": [{**STATEMENT, "Resource": FS_ARN}]}
TOKEN = stable_token("file-system", BUCKET, "", "weights")


def wanted(**fields: Any) -> FileSystem:
    return FileSystem(**{"name": "weights", "bucket": BUCKET, "role_arn": ROLE, **fields})


def found(script: Any, system: dict[str, Any] | None = None, policy: dict[str, Any] | None = None) -> None:
    """Expect the reads of one existing file system."""
    system = system or file_system()
    script.answer("list_file_systems", {}, listed(system))
    read(script, system, policy)


def read(script: Any, system: dict[str, Any] | None = None, policy: dict[str, Any] | None = None) -> None:
    system = system or file_system()
    script.answer("get_file_system", {"fileSystemId": system["fileSystemId"]}, system)
    if policy is None:
        script.error("get_file_system_policy", "ResourceNotFoundException", status=404)
    else:
        answer = {"fileSystemId": system["fileSystemId"], "policy": json.dumps(policy)}
        script.answer("get_file_system_policy", {"fileSystemId": system["fileSystemId"]}, answer)


def create_request(**fields: Any) -> dict[str, Any]:
    return {"bucket": BUCKET, "roleArn": ROLE, "tags": tag_list(Name="weights"), "clientToken": TOKEN, **fields}


def test_creates_waits_and_sets_the_policy(s3files: Any) -> None:
    request = create_request(
        prefix="shared/",
        acceptBucketWarning=True,
        tags=tag_list(Name="weights", team="ml"),
        clientToken=stable_token("file-system", BUCKET, "shared/", "weights"),
    )
    s3files.answer("list_file_systems", {}, listed(file_system(name="another")))
    s3files.answer("create_file_system", request, file_system("creating"))
    s3files.answer("get_file_system", {"fileSystemId": FS}, file_system("creating"))
    s3files.answer("get_file_system", {"fileSystemId": FS}, file_system("creating"))
    s3files.answer("get_file_system", {"fileSystemId": FS}, file_system())
    s3files.answer("put_file_system_policy", {"fileSystemId": FS, "policy": json.dumps(STORED, sort_keys=True)})
    read(s3files, file_system(prefix="shared/", tags=tag_list(Name="weights", team="ml")), STORED)
    want = wanted(prefix="shared/", accept_bucket_warning=True, tags={"team": "ml"}, policy=POLICY)
    result = ensure_present(s3files.client, want, REAL)
    assert result.changed
    assert result.before == {}
    assert result.after["file_system_id"] == FS
    assert result.after["creation_time"] == "2026-11-24T09:30:00+00:00"
    assert result.after["tags"] == {"Name": "weights", "team": "ml"}
    assert result.after["policy"] == STORED


def test_check_mode_predicts_and_writes_nothing(s3files: Any) -> None:
    s3files.answer("list_file_systems", {}, listed())
    result = ensure_present(s3files.client, wanted(tags={"team": "ml"}, policy=POLICY), CHECK)
    assert result.changed
    arn = "arn:aws:s3files:eu-west-3:123456789012:file-system/fs-00000000000000000"
    assert result.after["file_system_arn"] == arn
    assert result.after["tags"] == {"Name": "weights", "team": "ml"}
    assert result.after["policy"]["Statement"][0]["Resource"] == arn


def test_second_run_sends_no_write(s3files: Any) -> None:
    found(s3files, file_system(tags=tag_list(Name="weights", team="ml")), STORED)
    result = ensure_present(s3files.client, wanted(tags={"team": "ml"}, policy=POLICY), REAL)
    assert not result.changed
    assert result.before == result.after


def test_fields_that_are_left_out_are_left_alone(s3files: Any) -> None:
    found(s3files, file_system(prefix="a/", kmsKeyId="arn:aws:kms:eu-west-3:123456789012:key/k"), STORED)
    assert not ensure_present(s3files.client, FileSystem(name="weights"), REAL).changed


def test_tags_are_set_before_others_are_removed_and_reserved_ones_stay(s3files: Any) -> None:
    current = file_system(tags=[*tag_list(Name="weights", old="1", team="a"), {"key": "aws:made-by", "value": "x"}])
    found(s3files, current)
    s3files.answer("tag_resource", {"resourceId": FS, "tags": tag_list(team="b")})
    s3files.answer("untag_resource", {"resourceId": FS, "tagKeys": ["old"]})
    read(s3files)
    assert ensure_present(s3files.client, wanted(tags={"team": "b"}), REAL).changed


def test_tags_are_kept_without_purge_and_predicted_in_check_mode(s3files: Any) -> None:
    found(s3files, file_system(tags=tag_list(Name="weights", old="1")))
    result = ensure_present(s3files.client, wanted(tags={"team": "b"}, purge_tags=False), CHECK)
    assert result.after["tags"] == {"Name": "weights", "old": "1", "team": "b"}


def test_the_name_survives_a_purge_by_id(s3files: Any) -> None:
    read(s3files, file_system(tags=tag_list(Name="weights")))
    assert not ensure_present(s3files.client, FileSystem(file_system_id=FS, tags={}), REAL).changed


def test_an_empty_policy_removes_it(s3files: Any) -> None:
    found(s3files, policy=STORED)
    s3files.answer("delete_file_system_policy", {"fileSystemId": FS})
    read(s3files)
    assert ensure_present(s3files.client, wanted(policy={}), REAL).after["policy"] == {}


@pytest.mark.parametrize(
    ("field", "value", "current"),
    [
        ("bucket", "arn:aws:s3:::other", BUCKET),
        ("prefix", "b/", "a/"),
        ("prefix", "", "a/"),
        ("role_arn", "arn:aws:iam::123456789012:role/other", ROLE),
        ("kms_key_id", "11111111-2222-3333-4444-555555555555", None),
    ],
)
def test_a_field_that_cannot_change_fails_naming_both_values(
    s3files: Any, field: str, value: str, current: Any
) -> None:
    found(s3files, file_system(prefix="a/"))
    with pytest.raises(ImmutableError) as caught:
        ensure_present(s3files.client, wanted(**{field: value}), REAL)
    assert caught.value.differences == {field: (current, value)}
    assert f"{field} is {current!r}, wanted {value!r}" in str(caught.value)


def test_all_differences_are_named_at_once(s3files: Any) -> None:
    found(s3files)
    with pytest.raises(ImmutableError) as caught:
        ensure_present(s3files.client, wanted(prefix="b/", role_arn="arn:aws:iam::123456789012:role/other"), CHECK)
    assert set(caught.value.differences) == {"prefix", "role_arn"}


def test_two_of_one_name_are_refused(s3files: Any) -> None:
    s3files.answer("list_file_systems", {}, listed(file_system(), file_system(fileSystemId=FS2)))
    with pytest.raises(AwsError, match=f"{FS}, {FS2}.*file_system_id"):
        ensure_present(s3files.client, wanted(), REAL)


@pytest.mark.parametrize("status", ["error", "misconfigured"])
def test_a_broken_one_fails_at_once_with_its_message(s3files: Any, clock: list[float], status: str) -> None:
    broken = file_system(status, statusMessage="the bucket is gone")
    found(s3files, broken)
    s3files.answer("get_file_system", {"fileSystemId": FS}, broken)
    with pytest.raises(WaitError, match=rf"{FS} is {status} \(the bucket is gone\)"):
        ensure_present(s3files.client, wanted(), REAL)
    assert clock == []


def test_one_that_is_being_deleted_is_outlasted_and_made_again(s3files: Any) -> None:
    found(s3files, file_system("deleting"))
    s3files.answer("get_file_system", {"fileSystemId": FS}, file_system("deleting"))
    s3files.error("get_file_system", "ResourceNotFoundException", status=404, fileSystemId=FS)
    new = file_system("available", fileSystemId=FS2)
    s3files.answer("create_file_system", create_request(), new)
    s3files.answer("get_file_system", {"fileSystemId": FS2}, new)
    s3files.answer("get_file_system", {"fileSystemId": FS2}, new)
    read(s3files, new)
    assert ensure_present(s3files.client, wanted(), REAL).after["file_system_id"] == FS2


def test_a_token_that_answers_a_dead_one_is_replaced(s3files: Any) -> None:
    s3files.answer("list_file_systems", {}, listed())
    s3files.answer("create_file_system", create_request(), file_system("deleted"))
    new = file_system("available", fileSystemId=FS2)
    successor = stable_token("file-system", BUCKET, "", "weights", FS)
    s3files.answer("create_file_system", create_request(clientToken=successor), new)
    s3files.answer("get_file_system", {"fileSystemId": FS2}, new)
    read(s3files, new)
    assert ensure_present(s3files.client, wanted(), REAL).after["file_system_id"] == FS2


def test_a_lost_reply_repeats_the_same_token(s3files: Any) -> None:
    s3files.answer("list_file_systems", {}, listed())
    s3files.error("create_file_system", "InternalServerException", status=500, **create_request())
    s3files.answer("create_file_system", create_request(), file_system())
    s3files.answer("get_file_system", {"fileSystemId": FS}, file_system())
    s3files.answer("get_file_system", {"fileSystemId": FS}, file_system())
    read(s3files)
    assert ensure_present(s3files.client, wanted(), REAL).changed


def test_a_role_that_the_service_has_not_heard_of_is_waited_for(s3files: Any, clock: list[float]) -> None:
    s3files.answer("list_file_systems", {}, listed())
    unheard = {"status": 400, "message": "Role 'x' does not exist."}
    s3files.error("create_file_system", "ValidationException", **unheard, **create_request())
    s3files.answer("create_file_system", create_request(), file_system())
    s3files.answer("get_file_system", {"fileSystemId": FS}, file_system())
    s3files.answer("get_file_system", {"fileSystemId": FS}, file_system())
    read(s3files)
    assert ensure_present(s3files.client, wanted(), REAL).changed
    assert clock == [4.0]


def test_another_mistake_is_not_waited_for(s3files: Any, clock: list[float]) -> None:
    s3files.answer("list_file_systems", {}, listed())
    s3files.error(
        "create_file_system", "ValidationException", message="the bucket is not versioned", **create_request()
    )
    with pytest.raises(AwsError, match="not versioned"):
        ensure_present(s3files.client, wanted(), REAL)
    assert clock == []


def test_all_waits_of_a_task_share_their_time(clock: list[float]) -> None:
    run = Run(timeout=60)
    clock.append(45.0)
    assert run.left == 15.0
    clock.append(45.0)
    assert run.left == 0.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bucket": None}, "bucket is needed"),
        ({"role_arn": None}, "role_arn is needed"),
        ({"bucket": "weights"}, "bucket: got 'weights'; accepted: the ARN of a bucket"),
        ({"role_arn": "role"}, "role_arn: got 'role'; accepted: the ARN of an IAM role"),
    ],
)
def test_creation_names_what_is_missing_or_bad(s3files: Any, fields: dict[str, Any], message: str) -> None:
    s3files.answer("list_file_systems", {}, listed())
    with pytest.raises(AwsError, match=message):
        ensure_present(s3files.client, wanted(**fields), CHECK)


def test_a_list_of_several_pages_is_read_whole(s3files: Any) -> None:
    s3files.answer("list_file_systems", {}, {**listed(file_system(name="other", fileSystemId=FS2)), "nextToken": "2"})
    s3files.answer("list_file_systems", {"nextToken": "2"}, listed(file_system()))
    read(s3files)
    assert not ensure_present(s3files.client, wanted(), REAL).changed


def children(script: Any) -> None:
    script.answer("list_access_points", {"fileSystemId": FS}, points(point()))
    script.answer("list_mount_targets", {"fileSystemId": FS}, targets(mount_target()))


def no_children(script: Any) -> None:
    script.answer("list_access_points", {"fileSystemId": FS}, points())
    script.answer("list_mount_targets", {"fileSystemId": FS}, targets())


def remove(script: Any, run: Run = REAL, *, force: bool = False, discard: bool = False) -> Any:
    return ensure_absent(script.client, FileSystem(name="weights"), run, force=force, discard_exports=discard)


def test_one_in_use_is_not_deleted_without_force(s3files: Any) -> None:
    found(s3files)
    children(s3files)
    with pytest.raises(AwsError) as caught:
        remove(s3files, CHECK)
    assert f"1 access point ({POINT}) and 1 mount target ({TARGET})" in str(caught.value)
    assert "force" in str(caught.value)


def test_force_removes_children_waits_and_then_deletes(s3files: Any) -> None:
    found(s3files)
    children(s3files)
    s3files.answer("delete_access_point", {"accessPointId": POINT})
    s3files.answer("delete_mount_target", {"mountTargetId": TARGET})
    s3files.answer("get_access_point", {"accessPointId": POINT}, point("deleting"))
    s3files.error("get_access_point", "ResourceNotFoundException", status=404)
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, mount_target("deleting"))
    s3files.answer("get_mount_target", {"mountTargetId": TARGET}, mount_target("deleted"))
    s3files.answer("delete_file_system", {"fileSystemId": FS})
    s3files.error("get_file_system", "ResourceNotFoundException", status=404)
    result = remove(s3files, force=True)
    assert result.changed
    assert result.after == {}


def test_deletion_waits_for_pending_exports(s3files: Any, clock: list[float]) -> None:
    found(s3files)
    no_children(s3files)
    s3files.error("delete_file_system", "ConflictException", status=409, message="data pending export")
    s3files.answer("delete_file_system", {"fileSystemId": FS})
    s3files.error("get_file_system", "ResourceNotFoundException", status=404)
    assert remove(s3files).changed
    assert clock == [5.0]


def test_exports_that_never_end_fail_with_the_message(s3files: Any, clock: list[float]) -> None:
    found(s3files)
    no_children(s3files)
    for _ in range(13):
        s3files.error("delete_file_system", "ConflictException", status=409, message="data pending export")
    with pytest.raises(AwsError, match="data pending export"):
        remove(s3files)
    assert sum(clock) == 60


def test_pending_exports_are_not_waited_for_without_wait(s3files: Any, clock: list[float]) -> None:
    found(s3files)
    no_children(s3files)
    s3files.error("delete_file_system", "ConflictException", status=409, message="data pending export")
    with pytest.raises(AwsError, match="data pending export"):
        remove(s3files, Run(wait=False))
    assert clock == []


def test_pending_exports_are_discarded_only_on_request(s3files: Any) -> None:
    found(s3files)
    no_children(s3files)
    s3files.answer("delete_file_system", {"fileSystemId": FS, "forceDelete": True})
    s3files.error("get_file_system", "ResourceNotFoundException", status=404)
    assert remove(s3files, discard=True).changed


def test_absent_is_unchanged(s3files: Any) -> None:
    s3files.answer("list_file_systems", {}, listed(file_system("deleted")))
    assert not remove(s3files).changed


@pytest.mark.parametrize(
    ("current", "want", "same"),
    [
        ("arn:aws:kms:eu-west-3:1:key/abc", "arn:aws:kms:eu-west-3:1:key/abc", True),
        ("arn:aws:kms:eu-west-3:1:key/abc", "abc", True),
        ("arn:aws:kms:eu-west-3:1:key/abc", "bc", False),
        ("arn:aws:kms:eu-west-3:1:key/abc", "alias/weights", True),
        ("arn:aws:kms:eu-west-3:1:key/abc", "arn:aws:kms:eu-west-3:1:key/abd", False),
        (None, "alias/weights", False),
    ],
)
def test_keys_are_compared_in_every_form(current: str | None, want: str, same: bool) -> None:
    assert same_key(current, want) is same
