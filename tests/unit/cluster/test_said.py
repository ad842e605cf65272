# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""While Jobs are waited for, what they say of their progress is told. The cluster is a stand-in."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import said, wait
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ApiError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.wait import Ref, wait_for

JOBS = Resource("batch", "v1", "Job", "jobs", True)
LINE = "3.0 GiB of 15.0 GiB (20%), 310.2 MiB/s, 39 s left, 2 of 9 files"


class Cluster:
    """Quacks like Client: Jobs whose pods are at work until so many looks were taken. forbidden: no logs."""

    def __init__(self, names: list[str], looks: int = 3, forbidden: bool = False) -> None:
        self.names, self.looks, self.forbidden = names, looks, forbidden
        self.discovery = self
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def resource(self, api_version: str, kind: str) -> Resource:
        return JOBS

    def _job(self, name: str) -> dict[str, Any]:
        done = [{"type": "Complete", "status": "True"}] if self.looks <= 0 else []
        metadata = {"name": name, "namespace": "llm", "uid": f"uid-{name}", "generation": 1}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": metadata,
            "spec": {},
            "status": {"conditions": done},
        }

    def find(self, path: str) -> dict[str, Any] | None:
        self.looks -= 1
        return self._job(path.rpartition("/")[2])

    def list(self, resource: Resource, namespace: str | None = None, **options: Any) -> list[dict[str, Any]]:
        if resource.kind == "Job":
            self.looks -= 1
            return [self._job(name) for name in self.names]
        return [
            {
                "metadata": {"name": f"{name}-x", "namespace": "llm", "ownerReferences": [{"uid": f"uid-{name}"}]},
                "status": {
                    "phase": "Pending",
                    "initContainerStatuses": [
                        {"name": "cache", "state": {"terminated": {"exitCode": 0}}},
                        {"name": "fetch", "state": {"running": {}}},
                    ],
                    "containerStatuses": [{"name": "check", "state": {"waiting": {"reason": "PodInitializing"}}}],
                },
            }
            for name in self.names
        ]

    def text(self, path: str, *, query: dict[str, Any], patience: float) -> str:
        self.asked.append((path, query))
        assert patience < 10
        if self.forbidden:
            raise ApiError(403, {"message": "pods/log is forbidden", "reason": "Forbidden"})
        return f"{LINE}\n"


@pytest.fixture(autouse=True)
def at_every_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "_PROGRESS_EVERY", 0.0)
    monkeypatch.setattr(wait, "_FIRST_PAUSE", 0.01)


def waited(cluster: Cluster) -> list[str]:
    """The lines that are told until all Jobs are done."""
    lines: list[str] = []
    refs = [Ref("batch/v1", "Job", "llm", name) for name in cluster.names]
    wait_for(cast(Client, cluster), refs, 30, progress=lines.append)
    return lines


@pytest.mark.parametrize("names", [["qwen"], ["llama", "qwen"]])
def test_the_last_line_of_the_container_at_work(names: list[str]) -> None:
    cluster = Cluster(names)
    lines = waited(cluster)
    assert [line for line in lines if not line.startswith("waiting for")][: len(names)] == [
        f"{name}: {LINE}" for name in names
    ]
    path, query = cluster.asked[0]
    assert path.endswith(f"/namespaces/llm/pods/{names[0]}-x/log")
    assert (query["container"], query["tailLines"]) == ("fetch", 1)


def test_logs_that_may_not_be_read_are_no_reason_to_stop() -> None:
    assert all(line.startswith("waiting for") for line in waited(Cluster(["qwen"], forbidden=True)))


def test_of_many_jobs_some_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said, "MOST", 2)
    cluster = Cluster(["a", "b", "c", "d"])
    lines = [line for line in waited(cluster) if not line.startswith("waiting for")]
    assert lines[:3] == [f"a: {LINE}", f"b: {LINE}", "and 2 more"]


def test_what_looks_like_a_credential_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "text", lambda *_args, **_more: "asking with token=abcdef123456")
    assert "abcdef123456" not in "\n".join(lines := waited(Cluster(["qwen"]))) and "qwen: asking with token=…" in lines
