# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of file systems and access points."""

from __future__ import annotations

from typing import Any

from llmfleet_lab.aws.pagination import page
from llmfleet_lab.aws.s3files.resources import AccessPoint, FileSystem, Store, invalid

LIMIT = 50


def checked(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """Tags of a request as a mapping; refuses keys given twice and AWS's own prefix."""
    found: dict[str, str] = {}
    for tag in tags or []:
        if tag["key"].lower().startswith("aws:"):
            raise invalid(f"tags: the key {tag['key']!r} begins with the reserved prefix aws:")
        if tag["key"] in found:
            raise invalid(f"tags: the key {tag['key']!r} is given twice")
        found[tag["key"]] = tag["value"]
    return found


def listed(tags: dict[str, str]) -> list[dict[str, str]] | None:
    """Tags as the service answers them; None, which leaves the member out, when there are none."""
    return [{"key": key, "value": value} for key, value in sorted(tags.items())] or None


class Tagging:
    """TagResource, UntagResource and ListTagsForResource."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def _resource(self, identifier: str) -> FileSystem | AccessPoint:
        if identifier.rpartition("/")[2].startswith("fsap-"):
            return self._store.access_point(identifier)
        return self._store.file_system(identifier)

    def tag(self, request: dict[str, Any]) -> dict[str, Any]:
        """Add or change tags."""
        resource = self._resource(request["resourceId"])
        wanted = {**resource.tags, **checked(request["tags"])}
        if len(wanted) > LIMIT:
            raise invalid(f"tags: {len(wanted)} tags on one resource, expected at most {LIMIT}")
        resource.tags = wanted
        return {}

    def untag(self, request: dict[str, Any]) -> dict[str, Any]:
        """Remove tags."""
        resource = self._resource(request["resourceId"])
        resource.tags = {key: value for key, value in resource.tags.items() if key not in request["tagKeys"]}
        return {}

    def listing(self, request: dict[str, Any]) -> dict[str, Any]:
        """One page of the tags."""
        tags = listed(self._resource(request["resourceId"]).tags) or []
        items, token = page(tags, request.get("maxResults", LIMIT), request.get("nextToken"), invalid)
        return {"tags": items, "nextToken": token}
