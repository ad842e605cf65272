# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Hugging Face Hub as a source."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

from .failures import ConfigError, CorruptError, TemporaryError
from .files import CHUNK, Facts, RemoteFile
from .hub_requests import HubRequests
from .settings import COMMIT, Config
from .waiting import Patience, Stop


def _facts(data: dict[str, Any]) -> Facts:
    """Licence and gate as the model info tells them: the card's licence, else that of the tags."""
    card, tags, gated = data.get("cardData"), data.get("tags"), data.get("gated")
    said = card.get("license") if isinstance(card, dict) else None
    found = [str(each) for each in said] if isinstance(said, list) else [str(said)] if said else []
    if not found and isinstance(tags, list):
        found = [str(tag).removeprefix("license:") for tag in tags if str(tag).startswith("license:")]
    return Facts(", ".join(found) or None, gated if isinstance(gated, str | bool) else None)


class Hub:
    """The Hugging Face Hub, or a server that speaks its API."""

    def __init__(self, config: Config, token: str | None, stop: Stop, say: Callable[[str], None]) -> None:
        self._config, self._stop, self._say = config, stop, say
        self._requests = HubRequests(config, token, stop, say)
        self._commit = ""
        self.facts = Facts()

    def listing(self, revision: str) -> tuple[str, list[RemoteFile]]:
        """Model info with blobs, as huggingface_hub asks for it."""
        repository = self._config.repository
        quoted = urllib.parse.quote(revision, safe="")
        url = f"{self._config.hub_endpoint}/api/models/{repository}/revision/{quoted}?blobs=true"
        patience = Patience(self._stop, self._config.patience, self._say)
        while True:
            try:
                with self._requests.get(url, {}) as response, self._requests.errors(url):
                    text = response.read()
                data = json.loads(text)
                break
            except ValueError:
                patience.wait(TemporaryError(f"{self._config.hub_endpoint} answered something that is not JSON"))
            except TemporaryError as error:
                patience.wait(error)
        try:
            commit, siblings = str(data["sha"]), data["siblings"]
            files = [self._file(sibling) for sibling in siblings]
        except (KeyError, TypeError) as error:
            raise CorruptError(f"{self._config.hub_endpoint}: no {error} in the model info of {repository}") from None
        if not COMMIT.fullmatch(commit) or (COMMIT.fullmatch(revision) and commit != revision):
            raise CorruptError(f"{self._config.hub_endpoint}: commit {commit!r} for {repository} at {revision}")
        self._commit, self.facts = commit, _facts(data)
        return commit, files

    @staticmethod
    def _file(sibling: dict[str, Any]) -> RemoteFile:
        path, lfs = str(sibling["rfilename"]), sibling.get("lfs")
        if lfs:
            return RemoteFile(path, int(lfs["size"]), f"sha256:{lfs['sha256']}", path, sha256=lfs["sha256"])
        return RemoteFile(path, int(sibling["size"]), f"git:{sibling['blobId']}", path, git_oid=sibling["blobId"])

    def read(self, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        """One ranged request to resolve, or to the link that it redirected to before."""
        if start == stop:
            return
        whole = start == 0 and stop == file.size
        headers = {} if whole else {"Range": f"bytes={start}-{stop - 1}"}
        path = urllib.parse.quote(file.locator)
        url = f"{self._config.hub_endpoint}/{self._config.repository}/resolve/{self._commit}/{path}"
        left = stop - start
        # Whoever stops reading early drops the generator, which ends the request.
        # pylint: disable-next=contextmanager-generator-missing-cleanup
        with self._requests.get(url, headers, file.path) as response:
            if not whole and response.status != 206:
                raise ConfigError(f"{self._config.hub_endpoint} ignores ranges of {file.path}: cannot fetch in parts")
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            total = total or response.headers.get("Content-Length", "")
            if total.isdecimal() and int(total) != file.size:
                raise CorruptError(f"{file.path}: expected {file.size} bytes, the hub has {total}")
            with self._requests.errors(url):
                for chunk in response.stream(CHUNK, decode_content=False):
                    yield chunk[:left]
                    left -= len(chunk)
                    if left <= 0:
                        break
        if left > 0:
            raise TemporaryError(f"{file.path}: the connection ended {left} bytes early")
