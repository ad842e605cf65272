# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP requests to a pod's port through the API server: no proxy process, no open port, nothing written."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import sdk
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError, ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import PODS

SECRETS = Resource("", "v1", "Secret", "secrets", True)
SERVICES = Resource("", "v1", "Service", "services", True)
_LARGEST_BODY = 16 * 1024 * 1024
_LONGEST_TEXT = 2000


@dataclass(frozen=True)
class Target:
    """Which pods: those behind a Service, or those that a label selector names; port: a number or a name.

    With a service, port is the Service's; with a selector, the container's.
    """

    namespace: str
    port: int | str
    service: str = ""
    selector: str = ""

    def __str__(self) -> str:
        """Return "service llm/a port 80"."""
        what = (
            f"service {self.namespace}/{self.service}" if self.service else f"pods {self.selector} in {self.namespace}"
        )
        return f"{what}, port {self.port}"


@dataclass(frozen=True)
class Question:
    """One HTTP request. body: anything JSON, None for none. bearer: a key for the Authorization header, never shown."""

    path: str = "/"
    method: str = "GET"
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Answer:
    """status: HTTP code. json: the decoded body, None when it is none. text: the body otherwise, cut. seconds: from
    the first byte sent to the last received. pod: who answered. attempts: how many requests it took."""

    status: int
    json: Any
    text: str
    headers: dict[str, str]
    seconds: float
    pod: str
    attempts: int = 1


class NoAnswer(ClusterError):
    """No pod could be asked: none is ready, or nothing listens on the port."""


def secret_value(client: Client, namespace: str, name: str, key: str) -> str:
    """Return one value of a Secret, for use in this process only. Raises ClusterError that never holds a value."""
    found = client.find(SECRETS.path(namespace, name))
    if found is None:
        raise ClusterError(f"Secret {namespace}/{name} does not exist")
    data = found.get("data") or {}
    if key not in data:
        raise ClusterError(f"Secret {namespace}/{name} has no key {key!r}; it has {', '.join(sorted(data)) or 'none'}")
    try:
        return base64.b64decode(data[key]).decode().strip()
    except ValueError:
        raise ClusterError(f"Secret {namespace}/{name}, key {key!r}: accepted: text") from None


def ask(
    client: Client,
    target: Target,
    question: Question,
    *,
    until: Collection[int] = (),
    timeout: float = 60.0,
    request_timeout: float = 30.0,
    progress: Callable[[str], None] | None = None,
) -> Answer:
    """Return the answer to one request; with `until`, ask again for `timeout` seconds until a status is among them.

    request_timeout: seconds for one request. Raises NoAnswer (without `until`: at once), ClusterError when the statuses
    wanted did not come; the text tells what came last.
    """
    began = told = time.monotonic()
    attempts = 0
    while True:
        attempts += 1
        last: str
        try:
            answer = _once(client, target, question, request_timeout, attempts)
            if not until or answer.status in until:
                return answer
            last = f"HTTP {answer.status} {answer.text or json.dumps(answer.json)[:300]}".strip()
        except NoAnswer as error:
            if not until:
                raise
            last = str(error)
        now = time.monotonic()
        if now - began >= timeout:
            wanted = " or ".join(str(status) for status in until)
            raise ClusterError(
                f"{target}: wanted HTTP {wanted} within {timeout:.0f} s; after {attempts} requests: {last}"
            )
        if progress and now - told >= 15.0:
            told = now
            progress(f"asking {target}: {now - began:.0f} s of {timeout:.0f} s, last: {last[:200]}")
        time.sleep(min(1.0 + 0.25 * attempts, 5.0, max(began + timeout - now, 0.05)))


def _once(client: Client, target: Target, question: Question, timeout: float, attempt: int) -> Answer:
    pod, port = _choose(client, target, attempt)
    name = str(pod["metadata"]["name"])
    headers = {"Accept": "application/json", "Connection": "close", **question.headers}
    payload = None
    if question.body is not None:
        payload = json.dumps(question.body).encode()
        headers["Content-Type"] = "application/json"
    if question.bearer:
        headers["Authorization"] = f"Bearer {question.bearer}"
    forward = open_port(client, target.namespace, name, port, timeout)
    began = time.monotonic()
    try:
        connection = http.client.HTTPConnection("localhost", timeout=timeout)
        connection.sock = forward.socket(port)
        connection.sock.settimeout(timeout)
        connection.request(question.method, question.path, body=payload, headers=headers)
        response = connection.getresponse()
        data = response.read(_LARGEST_BODY)
        seconds = round(time.monotonic() - began, 4)
    except (OSError, http.client.HTTPException) as error:
        told = (forward.error(port) or "").strip() or str(error) or type(error).__name__
        if "connection refused" in told:  # the runtime says it at the end of a long account
            told = "nothing listens there (connection refused)"
        raise NoAnswer(f"pod {target.namespace}/{name}, port {port}: no HTTP answer: {told[:300]}") from None
    finally:
        forward.close()
    text = data.decode("utf-8", "replace")
    received = {key.lower(): value for key, value in response.getheaders()}
    if question.bearer:  # a server may echo what it was sent
        text = text.replace(question.bearer, "<hidden>")
        received = {key: value.replace(question.bearer, "<hidden>") for key, value in received.items()}
    try:
        body, rest = json.loads(text), ""
    except ValueError:
        body, rest = None, text[:_LONGEST_TEXT]
    return Answer(response.status, body, rest, received, seconds, name, attempt)


