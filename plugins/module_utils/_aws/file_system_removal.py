# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removal of S3 file systems, with the access points and mount targets that keep them from going."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import s3files, waiters
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.file_system import FileSystem, find, wait_deleted
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Result, Run

# Writes reach the bucket about once a minute, and until then the service refuses to delete.
EXPORT_SECONDS = 180.0


def ensure_absent(client: Any, wanted: FileSystem, run: Run, *, force: bool, discard_exports: bool) -> Result:
    """Delete the file system.

    force: delete its access points and mount targets first and wait until they are gone; without it, their presence is
    an error, as in the service. discard_exports: delete also when writes have not reached the bucket yet.
    """
    before = find(client, wanted)
    if not before:
        return Result(False)
    file_system_id = before["file_system_id"]
    if before.get("status") == "deleting":
        if run.wait and not run.check:
            wait_deleted(client, file_system_id, run)
        return Result(False, before, {})
    points, targets = children(client, file_system_id)
    if (points or targets) and not force:
        raise AwsError(
            f"file system {file_system_id} ({before.get('name')}) is in use by {_listed('access point', points)} and "
            f"{_listed('mount target', targets)}: remove them first, or set force to have them removed"
        )
    if run.check:
        return Result(True, before, {})
    _remove_children(client, points, targets, run)
    _delete_when_settled(client, file_system_id, run, discard_exports)
    if run.wait:
        wait_deleted(client, file_system_id, run)
    return Result(True, before, {})


def children(client: Any, file_system_id: str) -> tuple[list[str], list[str]]:
    """The ids of a file system's access points and of its mount targets, those included that are being deleted."""
    points = s3files.list_access_points(client, file_system_id) or []
    targets = s3files.list_mount_targets(client, file_system_id) or []
    return (
        sorted(item["accessPointId"] for item in points if item.get("status") != "deleted"),
        sorted(item["mountTargetId"] for item in targets if item.get("status") != "deleted"),
    )


def _listed(kind: str, ids: list[str]) -> str:
    """A count and the ids: "2 access points (fsap-1, fsap-2)"."""
    text = f"{len(ids)} {kind}" if len(ids) == 1 else f"{len(ids)} {kind}s"
    return f"{text} ({', '.join(ids)})" if ids else text


def _remove_children(client: Any, points: list[str], targets: list[str], run: Run) -> None:
    """Delete access points and mount targets together and wait until all are gone, whatever run.wait says."""
    for point in points:
        s3files.delete_access_point(client, point)
    for target in targets:
        s3files.delete_mount_target(client, target)
    waiters.wait_all(
        waiters.ACCESS_POINT_DELETED,
        {point: partial(s3files.get_access_point, client, point) for point in points},
        run.left,
    )
    waiters.wait_all(
        waiters.MOUNT_TARGET_DELETED,
        {target: partial(s3files.get_mount_target, client, target) for target in targets},
        run.left,
    )


def _delete_when_settled(client: Any, file_system_id: str, run: Run, discard_exports: bool) -> None:
    """Ask for the deletion; with run.wait, again while the service answers that writes are still being exported."""
    deadline = time.monotonic() + min(EXPORT_SECONDS, run.left)
    while True:
        try:
            s3files.delete_file_system(client, file_system_id, force=discard_exports)
            return
        except AwsError as error:
            if error.code != "ConflictException" or not run.wait or time.monotonic() >= deadline:
                raise
        time.sleep(5.0)
