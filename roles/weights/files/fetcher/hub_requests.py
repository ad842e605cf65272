# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the hub and along its redirects, and what its answers mean."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import re
import ssl
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .failures import AccessError, ConfigError, CorruptError, FetchError, NotFoundError, TemporaryError
from .settings import Config
from .waiting import Gate, Stop

# The draft header RateLimit: requests that are left in a window, and seconds until the next one.
_LEFT = re.compile(r"\br\s*=\s*(\d+)\s*;\s*t\s*=\s*(\d+)")


class HubRequests:
    """GET requests to one hub by several threads. They share what they learn: links, and how long to hold back."""

    def __init__(self, config: Config, token: str | None, stop: Stop, say: Callable[[str], None]) -> None:
        self._config, self._token, self._say = config, token, say
        self._gate = Gate(stop)
        self._pools: dict[str | None, Any] = {}
        self._links: dict[str, str] = {}

    @contextlib.contextmanager
    def get(self, url: str, headers: dict[str, str], path: str | None = None) -> Iterator[Any]:
        """A GET that follows redirects; raises what the answer means. The token goes to the hub's own host only."""
        origin = _origin(url)
        linked = self._links.get(url)
        target = linked or url
        for _hop in range(6):
            self._gate.wait()
            sent = {"User-Agent": "llmfleet-weights/1", "Accept-Encoding": "identity", **headers}
            at_hub = _origin(target) == origin
            if at_hub and self._token:
                sent["Authorization"] = f"Bearer {self._token}"
            with self.errors(target):
                response = self._pool(target).request(
                    "GET", target, headers=sent, redirect=False, retries=False, preload_content=False
                )
            if at_hub and response.status < 400:
                self._spare(response.headers)
            location = response.headers.get("Location") if response.status in (301, 302, 303, 307, 308) else None
            if location is None:
                break
            response.drain_conn()
            response.release_conn()
            target = urllib.parse.urljoin(target, location)
        else:
            raise TemporaryError(f"{_plain(url)}: too many redirects")
        try:
            if response.status not in (200, 206):
                # A signed link stops working after a while: ask the hub for a new one.
                self._links.pop(url, None)
                if not at_hub and response.status in (400, 401, 403, 404, 410):
                    raise TemporaryError(f"{_plain(target)}: HTTP {response.status} for a link of the hub", 0.2)
                self._refused(response, target, path)
            if not at_hub:
                self._links[url] = target
            yield response
        except BaseException:
            response.close()
            raise
        if response.length_remaining:
            response.close()
        response.release_conn()

    def _spare(self, headers: Mapping[str, str]) -> None:
        """Hold back before the hub has to refuse: it counts by address, so that others may have used what is left."""
        found = _LEFT.search(headers.get("RateLimit", ""))
        if found is None or int(found[1]) >= self._config.connections:
            return
        seconds = int(found[2]) + 1
        if self._gate.close(seconds):
            self._say(f"the hub lets {found[1]} more requests of our address through: holding back for {seconds} s")

    def _refused(self, response: Any, url: str, path: str | None) -> None:
        """Raise the failure that an answer of the hub means."""
        status, code = response.status, response.headers.get("X-Error-Code", "")
        said = response.headers.get("X-Error-Message", "")
        repository, revision = self._config.repository, self._config.revision
        if status in (401, 403):
            if code == "RepoNotFound":
                problem = f"repository {repository} does not exist, or is private"
            elif code == "GatedRepo":
                problem = f"repository {repository} is gated"
            else:
                problem = f"the hub refuses repository {repository}"
            raise AccessError(f"{problem}, and {self._have(status)} (HTTP {status}{': ' + said if said else ''})")
        if status == 404:
            if code == "RepoNotFound" and self._token:
                raise NotFoundError(f"repository {repository} does not exist, or {self._of_token()} may not see it")
            if code == "RevisionNotFound":
                raise NotFoundError(f"repository {repository} has no revision {revision}")
            what = f"file {path} of repository {repository}" if path and code != "RepoNotFound" else repository
            raise NotFoundError(f"the hub {self._config.hub_endpoint} has no {what} (HTTP 404)")
        if status == 429:
            wait = _asked_wait(response.headers)
            self._gate.close(wait if wait is not None else 1)
            raise TemporaryError(f"the hub limits our requests for {repository} (HTTP 429)", wait)
        if status == 416:
            raise CorruptError(f"{path}: the hub has fewer bytes than its listing says")
        if status in (408, 425) or status >= 500:
            raise TemporaryError(f"{_plain(url)}: HTTP {status}", _asked_wait(response.headers))
        raise FetchError(f"{_plain(url)}: HTTP {status}{': ' + said if said else ''}")

    def _of_token(self) -> str:
        return f"the token of the Secret {self._config.token_secret or 'of weights.token_secret'}"

    def _have(self, status: int) -> str:
        """What we came with, and what to do about it. The hub says 401 to a token that it does not know at all."""
        if self._token and status == 401:
            return f"the hub does not accept {self._of_token()}: it is wrong, expired or revoked"
        if self._token:
            where = f"{self._config.hub_endpoint}/{self._config.repository}"
            return f"{self._of_token()} has no access to it: its owner can be given access at {where}"
        if self._config.token_secret:
            return f"the Secret {self._config.token_secret} gave no token"
        return "no token was given: name its Secret in weights.token_secret"

    @contextlib.contextmanager
    def errors(self, url: str) -> Iterator[None]:
        """Turn what fails on the way, also while an answer is read, into our failures."""
        import urllib3

        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError) as error:
            chain: BaseException | None = error
            while chain is not None:
                if isinstance(chain, ssl.SSLCertVerificationError):
                    raise ConfigError(f"{_plain(url)}: certificate not trusted: {chain.verify_message}") from None
                chain = (
                    chain.__cause__
                    or chain.__context__
                    or next((each for each in getattr(chain, "args", ()) if isinstance(each, BaseException)), None)
                )
            raise TemporaryError(f"{_plain(url)}: {type(error).__name__}") from None

    def _pool(self, url: str) -> Any:
        import urllib3

        parts = urllib.parse.urlsplit(url)
        proxy = urllib.request.getproxies().get(parts.scheme)
        if proxy and urllib.request.proxy_bypass(parts.netloc):
            proxy = None
        if proxy not in self._pools:
            options: dict[str, Any] = {
                "maxsize": self._config.connections,
                "timeout": urllib3.Timeout(connect=15, read=60),
                "retries": False,
            }
            self._pools[proxy] = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
        return self._pools[proxy]


def _origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc


def _plain(url: str) -> str:
    """The URL without its query, which may hold a signature, and without user and password."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After (seconds or a date) or RateLimit (``r=0;t=seconds``) ask to wait; None if neither."""
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    if text:
        with contextlib.suppress(ValueError):
            date = email.utils.parsedate_to_datetime(text)
            return max((date - datetime.datetime.now(datetime.UTC)).total_seconds(), 0.0)
    limit = _LEFT.search(headers.get("RateLimit", ""))
    return float(limit[2]) + 1 if limit and limit[1] == "0" else None
