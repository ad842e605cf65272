# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of S3 Files by name, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.response import Response
from llmfleet_lab.aws.restjson import Handler, serve
from llmfleet_lab.aws.s3_buckets import Buckets
from llmfleet_lab.aws.s3files.access_points import AccessPoints
from llmfleet_lab.aws.s3files.file_systems import FileSystems
from llmfleet_lab.aws.s3files.mount_targets import MountTargets
from llmfleet_lab.aws.s3files.resources import Store, invalid
from llmfleet_lab.aws.s3files.synchronization import Synchronization
from llmfleet_lab.aws.s3files.tagging import Tagging
from llmfleet_lab.aws.world import World


class S3Files:
    """The emulated service."""

    def __init__(self, store: Store, world: World, buckets: Buckets) -> None:
        self.store = store
        self._world = world
        file_systems = FileSystems(store, world, buckets)
        mount_targets = MountTargets(store, world)
        access_points = AccessPoints(store, world)
        synchronization = Synchronization(store)
        tagging = Tagging(store)
        self.operations: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "CreateFileSystem": file_systems.create,
            "GetFileSystem": file_systems.get,
            "ListFileSystems": file_systems.listing,
            "DeleteFileSystem": file_systems.delete,
            "GetFileSystemPolicy": file_systems.get_policy,
            "PutFileSystemPolicy": file_systems.put_policy,
            "DeleteFileSystemPolicy": file_systems.delete_policy,
            "GetSynchronizationConfiguration": synchronization.get,
            "PutSynchronizationConfiguration": synchronization.put,
            "CreateMountTarget": mount_targets.create,
            "GetMountTarget": mount_targets.get,
            "ListMountTargets": mount_targets.listing,
            "UpdateMountTarget": mount_targets.update,
            "DeleteMountTarget": mount_targets.delete,
            "CreateAccessPoint": access_points.create,
            "GetAccessPoint": access_points.get,
            "ListAccessPoints": access_points.listing,
            "DeleteAccessPoint": access_points.delete,
            "TagResource": tagging.tag,
            "UntagResource": tagging.untag,
            "ListTagsForResource": tagging.listing,
        }
        self._handlers = {name: self._locked(operation) for name, operation in self.operations.items()}

    def serve(self, request: Request, call: Call) -> Response:
        """Answer one request. Raises AwsFault."""
        if call.operation not in self._handlers:
            raise AwsFault("UnknownOperationException", f"{request.method} {request.path}: no such operation", 404)
        return serve(request, call, self._handlers, invalid)

    def purge(self) -> None:
        """Drop what is deleted by now, with the network interfaces of its mount targets."""
        with self.store.lock:
            for target in self.store.purge():
                self._world.remove_interface(target.interface)

    def _locked(self, operation: Callable[[dict[str, Any]], dict[str, Any]]) -> Handler:
        def handler(parameters: dict[str, Any]) -> dict[str, Any]:
            with self.store.lock:
                self.purge()
                try:
                    return operation(parameters)
                finally:
                    self.store.note()

        return handler
