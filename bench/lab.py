# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab as the benchmarks use it: its programs, its API server, the requests that it was sent."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client, open_client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from llmfleet_lab.paths import Paths, default_paths
from llmfleet_lab.processes import Processes

# Marks the namespaces that a benchmark has made: no other is ever deleted.
MARK = "bench.llmfleet.io/made-by-bench"
PREFIX = "bench-"
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_MUTATING = {"create", "update", "patch", "delete", "deletecollection"}
_ADMIN = "lab-admin"


class BenchError(Exception):
    """A benchmark cannot run, or what it measured is not what it meant to measure."""


@dataclass(frozen=True)
class Lab:
    """A lab that runs. cluster: the name that goes into ownership labels. through: another kubeconfig for its API."""

    paths: Paths
    cluster: str = "bench"
    through: Path | None = None

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of those who speak to the API server."""
        return self.through or self.paths.kubeconfig

    @property
    def environment(self) -> dict[str, str]:
        """The environment of programs that speak to the lab (as its `env` file gives it)."""
        aws = self.paths.secrets / "aws"
        return {
            **os.environ,
            "PATH": f"{self.paths.state / 'bin'}:{os.environ['PATH']}",
            "KUBECONFIG": str(self.kubeconfig),
            "AWS_CONFIG_FILE": str(aws / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(aws / "credentials"),
            "AWS_PROFILE": "llmfleet-lab",
        }

    def program(self, name: str) -> str:
        """Return the path of one of the lab's programs."""
        return str(self.paths.state / "bin" / name)

    def client(self) -> Client:
        """Return a new client: no connection is open yet, nothing is known of the server."""
        return open_client({"name": self.cluster, "kubeconfig": str(self.kubeconfig)})

    def server_cpu(self) -> float:
        """Return the CPU seconds that the API server and etcd have used so far."""
        processes, ticks = Processes(self.paths), 0
        for name in ("kube-apiserver", "etcd"):
            pid = processes.pid(name)
            if pid is not None:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def audit(self) -> Audit:
        """Return a reader of the requests from now on."""
        return Audit(self.paths.logs / "audit.jsonl")


def open_lab() -> Lab:
    """Return the lab of this machine. Raises BenchError when none is up."""
    paths = default_paths()
    if "kube-apiserver" not in Processes(paths).memory():
        raise BenchError("no lab runs on this machine: start one with `make lab-up`")
    lab = Lab(paths)
    try:
        lab.client().get("/version")
    except ClusterError as error:
        raise BenchError(f"the lab's API server does not answer ({error}): see `make lab-status`") from None
    return lab


@dataclass
class Requests:
    """Requests of the lab's administrator by verb; writes: those that change something (no dry runs)."""

    verbs: Counter[str] = field(default_factory=Counter)
    writes: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.verbs.total()


class Audit:
    """Reads the API server's audit log from the moment at which it was made; also across the log's rotation."""

    def __init__(self, log: Path) -> None:
        """Begin at the end of the log."""
        self._log = log
        self._file = self._open()
        self._file.seek(0, os.SEEK_END)
        self._rest = b""

    def _open(self) -> BinaryIO:
        try:
            return self._log.open("rb")
        except OSError as error:
            raise BenchError(f"the lab's audit log cannot be read: {error}") from None

    def events(self) -> list[dict[str, Any]]:
        """Return what was added since the last call."""
        text = self._rest + self._file.read()
        with contextlib.suppress(FileNotFoundError):
            if self._log.stat().st_ino != os.fstat(self._file.fileno()).st_ino:
                text += self._file.read()
                self._file.close()
                self._file = self._open()
                text += self._file.read()
        *lines, self._rest = text.split(b"\n")
        return [json.loads(line) for line in lines if line]

    def requests(self) -> Requests:
        """Count the administrator's requests since the last call; the log is written a moment after the answer."""
        time.sleep(0.5)
        found = Requests()
        for event in self.events():
            if event["user"].get("username") != _ADMIN:
                continue
            found.verbs[event["verb"]] += 1
            resource = (event.get("objectRef") or {}).get("resource", "")
            if event["verb"] in _MUTATING and "dryRun=All" not in event["requestURI"] and "reviews" not in resource:
                found.writes += 1
        return found

    def quiet(self, within: float = 120.0) -> bool:
        """Wait until controllers have hardly anything left to write; tell whether that was reached in time."""
        until = time.monotonic() + within
        calm = 0
        self.events()
        while calm < 3:
            time.sleep(0.5)
            writes = sum(event["verb"] in _MUTATING for event in self.events())
            calm = calm + 1 if writes <= 5 else 0
            if time.monotonic() > until:
                return False
        return True


class Namespaces:
    """The namespaces of one run; every one of them is gone at its end."""

    def __init__(self, lab: Lab) -> None:
        """Nothing is made yet."""
        self._lab = lab
        self.present: list[str] = []

    def make(self, name: str) -> None:
        """Make an empty namespace; one that a killed run has left is removed first. Raises BenchError."""
        client = self._lab.client()
        found = client.find(_NAMESPACES.path(None, name))
        if found is not None:
            if not name.startswith(PREFIX) or MARK not in (found["metadata"].get("labels") or {}):
                raise BenchError(f"the namespace {name} exists and no benchmark has made it: left alone")
            self.present.append(name)
            self.remove(name)
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {MARK: "yes"}}}
        self.present.append(name)
        client.request("POST", _NAMESPACES.path(), body=body)

    def remove(self, *names: str, within: float = 300.0) -> None:
        """Delete namespaces that this run has made and wait until they are gone. Raises BenchError at the end."""
        client = self._lab.client()
        mine = [name for name in names if name in self.present]
        for name in mine:
            client.delete(_NAMESPACES.path(None, name))
        until = time.monotonic() + within
        while mine:
            gone = [name for name in mine if client.find(_NAMESPACES.path(None, name)) is None]
            self.present = [name for name in self.present if name not in gone]
            mine = [name for name in mine if name not in gone]
            if mine and time.monotonic() > until:
                raise BenchError(f"still being deleted after {within:.0f} s: the namespaces {', '.join(mine)}")
            if mine:
                time.sleep(0.5)


@contextlib.contextmanager
def namespaces(lab: Lab) -> Iterator[Namespaces]:
    """Namespaces that are removed at the end, however it comes, also by Ctrl-C or SIGTERM."""
    made = Namespaces(lab)
    try:
        yield made
    finally:
        left = list(made.present)
        if left:
            print(f"cleaning up: {', '.join(left)}", flush=True)
            try:
                made.remove(*left)
            except (KeyboardInterrupt, BenchError, ClusterError):
                print(f"not removed: kubectl delete namespace {' '.join(made.present)}", flush=True)
                raise
