# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems: over a bucket that exists and is versioned, through a role that the service may assume."""

from __future__ import annotations

import json
from typing import Any

from llmfleet_lab.aws import policies
from llmfleet_lab.aws.pagination import page
from llmfleet_lab.aws.s3_buckets import Buckets
from llmfleet_lab.aws.s3files import synchronization
from llmfleet_lab.aws.s3files.resources import FileSystem, Store, conflict, invalid, new_id, not_found
from llmfleet_lab.aws.s3files.tagging import checked, listed
from llmfleet_lab.aws.world import World

SERVICE_PRINCIPAL = "elasticfilesystem.amazonaws.com"


class FileSystems:
    """Create, get, list and delete file systems, and their resource policies."""

    def __init__(self, store: Store, world: World, buckets: Buckets) -> None:
        self._store = store
        self._world = world
        self._buckets = buckets

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateFileSystem. A repeated clientToken answers the file system that it made."""
        asked = {key: value for key, value in request.items() if key not in ("clientToken", "acceptBucketWarning")}
        for existing in self._store.file_systems.values():
            if existing.client_token == request.get("clientToken") and existing.life.state() != "deleting":
                if existing.request != asked:
                    message = "The client token was used before with other parameters."
                    raise conflict("IdempotentParameterMismatch", message, existing.identifier, "FILE_SYSTEM")
                return self._described(existing)
        tags = checked(request.get("tags"))
        identifier = new_id("fs")
        arn = f"arn:aws:s3files:{self._world.region}:{self._world.account}:file-system/{identifier}"
        trouble = self._trouble(request["bucket"], request["roleArn"], arn)
        if trouble:
            raise trouble[0](trouble[1])
        file_system = FileSystem(
            identifier=identifier,
            arn=arn,
            bucket=request["bucket"],
            role_arn=request["roleArn"],
            prefix=request.get("prefix", ""),
            client_token=request.get("clientToken") or new_id("token"),
            request=asked,
            life=self._store.life(),
            kms_key=request.get("kmsKeyId"),
            tags=tags,
        )
        file_system.synchronization = synchronization.default(file_system.prefix)
        self._store.file_systems[identifier] = file_system
        return self._described(file_system)

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetFileSystem."""
        return self._described(self._store.file_system(request["fileSystemId"]))

    def listing(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListFileSystems, of one bucket when it is given."""
        found = [
            item
            for item in self._store.listed_file_systems(self._world.lag)
            if request.get("bucket") in (None, item.bucket)
        ]
        items, token = page(found, request.get("maxResults", 100), request.get("nextToken"), invalid)
        members = ("creationTime", "fileSystemArn", "fileSystemId", "name", "bucket", "status", "statusMessage")
        return {
            "fileSystems": [
                {key: value for key, value in self._described(item).items() if key in (*members, "roleArn", "ownerId")}
                for item in items
            ],
            "nextToken": token,
        }

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteFileSystem: refused while it has mount targets, access points or data that is not exported yet."""
        file_system = self._store.file_system(request["fileSystemId"])
        identifier = file_system.identifier
        if file_system.life.state() == "deleting":
            return {}
        for what, code, items in (
            ("mount targets", "FileSystemHasMountTargets", self._store.mount_targets.values()),
            ("access points", "FileSystemHasAccessPoints", self._store.access_points.values()),
        ):
            if any(item.file_system == identifier for item in items):
                raise conflict(code, f"File system '{identifier}' has {what}.", identifier, "FILE_SYSTEM")
        if file_system.pending_export and not request.get("forceDelete"):
            message = (
                f"File system '{identifier}' has data pending export to S3. "
                "Use forceDelete=true to force delete without exporting pending data."
            )
            raise conflict("FileSystemHasPendingExport", message, identifier, "FILE_SYSTEM")
        file_system.life.enter("deleting")
        return {}

    def get_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetFileSystemPolicy."""
        file_system = self._store.file_system(request["fileSystemId"])
        if file_system.policy is None:
            raise not_found("PolicyNotFound", f"File system '{file_system.identifier}' has no policy.")
        return {"fileSystemId": file_system.identifier, "policy": file_system.policy}

    def put_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """PutFileSystemPolicy: a policy document whose principals exist."""
        file_system = self._store.file_system(request["fileSystemId"])
        try:
            statements = policies.statements(json.loads(request["policy"]))
        except ValueError as error:
            raise invalid(f"policy: not a policy document: {error}", "InvalidPolicy") from None
        for statement in statements:
            if "Principal" not in statement:
                raise invalid("policy: a statement has no Principal", "InvalidPolicy")
            for principal in policies.principals(statement, "AWS"):
                if principal != "*" and not self._world.principal_exists(principal):
                    raise invalid(f"policy: the principal {principal!r} does not exist", "InvalidPolicy")
        file_system.policy = request["policy"]
        return {}

    def delete_policy(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteFileSystemPolicy; one that is not there is fine."""
        self._store.file_system(request["fileSystemId"]).policy = None
        return {}

    def _trouble(self, bucket: str, role_arn: str, arn: str, *, heard_of: bool = False) -> tuple[Any, str] | None:
        """What is wrong with bucket or role: the maker of the error, and the message."""
        name = bucket.rpartition(":")[2]
        versioning = self._buckets.versioning(name)
        if versioning is None:
            return (lambda message: not_found("BucketNotFound", message)), f"Bucket '{name}' does not exist."
        if versioning != "Enabled":
            return invalid, f"Bucket '{name}' does not have versioning enabled."
        document = self._world.trust(role_arn, heard_of=heard_of)
        if document is None:
            return invalid, f"Role '{role_arn}' does not exist."
        context = {"aws:sourceaccount": self._world.account, "aws:sourcearn": arn}
        if not policies.allows(document, SERVICE_PRINCIPAL, ["sts:AssumeRole"], context):
            return invalid, f"Role '{role_arn}' cannot be assumed by {SERVICE_PRINCIPAL} for '{arn}'."
        return None

    def _described(self, item: FileSystem) -> dict[str, Any]:
        state, trouble = item.life.state(), None
        if state == "available":
            trouble = self._trouble(item.bucket, item.role_arn, item.arn, heard_of=True)
        return {
            "creationTime": item.created,
            "fileSystemArn": item.arn,
            "fileSystemId": item.identifier,
            "bucket": item.bucket,
            "prefix": item.prefix,
            "clientToken": item.client_token,
            "kmsKeyId": item.kms_key,
            "status": "misconfigured" if trouble else state,
            "statusMessage": trouble[1] if trouble else None,
            "roleArn": item.role_arn,
            "ownerId": self._world.account,
            "tags": listed(item.tags),
            "name": item.tags.get("Name"),
        }
