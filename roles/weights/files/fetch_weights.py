# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the weights of one repository revision into S3, or check through the mount that they are complete.

    python3 fetch_weights.py fetch    hub, bucket or folder -> s3://<bucket>/<prefix>/, the ledger last
    python3 fetch_weights.py check    every file of the ledger is there below the mount, with its size

The configuration is JSON in LLMFLEET_WEIGHTS (see Config). One file, because a ConfigMap carries it into the cluster;
Python 3.11 or newer; ``fetch`` needs boto3 (and urllib3, which comes with it), ``check`` needs nothing.

How bytes go: workers take parts of files from one queue, read each part by a ranged request into memory, hash the
parts of a file in order while they are uploaded, and complete a file's multipart upload only when its hash is the
expected one. So nothing unverified ever becomes an object, and memory is bounded by BUFFERS x the part size.
"""

from __future__ import annotations

import base64
import collections
import concurrent.futures
import contextlib
import datetime
import email.utils
import fnmatch
import hashlib
import io
import json
import math
import os
import random
import re
import resource
import signal
import ssl
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

LEDGER_VERSION = 1
MIB = 1024 * 1024
CHUNK = MIB
COMMIT = re.compile(r"[0-9a-f]{40}")
DEFAULT_PATTERNS = (
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "generation_config.json",
    "adapter_config.json",
    "params.json",
    "configuration.json",
    "quantize_config.json",
    "quant_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
    "modules.json",
    "*_Pooling/config.json",
    "sentence_*config*.json",
    "tokenizer*",
    "*.tiktoken",
    "tekken.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "chat_template*",
)
# Formats that can run code when they are loaded: fetched only by a glob that itself ends like this.
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz")
# Object metadata: what the content is known by at the source, and its hash once known.
META_IDENTITY = "llmfleet-identity"
META_SHA256 = "sha256"


# == Failures ==========================================================================================================


class FetchError(Exception):
    """A failure told without a traceback. ``code`` is the exit status; ``retryable``: another run may succeed."""

    code = 1
    kind = "error"
    retryable = False


class ConfigError(FetchError):
    """The configuration cannot work."""

    code, kind = 2, "configuration"


class AccessError(FetchError):
    """The hub or S3 refuses us."""

    code, kind = 3, "access"


class NotFoundError(FetchError):
    """No such repository, revision or file."""

    code, kind = 4, "not_found"


class CorruptError(FetchError):
    """The content is not what the source says it is."""

    code, kind = 5, "corrupt"


class IncompleteError(FetchError):
    """``check``: the mount does not show what the ledger lists."""

    code, kind, retryable = 6, "incomplete", True


class TemporaryError(FetchError):
    """Network, limits and server errors that outlasted our patience. ``wait``: seconds the server asked for."""

    code, kind, retryable = 75, "temporary", True

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class StoppedError(FetchError):
    """SIGTERM or SIGINT."""

    code, kind, retryable = 143, "stopped", True


# == Configuration =====================================================================================================


@dataclass(frozen=True)
class Config:
    """What LLMFLEET_WEIGHTS says, and the settings that have environment variables of their own.

    ``source``: ``hub``, ``s3://bucket/prefix`` or an absolute folder. ``patterns``: key ``files``; empty: the default.
    ``ledger``: key of the ledger, below ``prefix``. ``token_secret``: name of the Secret, for messages only.
    Sizes are bytes, times seconds.
    """

    model: str
    repository: str
    revision: str
    bucket: str
    prefix: str
    ledger: str
    mount: str
    source: str = "hub"
    patterns: tuple[str, ...] = DEFAULT_PATTERNS
    hub_endpoint: str = "https://huggingface.co"
    token_secret: str = ""
    connections: int = 8
    part_size: int = 32 * MIB
    patience: int = 600
    wait: int = 600
    progress: int = 10

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, which never moves."""
        return COMMIT.fullmatch(self.revision) is not None

    @property
    def ledger_path(self) -> Path:
        """The ledger as the mount shows it."""
        return Path(self.mount) / self.ledger.removeprefix(self.prefix + "/")

    def key(self, path: str) -> str:
        """Object key of one file of the repository."""
        return f"{self.prefix}/{path}"


_STRINGS = ("model", "repository", "revision", "bucket", "prefix", "ledger", "mount")
_OPTIONAL = ("source", "hub_endpoint", "token_secret")
# Environment variable -> (field, factor, least, most)
_NUMBERS = {
    "LLMFLEET_WEIGHTS_CONNECTIONS": ("connections", 1, 1, 64),
    "LLMFLEET_WEIGHTS_PART_MIB": ("part_size", MIB, 5, 1024),
    "LLMFLEET_WEIGHTS_PATIENCE_SECONDS": ("patience", 1, 1, 86400),
    "LLMFLEET_WEIGHTS_WAIT_SECONDS": ("wait", 1, 0, 86400),
    "LLMFLEET_WEIGHTS_PROGRESS_SECONDS": ("progress", 1, 1, 3600),
}


