# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of the S3 Files API that are used, each with retries and errors that name the object.

`client` is a boto3 client of "s3files" made with session.client or module.make_client. Resources are returned as the
service answers them (camelCase, tags as a list). A resource that does not exist is None; there is no waiter and no
update of file systems and access points in this API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call, once_heard, pages
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.tags import TagChange

MINIMUM_BOTOCORE = "1.42.85"
# What check mode answers as ids of resources that are yet to be made: well formed, so that a first run can go on with
# them in check mode, and existing nowhere.
PENDING_FILE_SYSTEM_ID = "fs-00000000000000000"
PENDING_ACCESS_POINT_ID = "fsap-00000000000000000"

# States of resources that are not there for long any more.
GOING = ("deleting", "deleted")

Resource = dict[str, Any]


def named(listed: list[Resource], name: str | None, kind: str, key: str, parameter: str) -> str:
    """Return the id of the resource of a name among those listed, "" when there is none.

    One that is being deleted is meant only when no living one has the name. kind, parameter: for the message; key: of
    the id. Raises AwsError when several living ones have the name.
    """
    found = [item for item in listed if item.get("name") == name]
    living = [item for item in found if item.get("status") not in GOING]
    if len(living) > 1:
        ids = ", ".join(sorted(item[key] for item in living))
        raise AwsError(f"several {kind} are named {name!r} ({ids}): name one by {parameter}")
    return next((str(item[key]) for item in living or found if item.get("status") != "deleted"), "")


def _read(operation: Callable[..., Any], action: str, **parameters: Any) -> Resource | None:
    """One read; None when the service says that the resource does not exist."""
    try:
        with doing(action):
            answer = call(operation, **parameters)
    except AwsError as error:
        if error.missing:
            return None
        raise
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _delete(operation: Callable[..., Any], action: str, **parameters: Any) -> bool:
    """One deletion; False when the resource was gone already."""
    try:
        with doing(action):
            call(operation, **parameters)
    except AwsError as error:
        if error.missing:
            return False
        raise
    return True


# File systems ---------------------------------------------------------------------------------------------------------


def list_file_systems(client: Any, bucket: str | None = None) -> list[Resource]:
    """All file systems of the region (of one bucket, given by ARN), without prefix, KMS key and tags."""
    with doing("list the S3 file systems"):
        return pages(client.list_file_systems, "fileSystems", **({"bucket": bucket} if bucket else {}))


def get_file_system(client: Any, file_system_id: str) -> Resource | None:
    """One file system with all its fields, or None."""
    return _read(client.get_file_system, f"read file system {file_system_id}", fileSystemId=file_system_id)


def create_file_system(client: Any, name: str, request: Mapping[str, Any]) -> Resource:
    """Create a file system. name: for messages. request: the parameters of CreateFileSystem."""

    def create() -> Resource:
        with doing(f"create file system {name}"):
            answer: Resource = call(client.create_file_system, **request)
            return answer

    created: Resource = once_heard(create, _unheard_of)
    return created


def _unheard_of(exception: Exception) -> bool:
    """Whether S3 Files does not know a role that IAM has, or not yet."""
    if not isinstance(exception, AwsError) or exception.code != "ValidationException":
        return False
    text = str(exception).lower()
    return ("role" in text or "principal" in text) and ("does not exist" in text or "invalid principal" in text)


def delete_file_system(client: Any, file_system_id: str, *, force: bool = False) -> bool:
    """Ask for the deletion. force: also when writes were not yet exported to the bucket, which then are lost."""
    parameters: dict[str, Any] = {"fileSystemId": file_system_id}
    if force:
        parameters["forceDelete"] = True
    return _delete(client.delete_file_system, f"delete file system {file_system_id}", **parameters)


def get_policy(client: Any, file_system_id: str) -> dict[str, Any]:
    """The file system's resource policy as a mapping; {} when it has none."""
    answer = _read(
        client.get_file_system_policy, f"read the policy of file system {file_system_id}", fileSystemId=file_system_id
    )
    text = (answer or {}).get("policy")
    policy: dict[str, Any] = json.loads(text) if text else {}
    return policy


