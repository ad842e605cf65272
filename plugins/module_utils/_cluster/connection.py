# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach a cluster: from a kubeconfig, or from EKS when the inventory names none."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import sdk
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError

# The kubernetes package remembers the files it made in a global, without a lock.
_LOADING = threading.Lock()


class Credentials:
    """The Authorization header, renewed by a function when the server refuses it. Safe to use from threads."""

    def __init__(self, load: Callable[[bool], str | None]) -> None:
        """Take a function(force) that returns the header's value, None when client certificates do the work.

        It is called for every request and is expected to cache; with force=True it must make a new one.
        """
        self._load = load
        self._lock = threading.Lock()

    def header(self) -> str | None:
        """Return the value of the Authorization header, or None."""
        with self._lock:
            return self._load(False)

    def renew(self, refused: str | None) -> bool:
        """Make a new header after a 401 and tell whether it differs from the refused one."""
        with self._lock:
            current = self._load(False)
            if current != refused:  # another thread was faster
                return True
            return self._load(True) != refused


@dataclass(frozen=True)
class Connection:
    """Where the API server is and how to speak to it; host is a URL without a trailing slash."""

    host: str
    credentials: Credentials
    ssl_context: ssl.SSLContext | None = None
    server_hostname: str | None = None
    proxy: str | None = None


def connect(cluster: Mapping[str, Any], aws: Mapping[str, Any] | None = None) -> Connection:
    """Return the Connection that the inventory's llmfleet_cluster describes.

    kubeconfig (a path) and context (a name in it): either or both; neither: endpoint and CA of the EKS cluster
    `name` in `region`, with tokens made in this process. Raises ClusterError that names the variable at fault.
    """
    if sdk.MISSING:
        raise ClusterError(f"a Python package is missing on the controller: {sdk.MISSING}: install requirements.txt")
    kubeconfig, context = cluster.get("kubeconfig"), cluster.get("context")
    if kubeconfig or context:
        return _from_kubeconfig(kubeconfig or None, context or None)
    return _from_eks(cluster, aws or {})


def _from_kubeconfig(path: str | None, context: str | None) -> Connection:
    where = os.path.expanduser(path or os.environ.get("KUBECONFIG") or "~/.kube/config")
    if path and not os.path.isfile(where):
        raise ClusterError(f"llmfleet_cluster.kubeconfig: {path!r}: no such file")

    def load() -> tuple[Any, ssl.SSLContext | None]:
        configuration = sdk.kube_client.Configuration()
        # Keys held inline become files for the TLS library to read; they go again at once, also in a forked worker.
        with _LOADING, tempfile.TemporaryDirectory(prefix="llmfleet-") as folder:
            try:
                sdk.kube_config.load_kube_config(
                    where, context, configuration, persist_config=False, temp_file_path=folder
                )
                secure = _ssl_context(configuration) if configuration.host.startswith("https") else None
            except (sdk.kube_config.ConfigException, OSError, ValueError) as error:
                named = f"llmfleet_cluster.context: {context!r} in {where}" if context else f"kubeconfig {where}"
                raise ClusterError(f"{named}: {error}") from None
        return configuration, secure

    configuration, secure = load()
    held = {"configuration": configuration}

    def authorization(force: bool) -> str | None:
        if force:
            held["configuration"] = load()[0]
        value = held["configuration"].get_api_key_with_prefix("BearerToken", "authorization")
        return str(value) if value else None

    return Connection(
        host=configuration.host.rstrip("/"),
        credentials=Credentials(authorization),
        ssl_context=secure,
        server_hostname=configuration.tls_server_name or None,
        proxy=configuration.proxy or None,
    )


def _ssl_context(configuration: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert or None)
    # Private CAs are often made without the key-usage extensions that newer Pythons insist on.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    return context


def _from_eks(cluster: Mapping[str, Any], aws: Mapping[str, Any]) -> Connection:
    name, region = cluster.get("name"), cluster.get("region")
    for field, value in (("name", name), ("region", region)):
        if not value:
            raise ClusterError(
                f"llmfleet_cluster.{field}: not set: without a kubeconfig the cluster is found in EKS by it"
            )
    # boto3 only where EKS is asked: a cluster with a kubeconfig does not need it.
    from ansible_collections.llmfleet.eks.plugins.module_utils._aws import eks_token, errors
    from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client, session

    try:
        aws_session = session(aws, str(region))
        access = eks_token.describe_cluster(client(aws_session, "eks"), str(name))
    except errors.AwsError as error:
        raise ClusterError(str(error)) from None
    if not access.endpoint or not access.ca_data:
        raise ClusterError(f"the EKS cluster {name} in {region} has no API server yet (status {access.status})")
    tokens = eks_token.TokenSource(aws_session, str(name))

    def authorization(force: bool) -> str | None:
        if force:
            tokens.discard()
        try:
            return f"Bearer {tokens.get()}"
        except errors.AwsError as error:
            raise ClusterError(str(error)) from None

    context = ssl.create_default_context(cadata=base64.b64decode(access.ca_data).decode("ascii"))
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return Connection(access.endpoint.rstrip("/"), Credentials(authorization), context)