def read_config(environ: Mapping[str, str]) -> Config:
    """Config of the environment. ConfigError naming the key, its value and what is accepted."""
    try:
        data = json.loads(environ.get("LLMFLEET_WEIGHTS", ""))
    except ValueError as error:
        raise ConfigError(f"LLMFLEET_WEIGHTS: not JSON ({error}); accepted: an object") from None
    if not isinstance(data, dict):
        raise ConfigError(f"LLMFLEET_WEIGHTS: got a {type(data).__name__}; accepted: an object")
    known = {*_STRINGS, *_OPTIONAL, "files"}
    for key in data:
        if key not in known:
            raise ConfigError(f"LLMFLEET_WEIGHTS.{key}: unknown; accepted: {', '.join(sorted(known))}")
    values: dict[str, Any] = {}
    for key in (*_STRINGS, *_OPTIONAL):
        value = data.get(key)
        if key in _OPTIONAL and value in (None, ""):
            continue
        if not isinstance(value, str) or not value:
            raise ConfigError(f"LLMFLEET_WEIGHTS.{key}: got {value!r}; accepted: a string")
        values[key] = value
    patterns = data.get("files") or list(DEFAULT_PATTERNS)
    if not isinstance(patterns, list) or not all(isinstance(glob, str) and glob for glob in patterns):
        raise ConfigError(f"LLMFLEET_WEIGHTS.files: got {patterns!r}; accepted: a list of globs")
    values["patterns"] = tuple(patterns)
    for variable, (name, factor, least, most) in _NUMBERS.items():
        text = environ.get(variable)
        if text is None:
            continue
        if not text.isdecimal() or not least <= int(text) <= most:
            raise ConfigError(f"{variable}: got {text!r}; accepted: an integer from {least} to {most}")
        values[name] = int(text) * factor
    values |= {key: values[key].rstrip("/") for key in ("prefix", "hub_endpoint") if key in values}
    config = Config(**values)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", config.repository):
        raise ConfigError(f"LLMFLEET_WEIGHTS.repository: got {config.repository!r}; accepted: owner/name")
    if config.source != "hub" and not re.match(r"s3://[^/]|/", config.source):
        raise ConfigError(
            f"LLMFLEET_WEIGHTS.source: got {config.source!r}; accepted: hub, s3://bucket/prefix, an absolute folder"
        )
    if not re.match(r"https?://[^/]", config.hub_endpoint):
        raise ConfigError(f"LLMFLEET_WEIGHTS.hub_endpoint: got {config.hub_endpoint!r}; accepted: http(s)://host")
    if not config.ledger.startswith(config.prefix + "/"):
        raise ConfigError(f"LLMFLEET_WEIGHTS.ledger: got {config.ledger!r}; accepted: a key below {config.prefix}/")
    return config


def read_token(environ: Mapping[str, str]) -> str | None:
    """HF_TOKEN without white space around it, or None. ConfigError, without the value, when no header can carry it."""
    token = environ.get("HF_TOKEN", "").strip()
    if token and not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigError("HF_TOKEN: has characters that no token has; accepted: one token, printable ASCII")
    return token or None


# == Files and their selection =========================================================================================


@dataclass(frozen=True)
class RemoteFile:
    """One file at the source. Of the hashes one, both or none are known before it is read.

    ``identity`` changes when the content does: it says whether an object is of this content. ``locator`` is the
    source's own name for the file.
    """

    path: str
    size: int
    identity: str
    locator: str
    sha256: str | None = None
    git_oid: str | None = None


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether globs select the path (``*`` also crosses ``/``); a pickle format needs a glob that names it."""
    suffix = os.path.splitext(path)[1].lower()
    for glob in patterns:
        if suffix in PICKLE_SUFFIXES and not glob.lower().endswith(suffix):
            continue
        if fnmatch.fnmatchcase(path, glob):
            return True
    return False


def select(listed: list[RemoteFile], config: Config) -> list[RemoteFile]:
    """The files to fetch, smallest first. NotFoundError when no weights are among them."""
    chosen = [file for file in listed if matches(file.path, config.patterns)]
    for file in chosen:
        parts = file.path.split("/")
        if any(part in ("", ".", "..") for part in parts) or parts[0] == ".llmfleet" or "\\" in file.path:
            raise CorruptError(f"{config.repository} lists a file named {file.path!r}, which is no path below a folder")
    if config.patterns == DEFAULT_PATTERNS:
        names = {file.path for file in chosen}
        # Mistral's repositories hold the weights twice; the engine reads the sharded ones.
        if any(fnmatch.fnmatchcase(name, "model*.safetensors") for name in names):
            chosen = [file for file in chosen if not fnmatch.fnmatchcase(file.path, "consolidated*.safetensors")]
        if not any(name.endswith(".safetensors") for name in names):
            pickles = [file.path for file in listed if file.path.endswith((*PICKLE_SUFFIXES, ".gguf"))]
            hint = f"; it has {', '.join(pickles[:5])}: name what you trust in weights.files" if pickles else ""
            raise NotFoundError(f"{config.repository} at {config.revision} has no safetensors file{hint}")
    if not chosen:
        raise NotFoundError(
            f"{config.repository} at {config.revision}: none of its {len(listed)} files matches weights.files "
            f"({', '.join(config.patterns)})"
        )
    return sorted(chosen, key=lambda file: (file.size, file.path))


class Hashes:
    """The hashes of one file, fed in order. ``verify`` raises CorruptError naming file, expected and found hash."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False) if file.git_oid else None

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._sha256.update(data)
        if self._git:
            self._git.update(data)

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of what was fed."""
        return self._sha256.hexdigest()

    def verify(self) -> None:
        """Compare with what the source says of the file."""
        file = self._file
        if file.sha256 and self.sha256 != file.sha256:
            raise CorruptError(f"{file.path}: expected sha256 {file.sha256}, found {self.sha256}")
        if self._git and self._git.hexdigest() != file.git_oid:
            raise CorruptError(f"{file.path}: expected git object {file.git_oid}, found {self._git.hexdigest()}")


# == Waiting ===========================================================================================================


class Stop:
    """Set by a signal or by the first failure; everything that waits or loops looks at it."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.signal: str | None = None

    def on_signal(self, number: int, _frame: object) -> None:
        """Signal handler."""
        self.signal = signal.Signals(number).name
        self._event.set()

    def set(self) -> None:
        """Stop everything."""
        self._event.set()

    def check(self) -> None:
        """Raise StoppedError once stopped."""
        if self._event.is_set():
            raise StoppedError(f"stopped by {self.signal}" if self.signal else "stopped")

    def sleep(self, seconds: float) -> None:
        """Sleep, or raise StoppedError as soon as stopped."""
        self._event.wait(max(seconds, 0))
        self.check()


