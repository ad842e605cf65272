# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw JSON requests to the API server, from threads, retried where that is safe."""

from __future__ import annotations

import json
import random
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import sdk
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.connection import Connection, connect
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Discovery, Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError, Unreachable
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.streams import AT_SERVER, MOST, Streams
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.transport import (
    Transport,
    cause,
    decoded,
    decoded_error,
    retry_after,
)

FIELD_MANAGER = "llmfleet"
APPLY = "application/apply-patch+yaml"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
# For answers that nobody reads: cheaper to make, to send and to decode. An aggregated API may not know it.
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

T = TypeVar("T")
# Requests under way at once; where there are many to send, Client.streams tells more of them for a server far away.
THREADS = AT_SERVER
_READS = frozenset({"GET", "HEAD"})
_PAGE = 500


class Client:
    """A cluster's API server. Safe to use from threads; made and used inside one task, never at import time.

    Attributes: host (URL), connection, discovery, patience (seconds for which a request is retried),
    requests (how many were sent), writes (how many of these had a mutating verb and no dry run), on_request (told of
    every attempt, by the thread that made it: method, path with query, status or why there was none, seconds).
    """

    def __init__(self, connection: Connection, *, patience: float = 90.0, first_patience: float = 15.0) -> None:
        """Open nothing yet. first_patience: seconds for the first answer ever, so that a wrong address fails soon."""
        self.connection = connection
        self.host = connection.host
        self.patience = patience
        self.requests = 0
        self.writes = 0
        self.on_request: Callable[[str, str, str, float], None] | None = None
        self.discovery = Discovery(self.get)
        self._first_patience = min(first_patience, patience)
        self._answered = False
        self._count = threading.Lock()
        self._decoding = threading.Lock()
        self._streams = Streams()
        self._transport = Transport(connection, MOST)

    @property
    def streams(self) -> int:
        """How many requests to have under way at once, by how far away the server has shown to be."""
        return self._streams.number

    def get(self, path: str, *, query: Mapping[str, Any] | None = None, accept: str = "application/json") -> Any:
        """Return the decoded body of a GET. Raises ApiError, Unreachable."""
        return self.request("GET", path, query=query, accept=accept)

    def find(self, path: str) -> dict[str, Any] | None:
        """Return the object at a path, None when there is none."""
        try:
            found = self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return dict(found)

    def text(self, path: str, *, query: Mapping[str, Any] | None = None, patience: float | None = None) -> str:
        """Return the body of a GET as text (logs). patience: seconds, for less than the client's own."""
        return str(self.request("GET", path, query=query, accept="*/*", decode=False, patience=patience))

    def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        metadata_only: bool = False,
    ) -> list[dict[str, Any]]:
        """Return all objects of a resource, read page by page, each with its apiVersion and kind.

        metadata_only returns {apiVersion, kind, metadata}, whatever the object holds. Raises ApiError, Unreachable.
        """
        found = self.each(
            resource,
            namespace,
            lambda obj: obj,
            label_selector=label_selector,
            field_selector=field_selector,
            metadata_only=metadata_only,
        )
        return [*found]

    def each(
        self,
        resource: Resource,
        namespace: str | None,
        keep: Callable[[dict[str, Any]], T | None],
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        metadata_only: bool = False,
    ) -> Sequence[T]:
        """Return what `keep` makes of each object that list() would return, without its Nones.

        Only one page at a time is in memory as objects, whatever the number of threads that list.
        """
        query: dict[str, Any] = {"limit": _PAGE}
        if label_selector:
            query["labelSelector"] = label_selector
        if field_selector:
            query["fieldSelector"] = field_selector
        accept = METADATA_LIST if metadata_only else "application/json"
        try:
            return self._pages(resource, namespace, dict(query), accept, keep)
        except ApiError as error:
            if error.status != 410:
                raise
        # The continue token was too old: begin again, once.
        return self._pages(resource, namespace, query, accept, keep)

    def _pages(
        self,
        resource: Resource,
        namespace: str | None,
        query: dict[str, Any],
        accept: str,
        keep: Callable[[dict[str, Any]], T | None],
    ) -> Sequence[T]:
        path, marks = resource.path(namespace), {"apiVersion": resource.api_version, "kind": resource.kind}
        found: list[T] = []
        while True:
            text = self.request("GET", path, query=query, accept=accept, decode=False)
            with self._decoding:
                page = decoded(text)
                del text
                found.extend(kept for item in page.get("items") or [] if (kept := keep({**item, **marks})) is not None)
                following = (page.get("metadata") or {}).get("continue")
                del page
            if not following:
                return found
            query["continue"] = following

    def apply(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        dry_run: bool = False,
        force: bool = False,
        manager: str = FIELD_MANAGER,
        metadata_only: bool = False,
    ) -> dict[str, Any]:
        """Send one server-side apply with strict field validation; return the object as it is (would be) stored.

        metadata_only: only its metadata is wanted; all of it may come.
        """
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        accept = METADATA if metadata_only else "application/json"
        return dict(self.request("PATCH", path, query=query, body=body, content_type=APPLY, accept=accept))

    def delete(self, path: str, *, uid: str | None = None, propagation: str = "Background") -> bool:
        """Delete an object; return False when there was none, or (with uid) when another one has taken its place."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self.request("DELETE", path, body=options)
        except ApiError as error:
            if error.status == 404 or (error.status == 409 and uid and "uid" in error.message.lower()):
                return False
            raise
        return True

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        decode: bool = True,
        timeout: float = 60.0,
        patience: float | None = None,
    ) -> Any:
        """Send one request; return its decoded JSON body, or text when decode is false.

        Retried for `patience` seconds (the client's own without it) with growing, jittered pauses: 429 (after its
        Retry-After), 5xx, refused, reset and timed-out connections. All that we send can be repeated safely: reads,
        applies, deletes by uid. A 401 renews the credentials once. timeout: seconds without a byte of the answer.
        Raises ApiError for any other error status, Unreachable at the end of patience.
        """
        target = path + ("?" + urlencode(query, doseq=True) if query else "")
        payload = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        writing = method not in _READS and "dryRun" not in (query or {})
        began = time.monotonic()
        pause, renewed = 0.2, False
        while True:
            authorization = self.connection.credentials.header()
            headers = {"Accept": accept, "User-Agent": FIELD_MANAGER}
            if payload is not None:
                headers["Content-Type"] = content_type
            if authorization:
                headers["Authorization"] = authorization
            with self._count:
                self.requests += 1
                self.writes += writing
            failure: ClusterError
            sent, outcome = time.monotonic(), "no answer"
            try:
                answer = self._transport.send(method, target, payload, headers, timeout)
                self._answered, outcome = True, str(answer.status)
                self._streams.answered(time.monotonic() - sent, answer.status)
                if answer.status < 300:
                    return decoded(answer.data) if decode else answer.data.decode("utf-8", "replace")
                error = ApiError(
                    answer.status, decoded_error(answer.data), retry_after(answer.headers.get("Retry-After"))
                )
                if error.status == 401 and not renewed:
                    renewed = True
                    if self.connection.credentials.renew(authorization):
                        continue
                if not error.passing:
                    raise error
                failure = error
            except sdk.urllib3.exceptions.SSLError as trouble:
                if isinstance(trouble.args[0] if trouble.args else None, ssl.SSLCertVerificationError):
                    raise Unreachable(f"{self.host}: its certificate is not trusted: {trouble.args[0]}") from None
                failure = Unreachable(f"{self.host}: {cause(trouble)}")
            except sdk.urllib3.exceptions.HTTPError as trouble:
                failure = Unreachable(f"{self.host}: {cause(trouble)}")
            finally:
                if self.on_request is not None:
                    self.on_request(method, target, outcome, time.monotonic() - sent)
            most = self.patience if self._answered else self._first_patience
            if patience is not None:
                most = min(most, patience)
            wait = max(pause * random.uniform(0.5, 1.0), getattr(failure, "retry_after", None) or 0.0)
            if time.monotonic() - began + wait > most:
                if isinstance(failure, ApiError):
                    raise failure
                raise Unreachable(f"no answer from the API server in {most:.0f} s: {failure}")
            time.sleep(wait)
            pause = min(pause * 2, 5.0)


def open_client(
    cluster: Mapping[str, Any], aws: Mapping[str, Any] | None = None, *, connecting: Callable[..., Connection] = connect
) -> Client:
    """Return the client for the inventory's llmfleet_cluster and llmfleet_aws (both plain). Raises ClusterError."""
    return Client(connecting(cluster, aws))
