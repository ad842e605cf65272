# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration, as the environment gives it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failures import ConfigError
from .globs import DEFAULT_PATTERNS

MIB = 1024 * 1024
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Config:
    """What LLMFLEET_WEIGHTS says, and the settings that have environment variables of their own.

    ``source``: ``hub``, ``s3://bucket/prefix`` or an absolute folder. ``patterns``: key ``files``; empty: the default.
    ``ledger``: key of the ledger, below ``prefix``. ``token_secret``: name of the Secret, for messages only.
    ``cache``: folder of the bucket that engines write compiled code to, empty for none.
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
    cache: str = ""
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
_OPTIONAL = ("source", "hub_endpoint", "token_secret", "cache")
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
    values |= {key: values[key].rstrip("/") for key in ("prefix", "hub_endpoint", "cache") if key in values}
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