class Gate:
    """Holds all requests to the hub back after a 429: its limits are per address, not per connection."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._until = 0.0

    def close(self, seconds: float) -> None:
        """Let nothing through for so long."""
        self._until = max(self._until, time.monotonic() + seconds)

    def wait(self) -> None:
        """Wait until open; those who waited leave one by one."""
        while (left := self._until - time.monotonic()) > 0:
            self._stop.sleep(left + random.uniform(0, 0.5))
        self._stop.check()


class Patience:
    """How long to go on with one thing that fails: exponential waits with jitter, bounded since the last progress."""

    def __init__(self, stop: Stop, limit: float, say: Callable[[str], None]) -> None:
        self._stop, self._limit, self._say = stop, limit, say
        self.progress()

    def progress(self) -> None:
        """Something came through: start counting anew."""
        self._failures, self._since = 0, time.monotonic()

    def wait(self, error: TemporaryError) -> None:
        """Wait before the next try; raise ``error`` when that would take longer than the limit."""
        self._failures += 1
        delay = error.wait
        if delay is None:
            delay = min(0.5 * 2 ** (self._failures - 1), 30) * random.uniform(0.5, 1)
        delay += random.uniform(0, 0.1 * delay)
        spent = time.monotonic() - self._since
        if spent + delay > self._limit or self._failures > 30:
            raise TemporaryError(f"{error}; gave up after {self._failures} tries in {spent:.0f} s") from None
        self._say(f"{error}; next try in {delay:.1f} s")
        self._stop.sleep(delay)


# == Sources ===========================================================================================================


class Source(Protocol):
    """Where files come from."""

    def listing(self, revision: str) -> tuple[str, list[RemoteFile]]:
        """The commit that the revision names, and all its files."""

    def read(self, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from ``start`` up to ``stop``; may end early by TemporaryError, and is then asked for the rest."""


class Hub:
    """The Hugging Face Hub, or a server that speaks its API."""

    def __init__(self, config: Config, token: str | None, stop: Stop, say: Callable[[str], None]) -> None:
        self._config, self._token, self._stop, self._say = config, token, stop, say
        self._gate = Gate(stop)
        self._pools: dict[str | None, Any] = {}
        self._links: dict[str, str] = {}
        self._commit = ""

    def listing(self, revision: str) -> tuple[str, list[RemoteFile]]:
        """Model info with blobs, as huggingface_hub asks for it."""
        repository = self._config.repository
        quoted = urllib.parse.quote(revision, safe="")
        url = f"{self._config.hub_endpoint}/api/models/{repository}/revision/{quoted}?blobs=true"
        patience = Patience(self._stop, self._config.patience, self._say)
        while True:
            try:
                with self._get(url, {}) as response, self._errors(url):
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
        self._commit = commit
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
        with self._get(url, headers, file.path) as response:
            if not whole and response.status != 206:
                raise ConfigError(f"{self._config.hub_endpoint} ignores ranges of {file.path}: cannot fetch in parts")
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            total = total or response.headers.get("Content-Length", "")
            if total.isdecimal() and int(total) != file.size:
                raise CorruptError(f"{file.path}: expected {file.size} bytes, the hub has {total}")
            with self._errors(url):
                for chunk in response.stream(CHUNK, decode_content=False):
                    yield chunk[:left]
                    left -= len(chunk)
                    if left <= 0:
                        break
        if left > 0:
            raise TemporaryError(f"{file.path}: the connection ended {left} bytes early")

    @contextlib.contextmanager
    def _get(self, url: str, headers: dict[str, str], path: str | None = None) -> Iterator[Any]:
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
            with self._errors(target):
                response = self._pool(target).request(
                    "GET", target, headers=sent, redirect=False, retries=False, preload_content=False
                )
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
            named = self._config.token_secret
            if self._token:
                have = f"the token of the Secret {named or 'of weights.token_secret'} may not read it"
            elif named:
                have = f"the Secret {named} gave no token"
            else:
                have = "no token was given: name its Secret in weights.token_secret"
            raise AccessError(f"{problem}, and {have} (HTTP {status}{': ' + said if said else ''})")
        if status == 404:
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

    @contextlib.contextmanager
    def _errors(self, url: str) -> Iterator[None]:
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
    limit = re.search(r"\br\s*=\s*0\s*;\s*t\s*=\s*(\d+)", headers.get("RateLimit", ""))
    return float(limit[1]) + 1 if limit else None


