# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3 file systems: bring one to the wanted state, creating it where needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import policy as policies
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import s3files, synchronization, waiters
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, ImmutableError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Result, Run, plain, stable_token

ARNS = (
    ("bucket", re.compile(r"^arn:aws[a-zA-Z0-9-]*:s3:::.+$"), "the ARN of a bucket, such as arn:aws:s3:::weights"),
    ("role_arn", re.compile(r"^arn:aws[a-zA-Z-]*:iam::\d{12}:role/.+$"), "the ARN of an IAM role"),
)


@dataclass(frozen=True)
class FileSystem:
    """A wanted file system. bucket, role_arn: ARNs. None: leave that field as it is.

    policy: the resource policy, {} for none; statements without a resource get the file system's ARN.
    tags: without Name, which comes from `name`. synchronization: {import_data_rules, days_after_last_access}.
    """

    name: str | None = None
    file_system_id: str | None = None
    bucket: str | None = None
    prefix: str | None = None
    kms_key_id: str | None = None
    role_arn: str | None = None
    accept_bucket_warning: bool = False
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True
    policy: dict[str, Any] | None = None
    synchronization: Mapping[str, Any] | None = None


def read(client: Any, file_system_id: str) -> dict[str, Any]:
    """The file system with its policy, as a play sees it; {} when it does not exist."""
    resource = s3files.get_file_system(client, file_system_id)
    if resource is None or resource.get("status") == "deleted":
        return {}
    return {**plain(resource), "policy": s3files.get_policy(client, file_system_id)}


def find(client: Any, wanted: FileSystem) -> dict[str, Any]:
    """The file system meant by the id, else by the name; {} when there is none.

    One that is being deleted is only found when no living one has the name. Raises AwsError when several have it.
    """
    if wanted.file_system_id:
        return read(client, wanted.file_system_id)
    listed = s3files.list_file_systems(client)
    found = s3files.named(listed, wanted.name, "file systems", "fileSystemId", "file_system_id")
    return read(client, found) if found else {}


def ensure_present(client: Any, wanted: FileSystem, run: Run) -> Result:
    """Create the file system, or bring tags and policy of the existing one to the wanted values.

    Raises ImmutableError when a field differs that the service cannot change, WaitError when it is broken, AwsError.
    """
    before = find(client, wanted)
    if before.get("status") == "deleting":
        before = _outlast_deletion(client, before["file_system_id"], run)
    if not before:
        if wanted.file_system_id:
            raise AwsError(f"there is no file system {wanted.file_system_id}: leave file_system_id out to create one")
        return _create(client, wanted, run)
    _require_same(before, wanted)
    file_system_id = before["file_system_id"]
    if run.wait and not run.check and before["status"] != "available":
        _wait_available(client, file_system_id, run)
    name = wanted.name or before["tags"].get(tagging.NAME)
    change = tagging.difference(before["tags"], tagging.wanted_tags(wanted.tags, name), purge=wanted.purge_tags)
    policy = _policy(wanted, before["file_system_arn"])
    new_policy = policy is not None and not policies.same(before["policy"], policy)
    rules, version = _rules(wanted), 0
    if rules:
        before["synchronization"], version = synchronization.read(client, file_system_id)
    new_rules = bool(rules) and rules != before["synchronization"]
    if not change and not new_policy and not new_rules:
        return Result(False, before, before)
    if run.check:
        after = {
            **before,
            "tags": tagging.applied(before["tags"], change),
            **({"synchronization": rules} if rules else {}),
        }
        return Result(True, before, {**after, "policy": policy} if new_policy else after)
    s3files.change_tags(client, file_system_id, change)
    if new_policy:
        s3files.put_policy(client, file_system_id, policy or {})
    if new_rules:
        synchronization.write(client, file_system_id, rules, version)
    return Result(True, before, _reread(client, file_system_id, wanted))


def _rules(wanted: FileSystem) -> dict[str, Any]:
    """The wanted rules of synchronization, {} where they are left as they are."""
    return {} if wanted.synchronization is None else synchronization.normal(wanted.synchronization)


def _reread(client: Any, file_system_id: str, wanted: FileSystem) -> dict[str, Any]:
    found = read(client, file_system_id)
    if found and wanted.synchronization is not None:
        found["synchronization"] = synchronization.read(client, file_system_id)[0]
    return found


def _policy(wanted: FileSystem, arn: str) -> dict[str, Any] | None:
    return None if wanted.policy is None else policies.complete(wanted.policy, arn)


def _outlast_deletion(client: Any, file_system_id: str, run: Run) -> dict[str, Any]:
    """Wait for the end of a deletion that is under way; {} afterwards (and at once in check mode)."""
    if not run.check:
        if not run.wait:
            raise AwsError(f"file system {file_system_id} is being deleted: set wait to have a new one made afterwards")
        wait_deleted(client, file_system_id, run)
    return {}


