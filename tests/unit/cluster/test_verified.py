# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that verify weights: each result is read, the others go on, none is left behind. The cluster is a stand-in."""

from __future__ import annotations

import copy
import json
from typing import Any, cast

import deployment_server
import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import wait
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.verified import Verified, verify
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_verification import Verification, verification
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe

from tests.unit.fleet.bad_descriptions import COMMIT, GOOD

GOOD_END = {"status": "verified", "files": 9, "total_bytes": 123}
BAD_END = {"status": "failed", "kind": "corrupt", "error": "1 of 9 files differ from the ledger: a.safetensors: …"}
KINDS = {
    "Job": Resource("batch", "v1", "Job", "jobs", True),
    "ConfigMap": Resource("", "v1", "ConfigMap", "configmaps", True),
    "ServiceAccount": Resource("", "v1", "ServiceAccount", "serviceaccounts", True),
}


class Cluster(deployment_server.Server):
    """Runs a Job in no time; ends: how it ends, by the beginning of its name. None: it never does."""

    streams = 4

    def __init__(self, ends: dict[str, Any]) -> None:
        super().__init__()
        self.ends = ends
        self.deleted: list[str] = []

    def _end(self, name: str) -> Any:
        return next(end for begin, end in self.ends.items() if name.startswith(begin))

    def apply(self, path: str, body: Any, **options: Any) -> dict[str, Any]:
        kept = super().apply(path, body, **options)
        if body["kind"] == "Job" and self._end(body["metadata"]["name"]) is not None:
            good = self._end(body["metadata"]["name"]).get("status") == "verified"
            conditions = [{"type": "Complete" if good else "Failed", "status": "True", "reason": "PodFailurePolicy"}]
            self.objects[("Job", body["metadata"]["name"])]["status"] = {"conditions": conditions}
        return kept

    def list(self, resource: Resource, namespace: str | None = None, **options: Any) -> list[dict[str, Any]]:
        if resource.kind != "Pod":
            return [] if resource.kind == "Event" else super().list(resource, namespace, **options)
        return [self._pod(name) for kind, name in self.objects if kind == "Job" and self._end(name) is not None]

    def each(self, resource: Resource, namespace: str | None, keep: Any, **options: Any) -> Any:
        return [kept for obj in self.list(resource, namespace) if (kept := keep(obj)) is not None]

    def _pod(self, name: str) -> dict[str, Any]:
        metadata = {"name": f"{name}-x", "namespace": "llm", "labels": {"batch.kubernetes.io/job-name": name}}
        metadata |= {"ownerReferences": [{"uid": f"Job-{name}"}]}
        end = self._end(name)
        ended = {"exitCode": 0 if end.get("status") == "verified" else 5, "message": json.dumps(end)}
        status = {"containerStatuses": [{"name": "verify", "state": {"terminated": ended}}]}
        return {"metadata": metadata, "status": status}

    def delete(self, path: str, **_options: Any) -> bool:
        self.deleted.append(path.rpartition("/")[2])
        return self.objects.pop(("Job", self.deleted[-1]), None) is not None


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_server, "KINDS", {**deployment_server.KINDS, **KINDS})
    monkeypatch.setattr(wait, "_FIRST_PAUSE", 0.01)


@pytest.fixture
def wanted() -> Verification:
    """The Jobs of a model and of its adapter."""
    variables = copy.deepcopy(GOOD)
    variables["llmfleet_models"][0]["adapters"] = [{"name": "sql", "repository": "o/sql", "revision": "a" * 40}]
    return verification(describe(variables), {"weights/fetcher/__main__.py": "print()\n"}, "1")


def run(cluster: Cluster, wanted: Verification, timeout: float = 20) -> list[Verified]:
    found, _changed = verify(cast(Client, cluster), wanted, "prod", timeout, lambda _text: None)
    return found


def test_what_is_as_the_ledger_says(wanted: Verification) -> None:
    cluster = Cluster({"": GOOD_END})
    model, adapter = run(cluster, wanted)
    assert (model.name, model.repository, model.revision) == ("qwen", "Qwen/Qwen3-8B", COMMIT)
    assert (model.files, model.bytes, model.error, adapter.name, adapter.error) == (9, 123, "", "sql", "")
    assert sorted(cluster.deleted) == sorted(wanted.jobs) and not [k for k, _ in cluster.objects if k == "Job"]


def test_what_differs_is_told_and_the_others_are_read_all_the_same(wanted: Verification) -> None:
    cluster = Cluster({"qwen": BAD_END, "": GOOD_END})
    model, adapter = run(cluster, wanted)
    assert model.error == BAD_END["error"] and model.text() == f"qwen: {BAD_END['error']}"
    assert adapter.files == 9 and adapter.error == ""
    assert sorted(cluster.deleted) == sorted(wanted.jobs)


def test_a_job_that_does_not_end_is_not_verified(wanted: Verification) -> None:
    cluster = Cluster({"qwen": None, "": GOOD_END})
    model, adapter = run(cluster, wanted, timeout=0.2)
    assert model.error and "ledger" not in model.error and adapter.error == ""
    assert sorted(cluster.deleted) == sorted(wanted.jobs)


def test_nothing_is_left_when_the_jobs_cannot_be_made(wanted: Verification) -> None:
    cluster = Cluster({"": GOOD_END})
    cluster.forbidden = {name for name, fetch in wanted.jobs.items() if fetch.name == "sql"}
    with pytest.raises(ClusterError, match="forbidden"):
        run(cluster, wanted)
    assert not [k for k, _ in cluster.objects if k == "Job"]


def test_only_its_account_and_its_package_stay(wanted: Verification) -> None:
    cluster = Cluster({"": GOOD_END})
    first = verify(cast(Client, cluster), wanted, "prod", 20, lambda _text: None)[1]
    assert first and {kind for kind, _name in cluster.objects} == {"ConfigMap", "ServiceAccount"}
    assert not verify(cast(Client, cluster), wanted, "prod", 20, lambda _text: None)[1]