class Mirror:
    """What folders and buckets have in common: the layouts of a mirror of the hub.

    ``<owner>/<name>/<commit>/…`` with ``<owner>/<name>/refs/<branch>``, or huggingface_hub's cache:
    ``models--<owner>--<name>/snapshots/<commit>/…`` with ``models--<owner>--<name>/refs/<branch>``.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def listing(self, revision: str) -> tuple[str, list[RemoteFile]]:
        """The commit and files of the first layout that has the revision."""
        flat = self._config.repository
        cache = "models--" + flat.replace("/", "--")
        for refs, commits in ((f"{flat}/refs", flat), (f"{cache}/refs", f"{cache}/snapshots")):
            commit = revision if COMMIT.fullmatch(revision) else (self._text(f"{refs}/{revision}") or "").strip()
            if COMMIT.fullmatch(commit) and (files := self._files(f"{commits}/{commit}")):
                return commit, files
        raise NotFoundError(
            f"{self._config.source} has no revision {revision} of {flat}: looked for {flat}/<commit>/ and "
            f"{cache}/snapshots/<commit>/"
        )

    def _text(self, path: str) -> str | None:
        raise NotImplementedError

    def _files(self, folder: str) -> list[RemoteFile]:
        raise NotImplementedError


class Folder(Mirror):
    """A folder that mirrors the hub's layout."""

    def _text(self, path: str) -> str | None:
        try:
            return (Path(self._config.source) / path).read_text()
        except OSError:
            return None

    def _files(self, folder: str) -> list[RemoteFile]:
        base = Path(self._config.source) / folder
        return [self._file(base, path) for path in sorted(base.rglob("*")) if path.is_file()]

    @staticmethod
    def _file(base: Path, path: Path) -> RemoteFile:
        stat = path.stat()
        identity = f"file:{stat.st_size}:{stat.st_mtime_ns}"
        blob = path.resolve().name if path.is_symlink() else ""  # the cache names blobs by their hash
        sha256 = blob if re.fullmatch(r"[0-9a-f]{64}", blob) else None
        oid = blob if COMMIT.fullmatch(blob) else None
        return RemoteFile(path.relative_to(base).as_posix(), stat.st_size, identity, str(path), sha256, oid)

    def read(self, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        """Read the range of the file."""
        try:
            with open(file.locator, "rb") as stream:
                stream.seek(start)
                while start < stop:
                    chunk = stream.read(min(CHUNK, stop - start))
                    if not chunk:
                        raise CorruptError(f"{file.locator}: became shorter while it was read")
                    yield chunk
                    start += len(chunk)
        except OSError as error:
            raise TemporaryError(f"{file.locator}: {error.strerror}") from None


class Bucket(Mirror):
    """A bucket (prefix) that mirrors the hub's layout."""

    def __init__(self, config: Config, client: Any) -> None:
        super().__init__(config)
        self._client = client
        self._bucket, _slash, prefix = config.source.removeprefix("s3://").partition("/")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""

    def _text(self, path: str) -> str | None:
        with s3_errors(f"read s3://{self._bucket}/{self._prefix}{path}"):
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + path)["Body"].read()
                return str(body.decode())
            except self._client.exceptions.NoSuchKey:
                return None

    def _files(self, folder: str) -> list[RemoteFile]:
        base = f"{self._prefix}{folder}/"
        files = []
        with s3_errors(f"list s3://{self._bucket}/{base}"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=base):
                for each in page.get("Contents", ()):
                    if not each["Key"].endswith("/"):
                        path, etag = each["Key"].removeprefix(base), each["ETag"].strip('"')
                        files.append(RemoteFile(path, each["Size"], f"etag:{etag}", each["Key"]))
        return files

    def read(self, file: RemoteFile, start: int, stop: int) -> Iterator[bytes]:
        """Read the range of the object, which must still be the one that was listed."""
        if start == stop:
            return
        etag = '"' + file.identity.removeprefix("etag:") + '"'
        with s3_errors(f"read s3://{self._bucket}/{file.locator}"):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=file.locator, Range=f"bytes={start}-{stop - 1}", IfMatch=etag
            )
            yield from answer["Body"].iter_chunks(CHUNK)


def open_source(config: Config, token: str | None, client: Any, stop: Stop, say: Callable[[str], None]) -> Source:
    """The source that the configuration names."""
    if config.source == "hub":
        return Hub(config, token, stop, say)
    return Bucket(config, client) if config.source.startswith("s3://") else Folder(config)


# == The bucket that weights go to =====================================================================================


@contextlib.contextmanager
def s3_errors(what: str) -> Iterator[None]:
    """Turn botocore's failures into ours, naming what was tried."""
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = f"S3 refuses to {what}: {code}"
        if code in ("NoSuchBucket", "InvalidBucketName"):
            raise ConfigError(said) from None
        if code == "PreconditionFailed":
            raise TemporaryError(f"{said}: it changed while it was read") from None
        if code in ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled", "403"):
            message = error.response.get("Error", {}).get("Message", "")
            raise AccessError(f"{said}{': ' + message if message else ''}") from None
        if status in (400, 405, 501) and code not in ("ExpiredToken", "RequestTimeout", "InvalidPart", "BadDigest"):
            raise FetchError(f"{said} (HTTP {status})") from None
        raise TemporaryError(said) from None
    except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError):
        raise ConfigError(f"cannot {what}: no AWS credentials (pod identity or environment)") from None
    except botocore.exceptions.ParamValidationError as error:
        raise ConfigError(f"cannot {what}: {error}") from None
    except botocore.exceptions.BotoCoreError as error:
        raise TemporaryError(f"cannot {what}: {type(error).__name__}: {error}") from None


