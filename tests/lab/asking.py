# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the gateway: it asks by the name of a model, once or as many readers at a time, and counts tokens."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths
from llmfleet_lab.secrets import Credentials


@dataclass(frozen=True)
class Gateway:
    """The gateway's Service, as a client inside the cluster sees it, and the operator's key."""

    address: str
    key: str

    @classmethod
    def of(cls, kubectl: Kubectl, paths: Paths) -> Gateway:
        """That of the running lab."""
        where = ("get", "service", "llm-gateway", "-n", "llm-gateway", "-o", "jsonpath={.spec.clusterIP}")
        return cls(kubectl.run(*where), Credentials(paths.secrets).text("gateway-key"))

    def ask(self, name: str, prompt: str = "hello", **more: Any) -> http.client.HTTPResponse:
        """Ask a model or adapter for a completion; the answer is still to be read.

        more: fields of the body.
        """
        connection = http.client.HTTPConnection(self.address, 8080, timeout=60)
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.key}",
        }
        body = {"model": name, "prompt": prompt, "temperature": 0, "seed": 1, **more}
        connection.request("POST", "/v1/completions", json.dumps(body), headers)
        return connection.getresponse()

    def complete(self, name: str, prompt: str = "hello", **more: Any) -> dict[str, Any]:
        """Return the whole answer of a model or adapter. AssertionError when it is not 200."""
        answer = self.ask(name, prompt, **more)
        content = answer.read()
        assert answer.status == 200, (name, answer.status, content[:500])
        found: dict[str, Any] = json.loads(content)
        return found


@dataclass(frozen=True)
class Stream:
    """One stream that was read to its end. began, ended: epoch seconds; pods: whoever sent an event of it."""

    began: float
    ended: float
    tokens: int
    pods: frozenset[str]


@dataclass
class Readers:
    """Threads that read one stream after the other until they are told to stop.

    gateway, model: what is asked. tokens: of each stream. most: streams that a reader reads at most. streams, failures:
    what came to its end, and what did not, in words.
    """

    gateway: Gateway
    model: str
    tokens: int
    most: int
    streams: list[Stream] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, number: int, apart: float) -> None:
        """Start so many readers, each some seconds after the one before."""
        self._threads = [threading.Thread(target=self._read, args=(at * apart,), daemon=True) for at in range(number)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each one read its stream to the end; then there are no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=self.tokens + 120)
            assert not thread.is_alive(), "a reader hangs"

    def _read(self, delay: float) -> None:
        self._stop.wait(delay)
        for _ in range(self.most):
            if self._stop.is_set():
                return
            began = time.time()
            try:
                tokens, pods = self._stream()
                self.streams.append(Stream(began, time.time(), tokens, pods))
            except (OSError, http.client.HTTPException, ValueError, AssertionError) as error:
                self.failures.append(f"after {time.time() - began:.1f} s: {type(error).__name__}: {error}")
        self.failures.append(f"a reader had read {self.most} streams before the end")

    def _stream(self) -> tuple[int, frozenset[str]]:
        answer = self.gateway.ask(self.model, stream=True, max_tokens=self.tokens)
        text = answer.read().decode()
        assert answer.status == 200, f"{answer.status} {text[:300]}"
        events = [line.removeprefix("data: ") for line in text.split("\n\n") if line]
        assert events[-1:] == ["[DONE]"], f"cut after {len(events)} events"
        parsed = [json.loads(event) for event in events[:-1]]
        assert len(parsed) == self.tokens, f"{len(parsed)} tokens of {self.tokens}"
        return len(parsed), frozenset(event["system_fingerprint"] for event in parsed)
