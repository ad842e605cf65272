# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount targets of an S3 file system: one in each wanted subnet, made and waited for together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import s3files, waiters
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, ImmutableError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Result, Run, plain


@dataclass(frozen=True)
class MountTargets:
    """Wanted mount targets. security_groups, ip_address_type (IPV4_ONLY, IPV6_ONLY, DUAL_STACK): None: leave as is.

    purge: also remove the file system's mount targets in other subnets.
    """

    file_system_id: str
    subnet_ids: tuple[str, ...]
    security_groups: tuple[str, ...] | None = None
    ip_address_type: str | None = None
    purge: bool = False


Targets = dict[str, dict[str, Any]]


def read_all(client: Any, file_system_id: str) -> Targets | None:
    """The mount targets of a file system by subnet, with security groups; None when there is no such file system.

    Of two in one subnet (the old one is being deleted) the living one is answered.
    """
    listed = s3files.list_mount_targets(client, file_system_id)
    if listed is None:
        return None
    found: Targets = {}
    for item in sorted(listed, key=lambda item: item.get("status") not in s3files.GOING):
        if item.get("status") == "deleted":
            continue
        target = s3files.get_mount_target(client, item["mountTargetId"])
        if target is not None:
            found[target["subnetId"]] = _plain(target)
    return found


def _plain(target: Mapping[str, Any]) -> dict[str, Any]:
    found = plain(target)
    found.pop("tags")  # mount targets cannot be tagged
    found["security_groups"] = sorted(found.get("security_groups") or [])
    return found


def ensure_present(client: Any, wanted: MountTargets, run: Run) -> Result:
    """Make a mount target in each wanted subnet and set security groups in place.

    before and after: {"mount_targets": [...]} in order of the subnets. Raises AwsError, ImmutableError, WaitError.
    """
    existing = read_all(client, wanted.file_system_id)
    if existing is None and not run.check:
        raise AwsError(f"there is no file system {wanted.file_system_id}: create it first")
    current = existing or {}
    before = dict(current)
    for subnet, target in list(current.items()):
        if subnet in wanted.subnet_ids and target["status"] in s3files.GOING:
            _outlast_deletion(client, target["mount_target_id"], run)
            del current[subnet]
    for subnet in wanted.subnet_ids:
        if subnet in current:
            _require_same(current[subnet], wanted)
    extra = [subnet for subnet in current if wanted.purge and subnet not in wanted.subnet_ids]
    extra = [subnet for subnet in extra if current[subnet]["status"] not in s3files.GOING]
    missing = [subnet for subnet in wanted.subnet_ids if subnet not in current]
    regroup = [subnet for subnet in wanted.subnet_ids if subnet in current and _groups_differ(current[subnet], wanted)]
    changed = bool(extra or missing or regroup)
    if run.check:
        return Result(changed, _listing(before), _listing(_predicted(current, wanted, run, extra, missing, regroup)))
    if extra:  # before the new ones: a zone takes one mount target only
        _delete(client, [current[subnet]["mount_target_id"] for subnet in extra], run)
    ids = {subnet: current[subnet]["mount_target_id"] for subnet in wanted.subnet_ids if subnet in current}
    for subnet in missing:
        ids[subnet] = _create(client, wanted, subnet)
    for subnet in regroup:
        s3files.update_mount_target(client, ids[subnet], sorted(wanted.security_groups or ()))
    settled = not changed and all(current[subnet]["status"] == "available" for subnet in ids)
    after = {subnet: target for subnet, target in current.items() if subnet not in extra}
    if not settled:
        after |= _settled(client, ids, run)
    return Result(changed, _listing(before), _listing(after))


def _settled(client: Any, ids: Mapping[str, str], run: Run) -> Targets:
    """The mount targets by subnet once they are available, or at once without wait; by their ids, as lists lag."""
    if run.wait:
        found = _wait_available(client, list(ids.values()), run)
    else:
        found = {target_id: s3files.get_mount_target(client, target_id) for target_id in ids.values()}
    return {subnet: _plain(found[ids[subnet]] or {}) for subnet in ids if found[ids[subnet]]}