def s3_client(config: Config, environ: Mapping[str, str]) -> Any:
    """An S3 client with patience and enough connections; an own endpoint (AWS_ENDPOINT_URL…) gets path-style keys."""
    import boto3
    import botocore.config

    own = any(environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
    with s3_errors("make an S3 client"):
        return boto3.client(
            "s3",
            config=botocore.config.Config(
                retries={"mode": "standard", "total_max_attempts": 8},
                connect_timeout=10,
                read_timeout=60,
                max_pool_connections=config.connections + 4,
                s3={"addressing_style": "path" if own else "auto"},
                user_agent_extra="llmfleet-weights/1",
            ),
        )


class Store:
    """The objects of one revision: below ``prefix`` in the bucket."""

    def __init__(self, config: Config, client: Any) -> None:
        self.config, self.client = config, client
        self._bucket = config.bucket

    def _where(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def sizes(self) -> dict[str, int]:
        """Path below the prefix -> size of every object there, the folder .llmfleet excepted."""
        base = self.config.prefix + "/"
        found: dict[str, int] = {}
        with s3_errors(f"list {self._where(base)}"):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=base):
                for each in page.get("Contents", ()):
                    found[each["Key"].removeprefix(base)] = each["Size"]
        return {path: size for path, size in found.items() if not path.startswith(".llmfleet/")}

    def metadata(self, path: str) -> dict[str, str]:
        """The metadata of an object that is there."""
        key = self.config.key(path)
        with s3_errors(f"head {self._where(key)}"):
            return dict(self.client.head_object(Bucket=self._bucket, Key=key)["Metadata"])

    def sha256(self, path: str, stop: Stop) -> str:
        """The hash of an object, by reading it."""
        key = self.config.key(path)
        digest = hashlib.sha256()
        with s3_errors(f"read {self._where(key)}"):
            for chunk in self.client.get_object(Bucket=self._bucket, Key=key)["Body"].iter_chunks(CHUNK):
                stop.check()
                digest.update(chunk)
        return digest.hexdigest()

    def put(self, file: RemoteFile, body: io.BytesIO, sha256: str) -> None:
        """Write a small file as one object."""
        key = self.config.key(file.path)
        body.seek(0)
        with s3_errors(f"put {self._where(key)}"):
            self.client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ChecksumAlgorithm="CRC32",
                Metadata={META_IDENTITY: file.identity, META_SHA256: sha256},
            )

    def begin(self, file: RemoteFile) -> str:
        """Begin a multipart upload; its id."""
        key = self.config.key(file.path)
        metadata = {META_IDENTITY: file.identity} | ({META_SHA256: file.sha256} if file.sha256 else {})
        with s3_errors(f"begin the upload of {self._where(key)}"):
            answer = self.client.create_multipart_upload(
                Bucket=self._bucket, Key=key, Metadata=metadata, ChecksumAlgorithm="CRC32"
            )
        return str(answer["UploadId"])

    def upload(self, file: RemoteFile, upload: str, index: int, body: io.BytesIO) -> dict[str, Any]:
        """Upload part ``index`` (from 0); what completing needs to know of it."""
        key = self.config.key(file.path)
        body.seek(0)
        with s3_errors(f"upload part {index + 1} of {self._where(key)}"):
            answer = self.client.upload_part(
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                PartNumber=index + 1,
                Body=body,
                ChecksumAlgorithm="CRC32",
            )
        part = {"PartNumber": index + 1, "ETag": answer["ETag"]}
        return part | ({"ChecksumCRC32": answer["ChecksumCRC32"]} if answer.get("ChecksumCRC32") else {})

    def complete(self, file: RemoteFile, upload: str, parts: list[dict[str, Any]]) -> None:
        """Make the object of its parts."""
        key = self.config.key(file.path)
        with s3_errors(f"complete the upload of {self._where(key)}"):
            self.client.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )

    def abort(self, key: str, upload: str) -> None:
        """Drop an unfinished upload; one that is gone already is no failure."""
        with (
            s3_errors(f"abort the upload of {self._where(key)}"),
            contextlib.suppress(self.client.exceptions.NoSuchUpload),
        ):
            self.client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)

    def abort_unfinished(self) -> int:
        """Drop the uploads that a killed run left below the prefix; how many."""
        base = self.config.prefix + "/"
        found: list[tuple[str, str]] = []
        with s3_errors(f"list the uploads below {self._where(base)}"):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=base)
            for page in pages:
                # Asked again here because not every server filters: only what is ours may be dropped.
                found += [(u["Key"], u["UploadId"]) for u in page.get("Uploads", ()) if u["Key"].startswith(base)]
        for key, upload in found:
            self.abort(key, upload)
        return len(found)

    def delete(self, path: str) -> None:
        """Delete one object."""
        key = self.config.key(path)
        with s3_errors(f"delete {self._where(key)}"):
            self.client.delete_object(Bucket=self._bucket, Key=key)

    def read_ledger(self) -> dict[str, Any] | None:
        """The ledger; None when there is none or it cannot be understood."""
        with s3_errors(f"read {self._where(self.config.ledger)}"):
            try:
                text = self.client.get_object(Bucket=self._bucket, Key=self.config.ledger)["Body"].read()
            except self.client.exceptions.NoSuchKey:
                return None
        try:
            return parse_ledger(text)
        except ValueError:
            return None

    def write_ledger(self, ledger: dict[str, Any]) -> None:
        """Publish: the last write of a fetch."""
        body = (json.dumps(ledger, indent=1) + "\n").encode()
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        with s3_errors(f"put {self._where(self.config.ledger)}"):
            self.client.put_object(
                Bucket=self._bucket,
                Key=self.config.ledger,
                Body=body,
                ContentType="application/json",
                ChecksumSHA256=digest,
            )


# == The ledger ========================================================================================================


def parse_ledger(text: bytes | str) -> dict[str, Any]:
    """The ledger of its JSON text. ValueError when it is no ledger of this version."""
    ledger = json.loads(text)
    if not isinstance(ledger, dict) or ledger.get("version") != LEDGER_VERSION:
        raise ValueError(f"not a ledger of version {LEDGER_VERSION}")
    for key in ("model", "repository", "commit", "requested_revision"):
        if not isinstance(ledger.get(key), str):
            raise ValueError(f"no {key}")
    files = ledger.get("files")
    if not isinstance(files, list) or not files:
        raise ValueError("no files")
    for file in files:
        if not (isinstance(file, dict) and isinstance(file.get("path"), str) and isinstance(file.get("size"), int)):
            raise ValueError("a file without path and size")
    return ledger


