# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kinds of EKS that moto lacks have in common: their cluster, their ARNs, their tags."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import unquote

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.response import Response
from llmfleet_lab.aws.restjson import Handler, serve
from llmfleet_lab.aws.trail import Trail
from llmfleet_lab.aws.world import World

TAG_LIMIT = 50


def invalid(message: str) -> AwsFault:
    """EKS's error of a bad request."""
    return AwsFault("InvalidParameterException", message, 400)


def check_tags(tags: Mapping[str, str]) -> None:
    """Check tags as EKS does. Raises AwsFault."""
    if len(tags) > TAG_LIMIT:
        raise invalid(f"tags: {len(tags)} tags, expected at most {TAG_LIMIT}")
    for key in tags:
        if key.lower().startswith("aws:"):
            raise invalid(f"tags: the key {key!r} begins with the reserved prefix aws:")


class Tagged(Protocol):
    """A resource that has tags."""

    arn: str
    tags: dict[str, str]


class EksResources[Key: Hashable, Item: Tagged]:
    """The resources of one kind, by key, and the operations on their tags.

    kind: as ARNs spell it. handlers: of the kind's own operations. lock: held while a request is served. clock: that of
    lists that lag.
    """

    def __init__(
        self,
        world: World,
        kind: str,
        handlers: Mapping[str, Handler],
        lock: threading.RLock,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._world = world
        self._kind = kind
        self._lock = lock
        self._items: dict[Key, Item] = {}
        self._trail = Trail[Item](clock)
        self._tagging: Mapping[str, Handler] = {
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }
        self._handlers = {**handlers, **self._tagging}

    def answers(self, call: Call) -> bool:
        """Whether the operation of EKS is one of ours: on this kind, or on the tags of one."""
        if call.operation in self._tagging:
            return f":{self._kind}/" in unquote(call.uri.get("resourceArn", ""))
        return call.operation in self._handlers

    def serve(self, request: Request, call: Call) -> Response:
        """Answer one request. Raises AwsFault."""
        with self._lock:
            try:
                return serve(request, call, self._handlers, invalid)
            finally:
                self._trail.note(self._items.values())

    def _listed(self) -> Iterable[Item]:
        """What a list shows now."""
        return self._trail.ago(self._world.lag) if self._world.lag > 0 else self._items.values()

    def _arn(self, rest: str) -> str:
        return f"arn:aws:eks:{self._world.region}:{self._world.account}:{self._kind}/{rest}"

    def _cluster(self, request: Mapping[str, Any]) -> str:
        name = str(request["clusterName"])
        if not self._world.cluster_exists(name):
            raise AwsFault("ResourceNotFoundException", f"No cluster found for name: {name}.", 404)
        return name

    def _by_arn(self, arn: str) -> Item:
        for item in self._items.values():
            if item.arn == arn:
                return item
        raise AwsFault("NotFoundException", f"Resource {arn} does not exist.", 404)

    def _tag(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._by_arn(request["resourceArn"])
        wanted = {**item.tags, **request["tags"]}
        check_tags(wanted)
        item.tags = wanted
        return {}

    def _untag(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._by_arn(request["resourceArn"])
        item.tags = {key: value for key, value in item.tags.items() if key not in request["tagKeys"]}
        return {}

    def _list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"tags": self._by_arn(request["resourceArn"]).tags}
