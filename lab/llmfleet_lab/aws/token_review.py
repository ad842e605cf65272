# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a service account token good, and whose is it? Asked of the API server."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

AUDIENCE = "pods.eks.amazonaws.com"
_PREFIX = "system:serviceaccount:"


class Unavailable(Exception):
    """The API server could not be asked."""


@dataclass(frozen=True)
class ServiceAccount:
    """Whose token it is. pod: name of the pod that it is bound to, "" for none."""

    namespace: str
    name: str
    pod: str = ""


class Review(Protocol):
    """A way to check tokens."""

    def __call__(self, token: str) -> ServiceAccount | None:
        """The owner of a good token for AUDIENCE, None for any other. Raises Unavailable."""


class KubernetesReview:
    """TokenReview by the API server of a kubeconfig, which is first read when a token comes."""

    def __init__(self, kubeconfig: Path) -> None:
        self._kubeconfig = kubeconfig
        self._lock = threading.Lock()
        self._api: Any = None

    def __call__(self, token: str) -> ServiceAccount | None:
        """See Review."""
        from kubernetes import client
        from kubernetes.config.config_exception import ConfigException
        from urllib3.exceptions import HTTPError

        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [AUDIENCE]},
        }
        try:
            status = self._authentication().create_token_review(body, _request_timeout=10).status
        except (client.ApiException, HTTPError, ConfigException, OSError) as error:
            raise Unavailable(f"{type(error).__name__} from the API server") from None
        if not status.authenticated or AUDIENCE not in (status.audiences or []):
            return None
        return owner(status.user.username, status.user.extra or {})

    def _authentication(self) -> Any:
        from kubernetes import client, config

        with self._lock:
            if self._api is None:
                self._api = client.AuthenticationV1Api(config.new_client_from_config(str(self._kubeconfig)))
            return self._api


def owner(username: str, extra: dict[str, list[str]]) -> ServiceAccount | None:
    """The service account of a user name of the API server, None when it is another kind of user."""
    if not username.startswith(_PREFIX):
        return None
    namespace, _, name = username.removeprefix(_PREFIX).partition(":")
    return ServiceAccount(namespace, name, next(iter(extra.get("authentication.kubernetes.io/pod-name", [])), ""))
