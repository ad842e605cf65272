# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access points of an S3 file system: a root directory and a POSIX user for everyone who mounts through it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import s3files, waiters
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, ImmutableError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Result, Run, plain, stable_token


@dataclass(frozen=True)
class AccessPoint:
    """A wanted access point. None: leave that field as it is.

    posix_user: {uid, gid, secondary_gids}. root_directory: {path, creation_permissions: {owner_uid, owner_gid,
    permissions}}, permissions in octal text. tags: without Name, which comes from `name`.
    """

    file_system_id: str | None = None
    name: str | None = None
    access_point_id: str | None = None
    posix_user: Mapping[str, Any] | None = None
    root_directory: Mapping[str, Any] | None = None
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True


def read(client: Any, access_point_id: str) -> dict[str, Any]:
    """The access point as a play sees it; {} when it does not exist."""
    resource = s3files.get_access_point(client, access_point_id)
    return {} if resource is None or resource.get("status") == "deleted" else plain(resource)


def find(client: Any, wanted: AccessPoint) -> dict[str, Any]:
    """The access point meant by the id, else by its name in the file system; {} when there is none.

    Raises AwsError when several living ones have the name.
    """
    if wanted.access_point_id:
        return read(client, wanted.access_point_id)
    listed = s3files.list_access_points(client, str(wanted.file_system_id)) or []
    found = s3files.named(listed, wanted.name, "access points", "accessPointId", "access_point_id")
    return read(client, found) if found else {}


def ensure_present(client: Any, wanted: AccessPoint, run: Run) -> Result:
    """Create the access point, or bring the tags of the existing one to the wanted values.

    Raises ImmutableError when user or root directory differ, WaitError when it is broken, AwsError.
    """
    before = find(client, wanted)
    if before.get("status") == "deleting":
        # Names need not be unique, so a new one can be made beside the one that goes.
        before = {}
    if not before:
        return _create(client, wanted, run)
    _require_same(before, wanted)
    point = before["access_point_id"]
    if run.wait and not run.check and before["status"] != "available":
        _wait_available(client, point, run)
    name = wanted.name or before["tags"].get(tagging.NAME)
    change = tagging.difference(before["tags"], tagging.wanted_tags(wanted.tags, name), purge=wanted.purge_tags)
    if not change:
        return Result(False, before, before)
    if run.check:
        return Result(True, before, {**before, "tags": tagging.applied(before["tags"], change)})
    s3files.change_tags(client, point, change)
    return Result(True, before, read(client, point))


def ensure_absent(client: Any, wanted: AccessPoint, run: Run) -> Result:
    """Delete the access point."""
    before = find(client, wanted)
    if not before:
        return Result(False)
    point = before["access_point_id"]
    living = before["status"] not in s3files.GOING
    if not run.check:
        if living:
            s3files.delete_access_point(client, point)
        if run.wait:
            read_once = partial(s3files.get_access_point, client, point)
            waiters.wait_for(waiters.ACCESS_POINT_DELETED, point, read_once, run.left)
    return Result(living, before, {})


def _create(client: Any, wanted: AccessPoint, run: Run) -> Result:
    if wanted.access_point_id:
        raise AwsError(f"there is no access point {wanted.access_point_id}: leave access_point_id out to create one")
    file_system_id, name = str(wanted.file_system_id), str(wanted.name)
    tags = {tagging.NAME: name, **(tagging.wanted_tags(wanted.tags, name) or {})}
    request: dict[str, Any] = {"fileSystemId": file_system_id, "tags": tagging.to_list(tags)}
    if wanted.posix_user:
        request["posixUser"] = _user_request(_user(wanted.posix_user))
    if wanted.root_directory:
        request["rootDirectory"] = _root_request(_root(wanted.root_directory))
    if run.check:
        answered = {
            "accessPointId": s3files.PENDING_ACCESS_POINT_ID,
            "rootDirectory": {"path": "/"},
            "status": "available" if run.wait else "creating",
            **request,
        }
        return Result(True, {}, {**plain(answered), "name": name})
    identity = ("access-point", file_system_id, name, repr(request))
    created = s3files.create_access_point(client, name, {**request, "clientToken": stable_token(*identity)})
    read_once = partial(s3files.get_access_point, client, str(created["accessPointId"]))
    if created.get("status") in s3files.GOING or not waiters.appears(read_once):
        # The service still remembers the token from an access point that is gone: ask again as its successor.
        token = stable_token(*identity, str(created["accessPointId"]))
        created = s3files.create_access_point(client, name, {**request, "clientToken": token})
    point = str(created["accessPointId"])
    if run.wait:
        _wait_available(client, point, run)
    return Result(True, {}, read(client, point))


def _require_same(before: Mapping[str, Any], wanted: AccessPoint) -> None:
    """Raise ImmutableError naming every given field that differs."""
    differences: dict[str, tuple[Any, Any]] = {}
    if wanted.access_point_id and wanted.file_system_id and before["file_system_id"] != wanted.file_system_id:
        differences["file_system_id"] = (before["file_system_id"], wanted.file_system_id)
    if wanted.posix_user is not None:
        _compare("posix_user", _user(before.get("posix_user")), _user(wanted.posix_user), differences)
    if wanted.root_directory is not None:
        _compare("root_directory", _root(before.get("root_directory")), _root(wanted.root_directory), differences)
    if differences:
        raise ImmutableError(f"access point {before['access_point_id']} ({before.get('name')})", differences)


def _compare(path: str, current: Any, wanted: Any, differences: dict[str, tuple[Any, Any]]) -> None:
    """Collect the leaves that differ, under names such as root_directory.creation_permissions.owner_uid."""
    if isinstance(current, dict) and isinstance(wanted, dict):
        for key in wanted:
            _compare(f"{path}.{key}", current.get(key), wanted[key], differences)
    elif wanted is not None and current != wanted:
        differences[path] = (current, wanted)


def _user(user: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The POSIX user in one form: secondary groups sorted, none as []."""
    if not user:
        return None
    return {"uid": user["uid"], "gid": user["gid"], "secondary_gids": sorted(user.get("secondary_gids") or [])}


def _root(root: Mapping[str, Any] | None) -> dict[str, Any]:
    """The root directory in one form: "/" where no path is given, permissions as four octal digits."""
    root = root or {}
    permissions = root.get("creation_permissions")
    found: dict[str, Any] = {"path": root.get("path") or "/", "creation_permissions": None}
    if permissions:
        found["creation_permissions"] = {
            "owner_uid": permissions["owner_uid"],
            "owner_gid": permissions["owner_gid"],
            "permissions": str(permissions["permissions"]).zfill(4),
        }
    return found


def _user_request(user: dict[str, Any] | None) -> dict[str, Any]:
    user = user or {}
    request = {"uid": user["uid"], "gid": user["gid"]}
    return {**request, "secondaryGids": user["secondary_gids"]} if user["secondary_gids"] else request


def _root_request(root: dict[str, Any]) -> dict[str, Any]:
    permissions = root["creation_permissions"]
    if not permissions:
        return {"path": root["path"]}
    return {
        "path": root["path"],
        "creationPermissions": {
            "ownerUid": permissions["owner_uid"],
            "ownerGid": permissions["owner_gid"],
            "permissions": permissions["permissions"],
        },
    }


def _wait_available(client: Any, point: str, run: Run) -> None:
    read_once = partial(s3files.get_access_point, client, point)
    waiters.wait_for(waiters.ACCESS_POINT_AVAILABLE, point, read_once, run.left)
