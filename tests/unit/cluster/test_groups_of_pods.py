# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of a LeaderWorkerSet, which makes a group anew at its first crash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import crashes, pods_of, trouble
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.readiness import WAITING, Verdict
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.wait import Ref, _Wait

GROUPS = {"kind": "LeaderWorkerSet", "metadata": {"name": "x", "uid": "u"}}
REF = Ref("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "llm", "x")


def pod(name: str, owner: str = "x", revision: str = "new", hour: int = 1, **status: Any) -> dict[str, Any]:
    """A pod of a group; status: of its container."""
    labels = {
        "leaderworkerset.sigs.k8s.io/name": owner,
        "leaderworkerset.sigs.k8s.io/template-revision-hash": revision,
    }
    metadata = {
        "name": name,
        "uid": f"{name}-{hour}",
        "labels": labels,
        "creationTimestamp": f"2026-01-01T{hour:02}:00:00Z",
    }
    return {"metadata": metadata, "status": {"containerStatuses": [{"name": "vllm", **status}]}}


def ended(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": "Error"}}


def test_pods_of_the_youngest_version() -> None:
    pods = [pod("x-0", hour=3), pod("x-0-1", hour=2), pod("x-1", revision="old"), pod("y-0", owner="y", hour=4)]
    assert [found["metadata"]["name"] for found in pods_of(GROUPS, pods, [])] == ["x-0", "x-0-1"]
    assert pods_of(GROUPS, [], []) == []


def test_what_no_waiting_heals() -> None:
    found = trouble(pods_of(GROUPS, [pod("x-0", state={"waiting": {"reason": "ImagePullBackOff"}})], []))
    assert found is not None and "pod x-0, container vllm: ImagePullBackOff" in found[0].reason


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        ({"lastState": ended(1), "state": {"running": {}}}, True),
        ({"state": ended(137)}, True),
        ({"state": ended(0)}, False),
        ({"state": {"running": {}}}, False),
    ],
)
def test_what_a_crash_is(status: dict[str, Any], counts: bool) -> None:
    assert bool(crashes([pod("x-0", **status)])) is counts


def test_the_end_of_a_pod_that_was_told_to_is_no_crash() -> None:
    leaving = pod("x-0", state=ended(143))
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T05:00:00Z"
    assert crashes([leaving]) == {}
    leaving["status"]["containerStatuses"][0]["lastState"] = ended(1)
    assert crashes([leaving]) == {("x-0", "x-0-1"): "pod x-0, container vllm: exit 1 Error"}


class Cluster:
    """Lists the pods that it was given."""

    def __init__(self) -> None:
        self.pods: list[dict[str, Any]] = []

    def list(self, *_resource: Any) -> Any:
        return self.pods


def test_a_group_that_crashes_again_and_again_has_failed() -> None:
    cluster = Cluster()
    wait = _Wait(cast(Client, cluster), [REF], 60, lambda _text: None)
    wait.live = {REF: GROUPS}

    def look(*pods: dict[str, Any]) -> Verdict:
        cluster.pods = list(pods)
        verdicts = {REF: Verdict(WAITING, "0 of 1 groups are ready")}
        with ThreadPoolExecutor(1) as pool:
            wait._look_at_pods(pool, verdicts)
        return verdicts[REF]

    # One crash takes the group along.
    for hour in (1, 2):
        for _look in range(2):
            crashed = [pod(name, hour=hour, lastState=ended(1)) for name in ("x-0", "x-0-1", "x-0-2")]
            assert look(*crashed).state == WAITING
        assert look(pod("x-0", hour=hour + 1)).state == WAITING
    failed = look(pod("x-0", hour=3), pod("x-0-1", hour=3, lastState=ended(2)))
    assert failed.state == "failing" and failed.grace == 0
    assert failed.reason == ("its groups crashed 3 times and were made anew: pod x-0-1, container vllm: exit 2 Error")


@pytest.mark.parametrize(
    ("message", "fails"),
    [('persistentvolumeclaim "hub-mirror" not found. preemption: not eligible', True), ("Insufficient cpu", False)],
)
def test_a_claim_that_does_not_exist_is_not_waited_for(message: str, fails: bool) -> None:
    waiting = pod("x-0")
    waiting["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "message": f"0/1 nodes: {message}"}]
    found = trouble([waiting], crashes_count=False)
    assert (found is not None) is fails
    if found:
        assert found[0].reason == 'pod x-0: persistentvolumeclaim "hub-mirror" not found' and found[0].grace == 60