def of_config(ledger: dict[str, Any], config: Config) -> bool:
    """Whether a ledger is of the configured model, repository and revision."""
    wanted = (config.model, config.repository, config.revision)
    if (ledger["model"], ledger["repository"], ledger["requested_revision"]) != wanted:
        return False
    return not config.pinned or ledger["commit"] == config.revision


def make_ledger(config: Config, commit: str, files: list[RemoteFile], hashes: Mapping[str, str]) -> dict[str, Any]:
    """The ledger of a complete revision; ``hashes`` is path -> sha256."""
    return {
        "version": LEDGER_VERSION,
        "model": config.model,
        "repository": config.repository,
        "commit": commit,
        "requested_revision": config.revision,
        "source": config.hub_endpoint if config.source == "hub" else config.source,
        "created": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "patterns": list(config.patterns),
        "files": [
            {"path": file.path, "size": file.size, "sha256": hashes[file.path]}
            for file in sorted(files, key=lambda each: each.path)
        ],
        "total_bytes": sum(file.size for file in files),
    }


# == Moving bytes ======================================================================================================


@dataclass
class Part:
    """A part in memory, held until it is both hashed and uploaded."""

    buffer: io.BytesIO
    holds: int = 2


@dataclass
class Transfer:
    """One file on its way. ``lock`` guards everything below it; the hash advances part by part, in order."""

    file: RemoteFile
    part_size: int
    attempt: int = 1
    lock: threading.Lock = field(default_factory=threading.Lock)
    hashes: Hashes = field(init=False)
    upload: str | None = None
    waiting: dict[int, Part] = field(default_factory=dict)
    hashed: int = 0
    hashing: bool = False
    uploaded: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hashes = Hashes(self.file)

    @property
    def parts(self) -> int:
        """Number of parts; 1 also for an empty file."""
        return max(math.ceil(self.file.size / self.part_size), 1)

    def bounds(self, index: int) -> tuple[int, int]:
        """First byte of a part and the byte after its last."""
        return index * self.part_size, min((index + 1) * self.part_size, self.file.size)