def ensure_absent(client: Any, wanted: MountTargets, run: Run) -> Result:
    """Delete the mount targets in the wanted subnets; a file system that does not exist has none."""
    before = read_all(client, wanted.file_system_id) or {}
    doomed = {subnet: target for subnet, target in before.items() if subnet in wanted.subnet_ids}
    living = [target["mount_target_id"] for target in doomed.values() if target["status"] not in s3files.GOING]
    after = {subnet: target for subnet, target in before.items() if subnet not in doomed}
    if not run.check:
        for target_id in living:
            s3files.delete_mount_target(client, target_id)
        if run.wait:
            _wait_deleted(client, [target["mount_target_id"] for target in doomed.values()], run)
    return Result(bool(living), _listing(before), _listing(after))


def _create(client: Any, wanted: MountTargets, subnet: str) -> str:
    """Create one mount target and return its id."""
    request: dict[str, Any] = {"fileSystemId": wanted.file_system_id, "subnetId": subnet}
    if wanted.security_groups is not None:
        request["securityGroups"] = sorted(wanted.security_groups)
    if wanted.ip_address_type:
        request["ipAddressType"] = wanted.ip_address_type
    try:
        return str(s3files.create_mount_target(client, request)["mountTargetId"])
    except AwsError as error:
        if error.code != "ConflictException":
            raise
        # No idempotency token: after a lost reply, or while the list lags, the call meets our own mount target.
        ours = _in_the_way(client, error, wanted.file_system_id, subnet)
        if not ours:
            raise
        return ours


def _in_the_way(client: Any, error: AwsError, file_system_id: str, subnet: str) -> str:
    """The id of a living mount target of this file system and subnet that a conflict is about, or ""."""
    named = s3files.get_mount_target(client, error.resource_id) if error.resource_id.startswith("fsmt-") else None
    if named is not None and (named["fileSystemId"], named["subnetId"]) == (file_system_id, subnet):
        found = _plain(named)
    else:
        found = (read_all(client, file_system_id) or {}).get(subnet, {})
    return str(found["mount_target_id"]) if found and found["status"] not in s3files.GOING else ""


def _require_same(target: Mapping[str, Any], wanted: MountTargets) -> None:
    current = _address_type(target)
    if wanted.ip_address_type and current and current != wanted.ip_address_type:
        raise ImmutableError(
            f"mount target {target['mount_target_id']} in {target['subnet_id']}",
            {"ip_address_type": (current, wanted.ip_address_type)},
        )


def _address_type(target: Mapping[str, Any]) -> str | None:
    """The service answers addresses and not their type; none are there while the target is being created."""
    kinds = (bool(target.get("ipv4_address")), bool(target.get("ipv6_address")))
    return {(True, False): "IPV4_ONLY", (False, True): "IPV6_ONLY", (True, True): "DUAL_STACK"}.get(kinds)


def _groups_differ(target: Mapping[str, Any], wanted: MountTargets) -> bool:
    return wanted.security_groups is not None and sorted(wanted.security_groups) != target["security_groups"]


def _predicted(
    current: Targets, wanted: MountTargets, run: Run, extra: list[str], missing: list[str], regroup: list[str]
) -> Targets:
    groups = sorted(wanted.security_groups or ())
    after = {subnet: target for subnet, target in current.items() if subnet not in extra}
    after.update({subnet: {**after[subnet], "security_groups": groups} for subnet in regroup})
    status = "available" if run.wait else "creating"
    for subnet in missing:
        after[subnet] = {
            "file_system_id": wanted.file_system_id,
            "subnet_id": subnet,
            "security_groups": groups,
            "status": status,
        }
    return after


def _listing(targets: Targets) -> dict[str, Any]:
    return {"mount_targets": [targets[subnet] for subnet in sorted(targets)]}


def _outlast_deletion(client: Any, target_id: str, run: Run) -> None:
    if run.check:
        return
    if not run.wait:
        raise AwsError(f"mount target {target_id} is being deleted: set wait to have a new one made afterwards")
    _wait_deleted(client, [target_id], run)


def _delete(client: Any, target_ids: list[str], run: Run) -> None:
    for target_id in target_ids:
        s3files.delete_mount_target(client, target_id)
    _wait_deleted(client, target_ids, run)


def _wait_available(client: Any, target_ids: list[str], run: Run) -> dict[str, Mapping[str, Any] | None]:
    reads = {target_id: partial(s3files.get_mount_target, client, target_id) for target_id in target_ids}
    return waiters.wait_all(waiters.MOUNT_TARGET_AVAILABLE, reads, run.left)


def _wait_deleted(client: Any, target_ids: list[str], run: Run) -> None:
    reads = {target_id: partial(s3files.get_mount_target, client, target_id) for target_id in target_ids}
    waiters.wait_all(waiters.MOUNT_TARGET_DELETED, reads, run.left)