def _choose(client: Client, target: Target, attempt: int) -> tuple[dict[str, Any], int]:
    """Return a ready pod of the target, another one at each attempt, and the number of the container port in it."""
    selector, wanted = target.selector, target.port
    if target.service:
        service = client.find(SERVICES.path(target.namespace, target.service))
        if service is None:
            raise NoAnswer(f"Service {target.namespace}/{target.service} does not exist")
        spec = service.get("spec") or {}
        if not spec.get("selector"):
            raise ClusterError(f"Service {target.namespace}/{target.service} selects no pods")
        selector = ",".join(f"{key}={value}" for key, value in spec["selector"].items())
        ports = spec.get("ports") or []
        match = next((p for p in ports if wanted in (p.get("port"), p.get("name"), str(p.get("port")))), None)
        if match is None:
            known = ", ".join(f"{p.get('name') or ''}:{p.get('port')}".lstrip(":") for p in ports)
            raise ClusterError(f"{target}: no such port; the Service has {known or 'none'}")
        wanted = match.get("targetPort", match["port"])
    pods = [pod for pod in client.list(PODS, target.namespace, label_selector=selector) if _ready(pod)]
    if not pods:
        raise NoAnswer(f"{target}: no pod is ready")
    pods.sort(key=lambda pod: str(pod["metadata"]["name"]))
    pod = pods[(attempt - 1) % len(pods)]
    return pod, _number(pod, wanted)


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _number(pod: Mapping[str, Any], port: int | str) -> int:
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    spec = pod.get("spec") or {}
    for container in [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]:
        for known in container.get("ports") or []:
            if known.get("name") == port:
                return int(known["containerPort"])
    raise ClusterError(f"pod {pod['metadata']['name']}: no container has a port named {port!r}")


def open_port(client: Client, namespace: str, pod: str, port: int, timeout: float) -> Any:
    """Open a pod's port through the API server; return an object with socket(port), error(port) and close().

    Raises NoAnswer when the pod cannot be reached, ApiError when the API server refuses.
    """
    url = urlsplit(client.host)
    path = f"{url.path}{PODS.path(namespace, pod)}/portforward?{urlencode({'ports': port})}"
    address = f"{'wss' if url.scheme == 'https' else 'ws'}://{url.netloc}{path}"
    for renewed in (False, True):
        authorization = client.connection.credentials.header()
        try:
            tunnel = sdk.websocket.create_connection(
                address,
                timeout=min(timeout, 15.0),
                header=[f"Authorization: {authorization}"] if authorization else [],
                subprotocols=["v4.channel.k8s.io"],
                sslopt=_tls(client),
                **_proxy(client),
            )
        except sdk.websocket.WebSocketBadStatusException as error:
            if error.status_code == 401 and not renewed and client.connection.credentials.renew(authorization):
                continue
            if error.status_code in (404, 500, 502, 503, 504):  # the pod went away, its node does not answer
                raise NoAnswer(f"pod {namespace}/{pod}: port-forward refused: HTTP {error.status_code}") from None
            raise ApiError(error.status_code, f"port-forward to pod {namespace}/{pod} was refused") from None
        except (OSError, sdk.websocket.WebSocketException) as error:
            raise NoAnswer(f"pod {namespace}/{pod}: port-forward failed: {error}") from None
        return sdk.ws_client.PortForward(tunnel, [port])
    raise NoAnswer(f"pod {namespace}/{pod}: port-forward refused")  # not reached: the second 401 is raised above


def _tls(client: Client) -> dict[str, Any]:
    options: dict[str, Any] = {"context": client.connection.ssl_context} if client.connection.ssl_context else {}
    if client.connection.server_hostname:
        options["server_hostname"] = client.connection.server_hostname
    return options


def _proxy(client: Client) -> dict[str, Any]:
    if not client.connection.proxy:
        return {}
    proxy = urlsplit(client.connection.proxy)
    return {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port, "proxy_type": proxy.scheme or "http"}
