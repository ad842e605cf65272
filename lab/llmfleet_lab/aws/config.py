# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file of ``python -m llmfleet_lab.aws``: YAML or JSON, for its owner's eyes only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from llmfleet_lab.errors import LabError


@dataclass(frozen=True)
class Listen:
    """Where to listen. Port 0 lets the kernel choose."""

    address: str
    port: int


@dataclass(frozen=True)
class Keys:
    """An access key and its secret."""

    access_key_id: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True)
class ObjectStore:
    """versitygw: its base URL and root keys."""

    endpoint: str
    keys: Keys


@dataclass(frozen=True)
class Cluster:
    """The EKS cluster that DescribeCluster tells of.

    endpoint: URL of the API server. certificate_authority: its CA, PEM in base64. version: Kubernetes minor version.
    """

    name: str
    region: str
    account: str
    endpoint: str
    certificate_authority: str
    version: str = "1.36"


@dataclass(frozen=True)
class Webhook:
    """Where the admission webhook listens, and the files of its TLS certificate and key."""

    listen: Listen
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Config:
    """Everything the process is told. Parts that are None are not served.

    endpoint: URL under which pods reach the AWS APIs. delays: seconds that a resource of S3 Files or an EKS
    add-on takes to become available ("creating") and to vanish ("deleting"). secrets: name in Secrets Manager
    -> JSON value.
    """

    listen: Listen
    endpoint: str
    operator: Keys
    cluster: Cluster
    logs: Path | None = None
    object_store: ObjectStore | None = None
    agent: Listen | None = None
    webhook: Webhook | None = None
    kubeconfig: Path | None = None
    secrets: Mapping[str, Any] = field(default_factory=dict, repr=False)
    delays: Mapping[str, float] = field(default_factory=lambda: {"creating": 2.0, "deleting": 2.0})


class _Reader:
    """Typed access to a mapping; failures name the key by its full path and never show a value."""

    def __init__(self, values: Any, path: str, known: set[str]) -> None:
        if not isinstance(values, Mapping):
            raise LabError(f"{path or 'the configuration'}: got {type(values).__name__}; accepted: a mapping")
        self._values = values
        self._path = f"{path}." if path else ""
        unknown = sorted(set(values) - known)
        if unknown:
            raise LabError(f"{self._path}{unknown[0]}: unknown key; accepted: {', '.join(sorted(known))}")

    def text(self, key: str, pattern: str = r".+", default: str | None = None) -> str:
        value = self._values.get(key, default)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise LabError(f"{self._path}{key}: missing or malformed; accepted: a string that matches {pattern}")
        return value

    def port(self, key: str, default: int) -> int:
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 65535:
            raise LabError(f"{self._path}{key}: got {value!r}; accepted: a port number, 0 to 65535")
        return value

    def seconds(self, key: str, default: float) -> float:
        value = self._values.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise LabError(f"{self._path}{key}: got {value!r}; accepted: seconds, 0 or more")
        return float(value)

    def has(self, key: str) -> bool:
        return self._values.get(key) is not None

    def part(self, key: str, known: set[str]) -> _Reader:
        return _Reader(self._values.get(key, {}), f"{self._path}{key}", known)

    def raw(self, key: str) -> Any:
        return self._values.get(key)


def load(path: Path) -> Config:
    """Read and check a configuration file; see Config. Raises LabError that names what is wrong."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LabError(f"cannot read the configuration {path}: {error.strerror}") from None
    if mode & 0o077:
        raise LabError(f"{path} holds secrets and has mode {mode:04o}; accepted: 0600 or stricter")
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        # The parser's message quotes the text, which holds secrets.
        raise LabError(f"{path} is neither YAML nor JSON") from None
    return parse(document)


def parse(document: Any) -> Config:
    """The configuration in a parsed document. Raises LabError that names what is wrong."""
    top = _Reader(
        document,
        "",
        {
            *("listen", "endpoint", "logs", "operator", "versitygw", "cluster", "pod_identity", "webhook"),
            *("kubeconfig", "secrets", "delays"),
        },
    )
    listen = _listen(top.part("listen", {"address", "port"}), "10.245.0.1", 4566)
    cluster = top.part("cluster", {"name", "region", "account", "endpoint", "certificate_authority", "version"})
    webhook = top.part("webhook", {"address", "port", "certificate", "key"})
    agent = top.part("pod_identity", {"address", "port"})
    delays = top.part("delays", {"creating", "deleting"})
    secrets = top.raw("secrets") or {}
    if not isinstance(secrets, Mapping):
        raise LabError(f"secrets: got {type(secrets).__name__}; accepted: a mapping of names to JSON values")
    return Config(
        listen=listen,
        endpoint=top.text("endpoint", r"https?://.+", f"http://{listen.address}:{listen.port}"),
        operator=_keys(top.part("operator", {"access_key_id", "secret_access_key"})),
        cluster=Cluster(
            name=cluster.text("name", r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}"),
            region=cluster.text("region", r"[a-z]{2}(-[a-z]+)+-\d"),
            account=cluster.text("account", r"\d{12}"),
            endpoint=cluster.text("endpoint", r"https://.+"),
            certificate_authority=cluster.text("certificate_authority", r"[A-Za-z0-9+/=]+"),
            version=cluster.text("version", r"1\.\d+", "1.36"),
        ),
        logs=Path(top.text("logs")) if top.has("logs") else None,
        object_store=_object_store(top) if top.has("versitygw") else None,
        agent=_listen(agent, "169.254.170.23", 80) if top.has("pod_identity") else None,
        webhook=(
            Webhook(_listen(webhook, "10.245.0.1", 4567), Path(webhook.text("certificate")), Path(webhook.text("key")))
            if top.has("webhook")
            else None
        ),
        kubeconfig=Path(top.text("kubeconfig")) if top.has("kubeconfig") else None,
        secrets={str(name): value for name, value in secrets.items()},
        delays={"creating": delays.seconds("creating", 2), "deleting": delays.seconds("deleting", 2)},
    )


def _listen(values: _Reader, address: str, port: int) -> Listen:
    return Listen(values.text("address", r"[0-9a-fA-F.:]+|localhost", address), values.port("port", port))


def _keys(values: _Reader) -> Keys:
    return Keys(values.text("access_key_id", r"[\w-]+"), values.text("secret_access_key", r"\S+"))


def _object_store(top: _Reader) -> ObjectStore:
    values = top.part("versitygw", {"endpoint", "access_key_id", "secret_access_key"})
    return ObjectStore(values.text("endpoint", r"https?://[^/]+"), _keys(values))
