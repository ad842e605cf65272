# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requests that the hub look-alike answers: its API and files (HubHandler), and its CDN (CdnHandler)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from llmfleet_lab.hub_state import HubState, Refusal
from llmfleet_lab.hub_store import Blob, Options, Repository

_API = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)(?:/(?P<verb>revision|tree|refs|paths-info)(?P<rest>/.*)?)?")
_RESOLVE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
_CDN = re.compile(r"/repos/(?P<repo>[^/]+/[^/]+)/(?P<commit>[0-9a-f]{40})/(?P<path>.+)")
_CHUNK = 64 * 1024


class HubServer(ThreadingHTTPServer):
    """One listener. ``cdn`` is the other listener's ``host:port`` when LFS files are redirected to it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], state: HubState, handler: type[BaseHTTPRequestHandler]) -> None:
        self.state = state
        super().__init__(address, handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of ours; anything else is worth its traceback."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class HubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HubServer
    _facts: dict[str, Any]
    _budget: dict[str, str]
    _begin: float
    _recorded: bool

    def log_message(self, format: str, *args: Any) -> None:
        """The request log is the state's; nothing on standard error."""

    def do_GET(self) -> None:
        self._run()

    def do_HEAD(self) -> None:
        self._run()

    def do_POST(self) -> None:
        self._run()

    def _run(self) -> None:
        self._begin, self._recorded, self._budget = time.monotonic(), False, {}
        url = urlsplit(self.path)
        self._facts = {
            "time": round(time.time(), 3),
            "client": self.client_address[0],
            "method": self.command,
            "path": unquote(url.path),
            "range": self.headers.get("Range"),
            "authorization": "present" if self.headers.get("Authorization") else "none",
            "user_agent": self.headers.get("User-Agent"),
            "status": None,
            "bytes": 0,
        }
        try:
            try:
                self._answer(url.path, url.query)
            except Refusal as refusal:
                self._refuse(refusal)
        except OSError:
            self._facts["aborted"] = True
            self.close_connection = True
        finally:
            self._record()

    def _record(self) -> None:
        """Log the request, once: just before its last byte goes out, so that who has the answer finds it logged."""
        if not self._recorded:
            self._recorded = True
            self._facts["seconds"] = round(time.monotonic() - self._begin, 3)
            self.server.state.record(self._facts)

    def _answer(self, path: str, query: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/healthz":
            self._json({"status": "ok"})
        elif match := _API.fullmatch(path):
            self._api(match, query, body)
        elif match := _RESOLVE.fullmatch(path):
            self._resolve(match)
        else:
            raise Refusal(404, "Sorry, we can't find the page you are looking for.")

    # -- access ---------------------------------------------------------------------------------------------------

    def _token(self) -> str | None:
        kind, _, value = (self.headers.get("Authorization") or "").partition(" ")
        return value.strip() if kind.lower() == "bearer" and value.strip() else None

    def _repository(self, name: str, files: bool) -> tuple[Repository, Options]:
        """The repository, when this client may see it (its files, with ``files``); Refusal as the hub words it."""
        token = self._token()
        granted = self.server.state.store.granted(token) if token else frozenset()
        if granted is None:
            raise Refusal(401, "Invalid credentials in Authorization header")
        if token:
            self._facts["authorization"] = "known"
        name = unquote(name)
        repository = self.server.state.store.repository(name)
        options = repository.options() if repository else Options()
        if repository is None or (options.private and name not in granted):
            if token:
                raise Refusal(404, "Repository not found", "RepoNotFound")
            raise Refusal(401, "Invalid username or password.", "RepoNotFound")
        self.server.state.limit(self.client_address[0], repository, options)
        if files:
            self._budget = self.server.state.spend(self.client_address[0], repository, options)
        if files and options.gated and name not in granted:
            if token:
                text = f"Access to model {name} is restricted and you are not in the authorized list."
                raise Refusal(403, text, "GatedRepo")
            text = f"Access to model {name} is restricted. You must have access to it and be authenticated."
            raise Refusal(401, text, "GatedRepo")
        return repository, options

    def _commit(self, repository: Repository, revision: str) -> str:
        commit = repository.commit(unquote(revision))
        if commit is None:
            raise Refusal(404, f"Invalid rev id: {unquote(revision)}", "RevisionNotFound")
        return commit

    # -- the API --------------------------------------------------------------------------------------------------

    def _api(self, match: re.Match[str], query: str, body: bytes) -> None:
        repository, options = self._repository(match["repo"], files=False)
        verb, rest = match["verb"], (match["rest"] or "").lstrip("/")
        if verb == "refs":
            branches = [
                {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
                for name, commit in repository.refs().items()
            ]
            self._json({"branches": branches, "tags": [], "converts": []})
        elif verb in ("tree", "paths-info"):
            revision, _, below = rest.partition("/")
            blobs = repository.blobs(self._commit(repository, revision))
            if verb == "paths-info":
                wanted = parse_qs(body.decode()).get("paths", []) if b"{" not in body else json.loads(body)["paths"]
                blobs = [blob for blob in blobs if blob.path in wanted]
            elif below:
                blobs = [blob for blob in blobs if blob.path.startswith(unquote(below).rstrip("/") + "/")]
            self._json([_tree_entry(blob) for blob in blobs])
        else:
            commit = self._commit(repository, rest or "main")
            with_blobs = parse_qs(query).get("blobs", ["false"])[0].lower() in ("true", "1")
            self._json(_model_info(repository, options, commit, with_blobs))

    # -- files ----------------------------------------------------------------------------------------------------

    def _resolve(self, match: re.Match[str]) -> None:
        repository, options = self._repository(match["repo"], files=True)
        commit = self._commit(repository, match["revision"])
        blob = repository.blob(commit, unquote(match["path"]))
        if blob is None:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if blob.sha256:
            headers |= {"X-Linked-Size": str(blob.size), "X-Linked-Etag": f'"{blob.etag}"'}
        state = self.server.state
        if blob.sha256 and state.cdn:
            path = f"/repos/{repository.name}/{commit}/{quote(blob.path)}"
            expires = time.time() + options.link_seconds
            link = f"http://{state.cdn}{path}?Expires={expires:.3f}&Signature={state.sign(path, expires)}"
            self._send(302, headers | {"Location": link}, b"")
        else:
            self._file(repository, options, blob, headers | {"ETag": f'"{blob.etag}"'})

    def _file(self, repository: Repository, options: Options, blob: Blob, headers: dict[str, str]) -> None:
        """Answer with the file or a range of it, with the failures that the options ask for."""
        state = self.server.state
        start, stop = _range(self.headers.get("Range"), blob.size)
        faults = options.faults
        cut = None
        if faults and self.command == "GET" and state.taken(repository.name, "faults") < faults.times:
            if faults.status:
                raise Refusal(faults.status, "Internal Error - We're working hard to fix this as soon as possible!")
            cut = faults.reset_after
        altered = blob.size // 2
        alter = blob.path in options.corrupt and start <= altered < stop and self.command == "GET"
        if alter and (times := options.corrupt[blob.path]) is not None:
            alter = state.taken(repository.name, f"corrupt {blob.path}") < times
        headers["Content-Type"] = "application/octet-stream"
        if (start, stop) != (0, blob.size):
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
        self._head(206 if "Content-Range" in headers else 200, headers, stop - start)
        if self.command == "HEAD":
            return
        with blob.file.open("rb") as stream:
            stream.seek(start)
            at = start
            while at < stop:
                chunk = bytearray(stream.read(min(_CHUNK, stop - at)))
                if alter and at <= altered < at + len(chunk):
                    chunk[altered - at] ^= 0xFF
                if cut is not None and at + len(chunk) - start > cut:
                    self.wfile.flush()
                    raise ConnectionResetError("cut on purpose")
                at += len(chunk)
                if at == stop:
                    self._facts["bytes"] = stop - start
                    self._record()
                self.wfile.write(chunk)
                self._facts["bytes"] = at - start
                if options.bytes_per_second:
                    time.sleep(len(chunk) / options.bytes_per_second)

    # -- answers --------------------------------------------------------------------------------------------------

    def _refuse(self, refusal: Refusal) -> None:
        headers = {"X-Error-Message": refusal.message, "Content-Type": "application/json", **refusal.headers}
        if refusal.code:
            headers["X-Error-Code"] = refusal.code
        self._send(refusal.status, headers, json.dumps({"error": refusal.message}).encode())

    def _json(self, data: object) -> None:
        self._send(200, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(data).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        if self.command == "HEAD":
            self._head(status, headers, len(body))
            return
        self._facts |= {"status": status, "bytes": len(body)}
        self._record()
        self._head(status, headers, len(body))
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str], length: int) -> None:
        self._facts["status"] = status
        self.send_response(status)
        for name, value in (self._budget | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        if self.command == "HEAD" or not length:
            self._record()
        self.end_headers()


class CdnHandler(HubHandler):
    """The other host: answers signed links only, and knows no tokens."""

    def _answer(self, path: str, query: str) -> None:
        match, given = _CDN.fullmatch(path), parse_qs(query)
        if match is None:
            raise Refusal(404, "NoSuchKey")
        if self._facts["authorization"] != "none":
            raise Refusal(400, "Only one auth mechanism allowed")
        expires, state = float(given.get("Expires", ["0"])[0]), self.server.state
        if not hmac.compare_digest(state.sign(path, expires), given.get("Signature", [""])[0]):
            raise Refusal(403, "SignatureDoesNotMatch")
        if time.time() > expires:
            raise Refusal(403, "Request has expired")
        repository = state.store.repository(match["repo"])
        blob = repository.blob(match["commit"], unquote(match["path"])) if repository else None
        if repository is None or blob is None:
            raise Refusal(404, "NoSuchKey")
        self._file(repository, repository.options(), blob, {"ETag": f'"{blob.etag}"', "Accept-Ranges": "bytes"})


def _range(header: str | None, size: int) -> tuple[int, int]:
    """First byte and the byte after the last one that a Range header asks for; Refusal 416 when it cannot be met."""
    if header is None:
        return 0, size
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if match and match[1]:
        start, stop = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    elif match and match[2]:
        start, stop = max(size - int(match[2]), 0), size
    else:
        start, stop = 0, 0
    if start >= stop:
        raise Refusal(416, "Requested range not satisfiable", Content_Range=f"bytes */{size}")
    return start, stop


def _model_info(repository: Repository, options: Options, commit: str, with_blobs: bool) -> dict[str, Any]:
    siblings: list[dict[str, Any]] = []
    for blob in repository.blobs(commit):
        sibling: dict[str, Any] = {"rfilename": blob.path}
        if with_blobs:
            sibling |= {"size": blob.size, "blobId": blob.oid}
            if blob.sha256:
                sibling["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": blob.pointer_size}
        siblings.append(sibling)
    return {
        "_id": hashlib.sha256(repository.name.encode()).hexdigest()[:24],
        "id": repository.name,
        "modelId": repository.name,
        "author": repository.name.split("/")[0],
        "sha": commit,
        "lastModified": options.last_modified,
        "createdAt": options.last_modified,
        "private": options.private,
        "gated": "manual" if options.gated else False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [f"license:{options.license}"] if options.license else [],
        "cardData": {"license": options.license} if options.license else {},
        "siblings": siblings,
    }


def _tree_entry(blob: Blob) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "oid": blob.oid, "size": blob.size, "path": blob.path}
    if blob.sha256:
        entry["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": blob.pointer_size}
    return entry