def put_policy(client: Any, file_system_id: str, policy: Mapping[str, Any]) -> None:
    """Write the file system's resource policy; {} removes it."""
    if not policy:
        action = f"remove the policy of file system {file_system_id}"
        _delete(client.delete_file_system_policy, action, fileSystemId=file_system_id)
        return

    def put() -> None:
        with doing(f"write the policy of file system {file_system_id}"):
            call(client.put_file_system_policy, fileSystemId=file_system_id, policy=json.dumps(policy, sort_keys=True))

    once_heard(put, _unheard_of)


# Mount targets --------------------------------------------------------------------------------------------------------


def list_mount_targets(client: Any, file_system_id: str) -> list[Resource] | None:
    """The mount targets of a file system, without their security groups; None when there is no such file system."""
    try:
        with doing(f"list the mount targets of file system {file_system_id}"):
            return pages(client.list_mount_targets, "mountTargets", fileSystemId=file_system_id)
    except AwsError as error:
        if error.missing:
            return None
        raise


def get_mount_target(client: Any, mount_target_id: str) -> Resource | None:
    """One mount target with its security groups, or None."""
    return _read(client.get_mount_target, f"read mount target {mount_target_id}", mountTargetId=mount_target_id)


def create_mount_target(client: Any, request: Mapping[str, Any]) -> Resource:
    """Create a mount target. request: the parameters of CreateMountTarget, which takes no idempotency token."""
    with doing(f"create a mount target of file system {request['fileSystemId']} in {request['subnetId']}"):
        answer: Resource = call(client.create_mount_target, **request)
        return answer


def update_mount_target(client: Any, mount_target_id: str, security_groups: list[str]) -> None:
    """Replace the security groups of a mount target, its only field that can change."""
    with doing(f"change the security groups of mount target {mount_target_id}"):
        call(client.update_mount_target, mountTargetId=mount_target_id, securityGroups=security_groups)


def delete_mount_target(client: Any, mount_target_id: str) -> bool:
    """Ask for the deletion of a mount target."""
    return _delete(client.delete_mount_target, f"delete mount target {mount_target_id}", mountTargetId=mount_target_id)


# Access points --------------------------------------------------------------------------------------------------------


def list_access_points(client: Any, file_system_id: str) -> list[Resource] | None:
    """The access points of a file system, without tags; None when there is no such file system."""
    try:
        with doing(f"list the access points of file system {file_system_id}"):
            return pages(client.list_access_points, "accessPoints", fileSystemId=file_system_id)
    except AwsError as error:
        if error.missing:
            return None
        raise


def get_access_point(client: Any, access_point_id: str) -> Resource | None:
    """One access point with its tags, or None."""
    return _read(client.get_access_point, f"read access point {access_point_id}", accessPointId=access_point_id)


def create_access_point(client: Any, name: str, request: Mapping[str, Any]) -> Resource:
    """Create an access point. name: for messages. request: the parameters of CreateAccessPoint."""
    with doing(f"create access point {name} of file system {request['fileSystemId']}"):
        answer: Resource = call(client.create_access_point, **request)
        return answer


def delete_access_point(client: Any, access_point_id: str) -> bool:
    """Ask for the deletion of an access point."""
    return _delete(client.delete_access_point, f"delete access point {access_point_id}", accessPointId=access_point_id)


# Tags of file systems and access points; mount targets have none ------------------------------------------------------


def list_tags(client: Any, resource_id: str) -> dict[str, str]:
    """The tags of a file system or access point; {} when it does not exist."""
    try:
        with doing(f"read the tags of {resource_id}"):
            return tagging.from_list(pages(client.list_tags_for_resource, "tags", resourceId=resource_id))
    except AwsError as error:
        if error.missing:
            return {}
        raise


def change_tags(client: Any, resource_id: str, change: TagChange) -> None:
    """Write a change of tags; new values first, so that a killed run never leaves the resource unowned."""
    if change.to_set:
        with doing(f"set tags of {resource_id}"):
            call(client.tag_resource, resourceId=resource_id, tags=tagging.to_list(change.to_set))
    if change.to_remove:
        with doing(f"remove tags of {resource_id}"):
            call(client.untag_resource, resourceId=resource_id, tagKeys=list(change.to_remove))
