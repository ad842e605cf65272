# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server serves, read with its two aggregated-discovery requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError, UnknownKind

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@dataclass(frozen=True)
class Resource:
    """One resource of one API version, such as apps/v1 deployments; group is "" for the core group."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = field(default_factory=frozenset)

    @property
    def api_version(self) -> str:
        """Return "v1" or "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Return the URL path of the collection (of a namespace, or of all), or of one object in it."""
        parts = [f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{quote(namespace, safe='')}")
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        return "/".join(parts)


class Discovery:
    """All resources, read at first use and again after refresh(). Safe to use from threads."""

    def __init__(self, get: Callable[..., Any]) -> None:
        """Take the client's get(path, accept=…)."""
        self._get = get
        self._lock = threading.Lock()
        self._resources: list[Resource] | None = None
        self._kinds: dict[tuple[str, str], Resource] = {}
        self.stale: set[str] = set()

    def refresh(self) -> None:
        """Forget what is known; the next question reads again (after CRDs have changed)."""
        with self._lock:
            self._resources = None

    def resource(self, api_version: str, kind: str) -> Resource:
        """Return the resource of an object's apiVersion and kind. Raises UnknownKind."""
        self.resources()
        found = self._kinds.get((api_version, kind))
        if found is None:
            raise UnknownKind(api_version, kind)
        return found

    def has(self, api_version: str, kind: str) -> bool:
        """Tell whether the server serves this apiVersion and kind."""
        self.resources()
        return (api_version, kind) in self._kinds

    def by_plural(self, group: str, plural: str) -> Resource | None:
        """Return a resource in its preferred version by group and plural name, None when it is not served."""
        return next((r for r in self.resources() if r.group == group and r.plural == plural), None)

    def preferred(self) -> list[Resource]:
        """Return each resource once, in the version that the server prefers."""
        seen: dict[tuple[str, str], Resource] = {}
        for resource in self.resources():
            seen.setdefault((resource.group, resource.plural), resource)
        return list(seen.values())

    def resources(self) -> list[Resource]:
        """Return all resources in all versions, preferred versions first within a group."""
        with self._lock:
            if self._resources is None:
                found: list[Resource] = []
                stale: set[str] = set()
                for path in ("/api", "/apis"):
                    found.extend(_resources(self._read(path), stale))
                self._kinds = {(r.api_version, r.kind): r for r in reversed(found)}
                self.stale = stale
                self._resources = found
            return self._resources

    def _read(self, path: str) -> dict[str, Any]:
        try:
            body = self._get(path, accept=_AGGREGATED)
        except ApiError as error:
            if error.status != 406:
                raise
            body = {}
        if body.get("kind") != "APIGroupDiscoveryList":
            raise ClusterError(f"{path}: no aggregated discovery: an API server of Kubernetes 1.30 or later is needed")
        return dict(body)


def _resources(body: dict[str, Any], stale: set[str]) -> Iterator[Resource]:
    for item in body.get("items") or []:
        group = (item.get("metadata") or {}).get("name") or ""
        for version in item.get("versions") or []:
            if version.get("freshness") == "Stale":  # an aggregated API whose server does not answer
                stale.add(f"{group}/{version.get('version')}")
            for entry in version.get("resources") or []:
                kind = (entry.get("responseKind") or {}).get("kind")
                if kind:
                    yield Resource(
                        group=group,
                        version=version["version"],
                        kind=kind,
                        plural=entry["resource"],
                        namespaced=entry.get("scope") == "Namespaced",
                        verbs=frozenset(entry.get("verbs") or ()),
                    )