class Mover:
    """Workers that move files from a source to the store. ``hashes``: path -> sha256 of what arrived."""

    def __init__(self, config: Config, source: Source, store: Store, stop: Stop, say: Callable[[str], None]) -> None:
        self._config, self._source, self._store, self._stop, self._say = config, source, store, stop, say
        # Half as many buffers again as connections: parts that wait for their turn to be hashed do not idle a worker.
        # Parts are taken in order and each takes a buffer first, so the next part to hash always has one: no deadlock.
        self._buffers = threading.Semaphore(config.connections + max(config.connections // 2, 1))
        self._queue: collections.deque[tuple[Transfer, int]] = collections.deque()
        self._state = threading.Condition()
        self._unfinished = 0
        self._open: dict[str, str] = {}
        self._failure: BaseException | None = None
        self.hashes: dict[str, str] = {}
        self.bytes = 0

    def move(self, files: list[RemoteFile], tick: Callable[[], None]) -> None:
        """Move all files; ``tick`` is called twice a second. Raises the first failure, with no upload left open."""
        for file in files:
            # S3 takes at most 10,000 parts.
            part_size = max(self._config.part_size, math.ceil(file.size / 10_000 / MIB) * MIB)
            self._enqueue(Transfer(file, part_size))
        self._unfinished = len(files)
        threads = [threading.Thread(target=self._work, daemon=True) for _number in range(self._config.connections)]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                self._state_wait()
                tick()
                if self._failure is None:
                    self._stop.check()
        except BaseException as error:
            self._fail(error)
        if self._failure is not None:
            self._stop.set()
            deadline = time.monotonic() + 10
            for thread in threads:
                thread.join(max(deadline - time.monotonic(), 0))
            self._abort_open()
            raise self._failure

    def _state_wait(self) -> None:
        with self._state:
            if self._failure is None and self._unfinished:
                self._state.wait(0.5)
                return
        time.sleep(0.05)

    def _enqueue(self, transfer: Transfer, first: bool = False) -> None:
        items = [(transfer, index) for index in range(transfer.parts)]
        with self._state:
            if first:
                self._queue.extendleft(reversed(items))
            else:
                self._queue.extend(items)
            self._state.notify_all()

    def _take(self) -> tuple[Transfer, int] | None:
        with self._state:
            while not self._queue and self._unfinished and self._failure is None:
                self._state.wait(0.5)
                self._stop.check()
            return self._queue.popleft() if self._queue and self._failure is None else None

    def _work(self) -> None:
        try:
            while True:
                while not self._buffers.acquire(timeout=0.5):
                    self._stop.check()
                item = self._take()
                if item is None:
                    self._buffers.release()
                    return
                self._part(*item)
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        with self._state:
            if self._failure is None:
                self._failure = error
            self._state.notify_all()
        self._stop.set()

    def _part(self, transfer: Transfer, index: int) -> None:
        part = Part(self._read(transfer, index))
        if transfer.parts == 1:
            self._single(transfer, part)
            return
        with transfer.lock:
            if transfer.upload is None:
                transfer.upload = self._store.begin(transfer.file)
                self._open[transfer.upload] = self._config.key(transfer.file.path)
            upload = transfer.upload
            transfer.waiting[index] = part
        self._hash(transfer)
        uploaded = self._store.upload(transfer.file, upload, index, part.buffer)
        with transfer.lock:
            transfer.uploaded.append(uploaded)
        self._done_with(transfer, part)
        self._finish(transfer)

    def _read(self, transfer: Transfer, index: int) -> io.BytesIO:
        """One part from the source, going on where a failure cut it."""
        start, stop = transfer.bounds(index)
        buffer = io.BytesIO()
        patience = Patience(self._stop, self._config.patience, self._say)
        while True:
            try:
                for chunk in self._source.read(transfer.file, start + buffer.tell(), stop):
                    self._stop.check()
                    buffer.write(chunk)
                    patience.progress()
                    with self._state:
                        self.bytes += len(chunk)
                if start + buffer.tell() == stop:
                    return buffer
                raise TemporaryError(f"{transfer.file.path}: {stop - start - buffer.tell()} bytes did not come")
            except TemporaryError as error:
                patience.wait(error)

    def _hash(self, transfer: Transfer) -> None:
        """Hash every part whose turn has come; one thread at a time for a file."""
        while True:
            with transfer.lock:
                if transfer.hashing or transfer.hashed not in transfer.waiting:
                    return
                part = transfer.waiting.pop(transfer.hashed)
                transfer.hashing = True
            transfer.hashes.update(part.buffer.getbuffer())
            with transfer.lock:
                transfer.hashing = False
                transfer.hashed += 1
            self._done_with(transfer, part)
            self._finish(transfer)

    def _done_with(self, transfer: Transfer, part: Part) -> None:
        with transfer.lock:
            part.holds -= 1
            free = part.holds == 0
        if free:
            self._buffers.release()

    def _finish(self, transfer: Transfer) -> None:
        """Complete the file after its last part was hashed and uploaded; the one who sees that first does it."""
        with transfer.lock:
            if transfer.hashed < transfer.parts or len(transfer.uploaded) < transfer.parts or transfer.upload is None:
                return
            upload, transfer.upload = transfer.upload, None
            parts = sorted(transfer.uploaded, key=lambda each: each["PartNumber"])
        try:
            transfer.hashes.verify()
        except CorruptError as error:
            self._store.abort(self._config.key(transfer.file.path), upload)
            self._open.pop(upload, None)
            self._again(transfer, error)
            return
        self._store.complete(transfer.file, upload, parts)
        self._open.pop(upload, None)
        self._arrived(transfer)

    def _single(self, transfer: Transfer, part: Part) -> None:
        """A file of one part: hash, check, put."""
        transfer.hashes.update(part.buffer.getbuffer())
        try:
            transfer.hashes.verify()
        except CorruptError as error:
            self._again(transfer, error)
        else:
            self._store.put(transfer.file, part.buffer, transfer.hashes.sha256)
            self._arrived(transfer)
        self._buffers.release()

    def _again(self, transfer: Transfer, error: CorruptError) -> None:
        """Fetch a corrupt file once more, or give up."""
        if transfer.attempt > 1:
            raise CorruptError(f"{error} (fetched twice; nothing of it was kept)")
        self._say(f"{error}; fetching it once more")
        with self._state:
            self.bytes -= transfer.file.size
        self._enqueue(Transfer(transfer.file, transfer.part_size, transfer.attempt + 1), first=True)

    def _arrived(self, transfer: Transfer) -> None:
        with self._state:
            self.hashes[transfer.file.path] = transfer.hashes.sha256
            self._unfinished -= 1
            self._state.notify_all()

    def _abort_open(self) -> None:
        """Leave no upload behind; what cannot be aborted now is found and aborted by the next run."""
        for upload, key in list(self._open.items()):
            with contextlib.suppress(FetchError):
                self._store.abort(key, upload)


# == fetch =============================================================================================================


def fetch(config: Config, environ: Mapping[str, str], stop: Stop) -> dict[str, Any]:
    """Bring the revision into the bucket and publish its ledger; the summary. Raises FetchError."""
    begin = time.monotonic()
    token = read_token(environ)
    client = s3_client(config, environ)
    store = Store(config, client)
    ledger = store.read_ledger()
    if ledger is not None and not of_config(ledger, config):
        ledger = None
    sizes = store.sizes()
    if ledger is not None and ledger.get("patterns") == list(config.patterns):
        absent = [file["path"] for file in ledger["files"] if sizes.get(file["path"]) != file["size"]]
        if not absent:
            count = len(ledger["files"])
            return _summary(config, "present", ledger["commit"], count, 0, ledger["total_bytes"], 0, begin)
        say(f"{len(absent)} files of the ledger are missing or of another size: {', '.join(absent[:5])}")
    source = open_source(config, token, client, stop, say)
    # A revision that moves stays at the commit that was published first: serving pods read this prefix.
    commit, listed = source.listing(ledger["commit"] if ledger else config.revision)
    files = select(listed, config)
    total = sum(file.size for file in files)
    say(f"{config.repository} at {commit}: {len(files)} of {len(listed)} files, {_size(total)}")
    if unfinished := store.abort_unfinished():
        say(f"dropped {unfinished} unfinished uploads of an earlier run")
    hashes = _present(config, store, [file for file in files if sizes.get(file.path) == file.size], stop)
    todo = [file for file in files if file.path not in hashes]
    if hashes:
        say(f"{len(hashes)} files are there already")
    mover = Mover(config, source, store, stop, say)
    progress = Progress(config, mover, sum(file.size for file in todo), len(todo))
    mover.move(todo, progress.tick)
    stop.check()
    for path in sorted(sizes.keys() - {file.path for file in files}):
        # Of another commit or other globs: the engine would load it too. Only what a fetch has written.
        if META_IDENTITY in store.metadata(path):
            say(f"deleting {path}, which is not part of this revision")
            store.delete(path)
    store.write_ledger(make_ledger(config, commit, files, hashes | mover.hashes))
    return _summary(config, "fetched", commit, len(files), len(todo), total, progress.total, begin)


def _present(config: Config, store: Store, candidates: list[RemoteFile], stop: Stop) -> dict[str, str]:
    """Path -> sha256 of the candidates whose objects are of the source's content by their metadata."""

    def known(file: RemoteFile) -> str | None:
        stop.check()
        metadata = store.metadata(file.path)
        if metadata.get(META_IDENTITY) != file.identity:
            return None
        sha256 = metadata.get(META_SHA256) or store.sha256(file.path, stop)
        return sha256 if file.sha256 in (None, sha256) else None

    with concurrent.futures.ThreadPoolExecutor(config.connections) as pool:
        found = pool.map(known, candidates)
        return {file.path: sha256 for file, sha256 in zip(candidates, found, strict=True) if sha256}


class Progress:
    """A line at intervals: bytes, rate of the last interval, time left."""

    def __init__(self, config: Config, mover: Mover, total: int, files: int) -> None:
        self.total, self._files, self._mover, self._interval = total, files, mover, config.progress
        self._last = (time.monotonic(), 0)

    def tick(self) -> None:
        """Say where we are, if it is time to."""
        now, done = time.monotonic(), self._mover.bytes
        then, before = self._last
        if now - then < self._interval:
            return
        self._last = (now, done)
        rate = max(done - before, 0) / (now - then)
        left = f"{(self.total - done) / rate:.0f} s left" if rate > 0 else "nothing came"
        share = 100 * done / self.total if self.total else 100
        say(
            f"{_size(done)} of {_size(self.total)} ({share:.0f}%), {_size(rate)}/s, {left}, "
            f"{len(self._mover.hashes)} of {self._files} files"
        )


# == check =============================================================================================================


def check(config: Config, stop: Stop) -> dict[str, Any]:
    """Wait until the mount shows the ledger and every file of it; the summary. IncompleteError at the bound."""
    begin = time.monotonic()
    pause, said = 0.5, ""
    while True:
        problems, ledger = _examine(config)
        if ledger is not None and not problems:
            count = len(ledger["files"])
            return _summary(config, "complete", ledger["commit"], count, 0, ledger["total_bytes"], 0, begin)
        text = "; ".join(problems[:20]) + (f"; and {len(problems) - 20} more" if len(problems) > 20 else "")
        left = begin + config.wait - time.monotonic()
        if left <= 0:
            raise IncompleteError(f"after {config.wait} s {config.mount} is not complete: {text}")
        if text != said:
            say(f"waiting up to {left:.0f} s: {text}")
            said = text
        stop.sleep(min(pause, left))
        pause = min(pause * 1.5, 5)


def _examine(config: Config) -> tuple[list[str], dict[str, Any] | None]:
    """What is wrong below the mount, one text a problem, and the ledger if there is one of this revision."""
    path = config.ledger_path
    try:
        ledger = parse_ledger(path.read_bytes())
    except ValueError as error:
        return [f"the ledger {path} is not valid: {error}"], None
    except OSError as error:
        return [f"the ledger {path} cannot be read: {error.strerror}"], None
    if not of_config(ledger, config):
        found = f"{ledger['model']}, {ledger['repository']} at {ledger['requested_revision']}"
        wanted = f"{config.model}, {config.repository} at {config.revision}"
        return [f"the ledger {path} is of {found}; wanted: {wanted}"], None
    problems = []
    for file in ledger["files"]:
        try:
            size = os.stat(os.path.join(config.mount, file["path"])).st_size
        except OSError as error:
            problems.append(f"{file['path']} is missing ({error.strerror})")
            continue
        if size != file["size"]:
            problems.append(f"{file['path']} has {size} bytes instead of {file['size']}")
    return problems, ledger


# == Telling ===========================================================================================================


def say(text: str) -> None:
    """One line for the log."""
    print(text, flush=True)


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.1f} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1024
    return f"{count:.2f} GiB"


def _summary(
    config: Config, status: str, commit: str, files: int, fetched: int, total: int, fetched_bytes: int, begin: float
) -> dict[str, Any]:
    return {
        "status": status,
        "model": config.model,
        "repository": config.repository,
        "revision": config.revision,
        "commit": commit,
        "files": files,
        "fetched_files": fetched,
        "total_bytes": total,
        "fetched_bytes": fetched_bytes,
        "seconds": round(time.monotonic() - begin, 1),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _conclude(summary: dict[str, Any], environ: Mapping[str, str]) -> None:
    """The last line of the log, and Kubernetes' termination message (at most 4096 bytes)."""
    line = json.dumps(summary)
    print(line, flush=True)
    if len(line) > 4096 and "error" in summary:
        line = json.dumps(summary | {"error": summary["error"][:1500]})
    log = environ.get("LLMFLEET_TERMINATION_LOG", "/dev/termination-log")
    # Only where Kubernetes has made it: elsewhere /dev is no place for our files.
    with contextlib.suppress(OSError), open(log, "r+") as stream:
        stream.truncate(0)
        stream.write(line)


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Run one verb; the exit status: 0, or ``code`` of the failure."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.on_signal)
    try:
        if len(arguments) != 1 or arguments[0] not in ("fetch", "check"):
            raise ConfigError(f"got arguments {arguments}; accepted: fetch or check")
        config = read_config(environ)
        summary = fetch(config, environ, stop) if arguments[0] == "fetch" else check(config, stop)
    except FetchError as error:
        # A signal shows up as whatever it interrupted.
        failure = StoppedError(f"stopped by {stop.signal}") if stop.signal else error
        print(f"error: {failure}", file=sys.stderr, flush=True)
        _conclude(
            {"status": "failed", "kind": failure.kind, "retryable": failure.retryable, "error": str(failure)}, environ
        )
        return failure.code
    _conclude(summary, environ)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