def _require_same(before: Mapping[str, Any], wanted: FileSystem) -> None:
    """Raise ImmutableError naming every given field that differs and cannot be changed."""
    differences: dict[str, tuple[Any, Any]] = {}
    for option in ("bucket", "prefix", "role_arn"):
        value = getattr(wanted, option)
        current = before.get(option) or ("" if option == "prefix" else None)
        if value is not None and value != current:
            differences[option] = (current, value)
    if wanted.kms_key_id and not same_key(before.get("kms_key_id"), wanted.kms_key_id):
        differences["kms_key_id"] = (before.get("kms_key_id"), wanted.kms_key_id)
    if differences:
        raise ImmutableError(f"file system {before['file_system_id']} ({before.get('name')})", differences)


def same_key(current: str | None, wanted: str) -> bool:
    """Whether a key, given as id, ARN or alias, can be the one that the service answers, which is an ARN.

    An alias is not resolved: against the ARN of a key it counts as the same, because it may point there.
    """
    if not current:
        return False
    if current == wanted:
        return True
    if wanted.startswith("arn:") and ":alias/" not in wanted:
        return False
    if wanted.startswith("alias/") or ":alias/" in wanted:
        return ":key/" in current
    return current.endswith(f":key/{wanted}")


def _create(client: Any, wanted: FileSystem, run: Run) -> Result:
    for option in ("name", "bucket", "role_arn"):
        if not getattr(wanted, option):
            raise AwsError(f"{option} is needed to create a file system, and none named {wanted.name!r} exists")
    for option, pattern, accepted in ARNS:
        if not pattern.match(str(getattr(wanted, option))):
            raise AwsError(f"{option}: got {getattr(wanted, option)!r}; accepted: {accepted}")
    name = str(wanted.name)
    tags = {tagging.NAME: name, **(tagging.wanted_tags(wanted.tags, name) or {})}
    if run.check:
        # arn:partition:iam::account:role/…
        partition, account = str(wanted.role_arn).split(":")[1:5:3]
        scope = f"arn:{partition}:s3files:{client.meta.region_name}:{account}"
        arn = f"{scope}:file-system/{s3files.PENDING_FILE_SYSTEM_ID}"
        predicted: dict[str, Any] = {
            "file_system_id": s3files.PENDING_FILE_SYSTEM_ID,
            "file_system_arn": arn,
            "owner_id": account,
            "name": name,
            "bucket": wanted.bucket,
            "prefix": wanted.prefix or "",
            "role_arn": wanted.role_arn,
            "status": "available" if run.wait else "creating",
            "tags": tags,
            "policy": _policy(wanted, arn) or {},
        }
        if wanted.kms_key_id:
            predicted["kms_key_id"] = wanted.kms_key_id
        if wanted.synchronization is not None:
            predicted["synchronization"] = _rules(wanted)
        return Result(True, {}, predicted)
    request = {
        "bucket": wanted.bucket,
        "prefix": wanted.prefix,
        "kmsKeyId": wanted.kms_key_id,
        "roleArn": wanted.role_arn,
        "acceptBucketWarning": wanted.accept_bucket_warning or None,
        "tags": tagging.to_list(tags),
    }
    request = {key: value for key, value in request.items() if value not in (None, "")}
    identity = ("file-system", str(wanted.bucket), wanted.prefix or "", name)
    created = s3files.create_file_system(client, name, {**request, "clientToken": stable_token(*identity)})
    read_once = partial(s3files.get_file_system, client, str(created["fileSystemId"]))
    if created.get("status") in s3files.GOING or not waiters.appears(read_once):
        # The service still remembers the token from a file system that is gone: ask again as its successor.
        token = stable_token(*identity, str(created["fileSystemId"]))
        created = s3files.create_file_system(client, name, {**request, "clientToken": token})
    file_system_id = str(created["fileSystemId"])
    if run.wait:
        _wait_available(client, file_system_id, run)
    if wanted.policy:
        s3files.put_policy(client, file_system_id, _policy(wanted, str(created["fileSystemArn"])) or {})
    if wanted.synchronization is not None:
        # A new file system has rules of the service's own.
        found, version = synchronization.read(client, file_system_id)
        if found != _rules(wanted):
            synchronization.write(client, file_system_id, _rules(wanted), version)
    return Result(True, {}, _reread(client, file_system_id, wanted))


def _wait_available(client: Any, file_system_id: str, run: Run) -> None:
    read_once = partial(s3files.get_file_system, client, file_system_id)
    waiters.wait_for(waiters.FILE_SYSTEM_AVAILABLE, file_system_id, read_once, run.left)


def wait_deleted(client: Any, file_system_id: str, run: Run) -> None:
    """Wait until the file system is gone. Raises WaitError."""
    read_once = partial(s3files.get_file_system, client, file_system_id)
    waiters.wait_for(waiters.FILE_SYSTEM_DELETED, file_system_id, read_once, run.left)
