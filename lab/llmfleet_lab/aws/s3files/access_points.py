# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access points: entries to a file system with a user and a root folder of their own."""

from __future__ import annotations

from typing import Any

from llmfleet_lab.aws.pagination import page
from llmfleet_lab.aws.s3files.resources import AccessPoint, Store, conflict, invalid, new_id
from llmfleet_lab.aws.s3files.tagging import checked, listed
from llmfleet_lab.aws.world import World


class AccessPoints:
    """Create, get, list and delete access points."""

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateAccessPoint. A repeated clientToken answers the access point that it made."""
        asked = {key: value for key, value in request.items() if key != "clientToken"}
        for existing in self._store.access_points.values():
            if existing.client_token == request.get("clientToken") and existing.life.state() != "deleting":
                if existing.request != asked:
                    message = "The client token was used before with other parameters."
                    raise conflict("IdempotentParameterMismatch", message, existing.identifier, "ACCESS_POINT")
                return self._described(existing)
        file_system = self._store.ready_file_system(request["fileSystemId"])
        identifier = new_id("fsap")
        root = request.get("rootDirectory") or {}
        access_point = AccessPoint(
            identifier=identifier,
            arn=f"{file_system.arn}/access-point/{identifier}",
            file_system=file_system.identifier,
            client_token=request.get("clientToken") or new_id("token"),
            request=asked,
            posix_user=request.get("posixUser"),
            root={**root, "path": root.get("path", "/")},
            life=self._store.life(),
            tags=checked(request.get("tags")),
        )
        self._store.access_points[identifier] = access_point
        return self._described(access_point)

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetAccessPoint."""
        return self._described(self._store.access_point(request["accessPointId"]))

    def listing(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListAccessPoints of a file system; like the service's, without tags."""
        wanted = self._store.file_system(request["fileSystemId"]).identifier
        found = [item for item in self._store.listed_access_points(self._world.lag) if item.file_system == wanted]
        items, token = page(found, request.get("maxResults", 1000), request.get("nextToken"), invalid)
        left_out = ("clientToken", "tags")
        return {
            "accessPoints": [
                {key: value for key, value in self._described(item).items() if key not in left_out} for item in items
            ],
            "nextToken": token,
        }

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteAccessPoint."""
        access_point = self._store.access_point(request["accessPointId"])
        if access_point.life.state() != "deleting":
            access_point.life.enter("deleting")
        return {}

    def _described(self, item: AccessPoint) -> dict[str, Any]:
        return {
            "accessPointArn": item.arn,
            "accessPointId": item.identifier,
            "clientToken": item.client_token,
            "fileSystemId": item.file_system,
            "status": item.life.state(),
            "ownerId": self._world.account,
            "posixUser": item.posix_user,
            "rootDirectory": item.root,
            "tags": listed(item.tags),
            "name": item.tags.get("Name"),
        }
