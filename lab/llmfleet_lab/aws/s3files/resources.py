# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What S3 Files keeps, and the states that resources pass through with time."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.trail import Trail


def not_found(code: str, message: str) -> AwsFault:
    """ResourceNotFoundException."""
    return AwsFault("ResourceNotFoundException", message, 404, {"errorCode": code})


def invalid(message: str, code: str = "ValidationError") -> AwsFault:
    """ValidationException."""
    return AwsFault("ValidationException", message, 400, {"errorCode": code})


def conflict(code: str, message: str, resource_id: str, resource_type: str) -> AwsFault:
    """ConflictException."""
    members = {"errorCode": code, "resourceId": resource_id, "resourceType": resource_type}
    return AwsFault("ConflictException", message, 409, members)


def new_id(prefix: str) -> str:
    """An id of the service's form: the prefix, and 17 hexadecimal digits."""
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


class Lifecycle:
    """creating -> available (-> updating -> available) -> deleting -> gone, each after a delay in seconds."""

    def __init__(self, clock: Callable[[], float], delays: Mapping[str, float]) -> None:
        self._clock = clock
        self._delays = delays
        self._since = clock()
        self._state = "creating"

    def state(self) -> str:
        """creating, available, updating, deleting or deleted."""
        passed = self._clock() - self._since
        if self._state in ("creating", "updating") and passed >= self._delays["creating"]:
            return "available"
        if self._state == "deleting" and passed >= self._delays["deleting"]:
            return "deleted"
        return self._state

    def enter(self, state: str) -> None:
        """Start updating or deleting now."""
        self._state = state
        self._since = self._clock()


@dataclass
class FileSystem:
    """A file system. request: the members that were asked for, to recognise a repeated request."""

    identifier: str
    arn: str
    bucket: str
    role_arn: str
    prefix: str
    client_token: str
    request: Mapping[str, Any]
    life: Lifecycle
    kms_key: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    policy: str | None = None
    synchronization: dict[str, Any] = field(default_factory=dict)
    pending_export: bool = False


@dataclass
class MountTarget:
    """A mount target: one in an Availability Zone for each file system."""

    identifier: str
    file_system: str
    subnet: str
    vpc: str
    zone_id: str
    interface: str
    address: str
    groups: list[str]
    life: Lifecycle


@dataclass
class AccessPoint:
    """An access point. request: as in FileSystem."""

    identifier: str
    arn: str
    file_system: str
    client_token: str
    request: Mapping[str, Any]
    posix_user: dict[str, Any] | None
    root: dict[str, Any]
    life: Lifecycle
    tags: dict[str, str] = field(default_factory=dict)


class Store:
    """All resources of one account and region. Hold `lock` while using it."""

    def __init__(self, delays: dict[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = threading.RLock()
        self.delays = delays
        self.clock = clock
        self.file_systems: dict[str, FileSystem] = {}
        self.mount_targets: dict[str, MountTarget] = {}
        self.access_points: dict[str, AccessPoint] = {}
        self._trails = (Trail[FileSystem](clock), Trail[MountTarget](clock), Trail[AccessPoint](clock))

    def note(self) -> None:
        """Keep what there is after an operation, for lists that lag."""
        systems, targets, points = self._trails
        systems.note(self.file_systems.values())
        targets.note(self.mount_targets.values())
        points.note(self.access_points.values())

    def listed_file_systems(self, lag: float) -> list[FileSystem]:
        """The file systems as a list shows them that lags so many seconds behind."""
        return self._trails[0].ago(lag) if lag > 0 else list(self.file_systems.values())

    def listed_mount_targets(self, lag: float) -> list[MountTarget]:
        """As listed_file_systems."""
        return self._trails[1].ago(lag) if lag > 0 else list(self.mount_targets.values())

    def listed_access_points(self, lag: float) -> list[AccessPoint]:
        """As listed_file_systems."""
        return self._trails[2].ago(lag) if lag > 0 else list(self.access_points.values())

    def life(self) -> Lifecycle:
        """The life of a resource that begins now."""
        return Lifecycle(self.clock, self.delays)

    def purge(self) -> list[MountTarget]:
        """Drop what is deleted; the mount targets among it, whose network interfaces go with them."""
        gone = [item for item in self.mount_targets.values() if item.life.state() == "deleted"]
        self.mount_targets = _alive(self.mount_targets)
        self.access_points = _alive(self.access_points)
        self.file_systems = _alive(self.file_systems)
        return gone

    def file_system(self, identifier: str) -> FileSystem:
        """The file system of an id or ARN. Raises ResourceNotFoundException."""
        found = self.file_systems.get(identifier.rpartition("/")[2])
        if found is None:
            raise not_found("FileSystemNotFound", f"File system '{identifier}' does not exist.")
        return found

    def ready_file_system(self, identifier: str) -> FileSystem:
        """As file_system(), refusing one that is not available."""
        found = self.file_system(identifier)
        state = found.life.state()
        if state != "available":
            message = f"File system '{found.identifier}' is in the life cycle state '{state}'."
            raise conflict("IncorrectFileSystemLifeCycleState", message, found.identifier, "FILE_SYSTEM")
        return found

    def mount_target(self, identifier: str) -> MountTarget:
        """The mount target of an id. Raises ResourceNotFoundException."""
        found = self.mount_targets.get(identifier)
        if found is None:
            raise not_found("MountTargetNotFound", f"Mount target '{identifier}' does not exist.")
        return found

    def access_point(self, identifier: str) -> AccessPoint:
        """The access point of an id or ARN. Raises ResourceNotFoundException."""
        found = self.access_points.get(identifier.rpartition("/")[2])
        if found is None:
            raise not_found("AccessPointNotFound", f"Access point '{identifier}' does not exist.")
        return found


def _alive[T: (FileSystem, MountTarget, AccessPoint)](items: dict[str, T]) -> dict[str, T]:
    return {key: item for key, item in items.items() if item.life.state() != "deleted"}
