# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that fail: what they go back to, what is sent to the API server for it, and what the user is told."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import wait
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import Item
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.fields import difference, owned_fields
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.rollback import Outcome, wait_or_roll_back
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.settle import Settler
from deployment_server import KINDS, Server, deployment

STRATEGIES = ("Recreate", "RollingUpdate")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "_FIRST_PAUSE", 0.01)


def applied(server: Server, *manifests: dict[str, Any]) -> list[Item]:
    """What apply does with these objects."""
    items = []
    for manifest in manifests:
        resource = KINDS[manifest["kind"]]
        item = Item(manifest, resource, server.find(resource.path("llm", manifest["metadata"]["name"])))
        Settler(cast(Client, server), "prod", time.monotonic() + 5).settle(item)
        items.append(item)
    return items


def run(server: Server, *manifests: dict[str, Any], timeout: float = 1.0) -> tuple[Outcome, list[Item]]:
    """What a run does: apply, wait, take back. The writes so far are forgotten."""
    server.sent.clear()
    items = applied(server, *manifests)
    return wait_or_roll_back(cast(Client, server), "prod", items, timeout), items


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_release_that_serves_is_marked_once_and_then_nothing_is_written(strategy: str) -> None:
    server = Server()
    outcome, _items = run(server, deployment(strategy=strategy))
    assert outcome.result() == {}
    assert server.sent == [("apply", "qwen", []), ("PATCH", "qwen-0", {"llmfleet.io/served": "true"})]
    outcome, _items = run(server, deployment(strategy=strategy))
    assert outcome.result() == {} and server.sent == []


def test_a_model_that_never_served_is_left_as_it_is() -> None:
    server = Server()
    outcome, _items = run(server, deployment("qwen", "--bad"))
    result = outcome.result()
    assert result["failed"] and result["rolled_back"] == [] and "changed" not in result
    assert "it is left as it is: no release of it has served before" in result["msg"]
    assert server.sent == [("apply", "qwen", ["--bad"])] and server.labels() == {"qwen-0": False}
    # Nor does a second attempt at another fault make the first one something to go back to.
    outcome, _items = run(server, deployment("qwen", "--bad", "--x"))
    assert outcome.result()["rolled_back"] == [] and server.args() == ["--bad", "--x"]


@pytest.mark.parametrize(("how", "ending"), [("Recreate", "serves again"), ("RollingUpdate", "still serves")])
def test_a_failed_release_goes_back(how: str, ending: str) -> None:
    server = Server()
    run(server, deployment(strategy=how))
    outcome, (item,) = run(server, deployment("qwen", "--bad", strategy=how))
    assert server.sent == [("apply", "qwen", ["--bad"]), ("apply", "qwen", [])]
    result = outcome.result()
    assert result["failed"] and result["changed"]
    (back,) = result["rolled_back"]
    assert (back["name"], back["revision"], back["serves"]) == ("qwen", 1, True)
    assert f"it went back to revision 1, the last release that served, which {ending}" in result["msg"]
    assert server.labels() == {"qwen-0": True, "qwen-1": False}
    assert item.summary()["note"] == "failed, went back to revision 1"


def test_the_old_release_is_ours_again_as_it_was(strategy: str) -> None:
    server = Server()
    probe = {"httpGet": {"path": "/health"}}
    good = deployment(strategy=strategy, readinessProbe=probe)
    run(server, good)
    more = {"readinessProbe": probe, "startupProbe": probe, "env": [{"name": "A", "value": "1"}]}
    run(server, deployment("qwen", "--bad", strategy=strategy, **more))
    live = server.objects[("Deployment", "qwen")]
    owned = owned_fields(live, "llmfleet")
    assert owned is not None and difference(owned, good, live) is None
    outcome, (item,) = run(server, good)
    assert outcome.result() == {} and item.action == "unchanged" and server.sent == []


def test_the_same_bad_description_is_tried_and_told_again(strategy: str) -> None:
    server = Server()
    run(server, deployment(strategy=strategy))
    for revision in (1, 3, 5):
        outcome, (item,) = run(server, deployment("qwen", "--bad", strategy=strategy))
        assert item.action == "configured"
        assert [back["revision"] for back in outcome.result()["rolled_back"]] == [revision]
        assert server.args() == []


def test_killed_before_it_went_back(strategy: str) -> None:
    server = Server()
    run(server, deployment(strategy=strategy))
    applied(server, deployment("qwen", "--bad", strategy=strategy))
    outcome, (item,) = run(server, deployment("qwen", "--bad", strategy=strategy))
    assert item.action == "unchanged" and server.sent == [("apply", "qwen", [])]
    assert outcome.result()["rolled_back"][0]["serves"] and server.args() == []


def test_killed_after_it_went_back(strategy: str) -> None:
    server = Server()
    run(server, deployment(strategy=strategy))
    applied(server, deployment("qwen", "--bad", strategy=strategy))
    applied(server, deployment(strategy=strategy))
    outcome, _items = run(server, deployment("qwen", "--bad", strategy=strategy))
    assert outcome.result()["rolled_back"][0]["revision"] == 3 and server.args() == []


def test_killed_and_then_put_right(strategy: str) -> None:
    server = Server()
    run(server, deployment(strategy=strategy))
    applied(server, deployment("qwen", "--bad", strategy=strategy))
    outcome, _items = run(server, deployment("qwen", "--good", strategy=strategy))
    assert outcome.result() == {} and server.labels() == {"qwen-0": True, "qwen-1": False, "qwen-2": True}


def test_a_release_that_was_never_waited_for_but_served_before_this_run(strategy: str) -> None:
    server = Server()
    applied(server, deployment(strategy=strategy))
    outcome, _items = run(server, deployment("qwen", "--bad", strategy=strategy))
    assert outcome.result()["rolled_back"][0]["serves"] and server.labels() == {"qwen-0": True, "qwen-1": False}


def test_what_still_serves_counts_though_no_run_has_seen_it_to_the_end() -> None:
    server = Server()
    applied(server, deployment(strategy="RollingUpdate"))
    applied(server, deployment("qwen", "--bad", strategy="RollingUpdate"))
    outcome, _items = run(server, deployment("qwen", "--bad", strategy="RollingUpdate"))
    assert outcome.result()["rolled_back"][0]["serves"] and server.args() == []


def test_the_last_one_that_served_not_the_last_one(strategy: str) -> None:
    server = Server()
    run(server, deployment("qwen", "--first", strategy=strategy))
    run(server, deployment("qwen", "--second", strategy=strategy))
    applied(server, deployment("qwen", "--bad", "--third", strategy=strategy))
    outcome, _items = run(server, deployment("qwen", "--bad", "--fourth", strategy=strategy))
    assert outcome.result()["rolled_back"][0]["revision"] == 2 and server.args() == ["--second"]


def test_a_release_that_served_and_fails_now_is_not_taken_back() -> None:
    server = Server()
    run(server, deployment("qwen", "--first"))
    run(server, deployment("qwen", "--second"))
    server.broken.add("qwen")
    server.roll("qwen")
    outcome, _items = run(server, deployment("qwen", "--second"))
    assert outcome.result()["rolled_back"] == [] and server.sent == []
    assert "this very release has served before" in outcome.result()["msg"]


def test_of_two_models_the_other_one_is_rolled_out(strategy: str) -> None:
    server = Server()
    run(server, deployment("bad"), deployment("good"))
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {**deployment("new")["metadata"]},
        "spec": {},
    }
    manifests = deployment("bad", "--bad"), deployment("good", "--x"), deployment("new", "--bad"), route
    began = time.monotonic()
    outcome, _items = run(server, *manifests, timeout=30.0)
    assert time.monotonic() - began < 5, "the route of a model that never served is of no use to wait for"
    assert server.args("bad") == [] and server.args("good") == ["--x"] and server.args("new") == ["--bad"]
    assert [f.ref.name for f in outcome.failures] == ["bad", "new"]
    assert [back["name"] for back in outcome.result()["rolled_back"]] == ["bad"]
    assert server.labels() == {"bad-0": True, "bad-1": False, "good-0": True, "good-1": True, "new-0": False}
    lines = outcome.result()["msg"].splitlines()
    assert lines[0] == "2 of 4 objects did not become ready; the others were waited for:"
    assert [line for line in lines if line.startswith("Deployment")] == [
        f"Deployment llm/{name}: pod {pod}, container vllm: CrashLoopBackOff, last exit 1 Error, after 3 restarts"
        for name, pod in (("bad", "bad-1-0"), ("new", "new-0-0"))
    ]


def test_a_release_of_which_a_part_is_available_has_not_served(strategy: str) -> None:
    server = Server()
    run(server, deployment(strategy=strategy))
    server.room["qwen"] = 1
    outcome, _items = run(server, deployment("qwen", "--x", strategy=strategy, replicas=3), timeout=0.2)
    assert "Deployment llm/qwen: 1 of 3 pods are available" in outcome.result()["msg"]
    assert server.args() == [] and server.labels() == {"qwen-0": True, "qwen-1": False}
    server.room["new"] = 1
    run(server, deployment("new", replicas=3), timeout=0.2)
    assert server.labels()["new-0"] is False


def test_one_that_takes_its_time_is_waited_for_while_another_fails() -> None:
    server = Server()
    server.room["slow"], server.late["slow"] = 0, 4
    outcome, _items = run(server, deployment("bad", "--bad"), deployment("slow"), timeout=30.0)
    assert [f.ref.name for f in outcome.failures] == ["bad"]
    assert server.labels() == {"bad-0": False, "slow-0": True}


def test_an_old_release_that_does_not_come_up_either() -> None:
    server = Server()
    run(server, deployment())
    server.broken.add("qwen")
    outcome, _items = run(server, deployment("qwen", "--x"))
    assert server.args() == []
    assert outcome.result()["rolled_back"][0]["serves"] is False
    assert "which does not serve yet: pod qwen-0-0, container vllm: CrashLoopBackOff" in outcome.result()["msg"]


def test_an_old_release_of_which_not_every_replica_comes_up() -> None:
    server = Server()
    run(server, deployment(strategy="RollingUpdate"))
    server.room["qwen"] = 1
    outcome, _items = run(server, deployment("qwen", "--bad", strategy="RollingUpdate", replicas=3), timeout=0.2)
    assert outcome.result()["rolled_back"][0]["serves"] is True
    assert "which serves with 1 replicas only: 1 of 3 pods are available" in outcome.result()["msg"]


def test_a_release_that_cannot_be_taken_back_fails_with_both_reasons() -> None:
    server = Server()
    run(server, deployment())
    items = applied(server, deployment("qwen", "--bad"))
    server.forbidden.add("qwen")
    outcome = wait_or_roll_back(cast(Client, server), "prod", items, 1.0)
    assert "CrashLoopBackOff" in outcome.result()["msg"]
    assert "it could not be taken back: forbidden: quota (HTTP 403)" in outcome.result()["msg"]


def test_a_leader_worker_set_is_not_rolled_back() -> None:
    server = Server()
    groups = {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": deployment("groups")["metadata"],
        "spec": {"replicas": 1},
    }
    outcome, _items = run(server, groups, timeout=0.1)
    assert outcome.result()["rolled_back"] == []
    assert outcome.result()["msg"].endswith("it is left as it is: a LeaderWorkerSet is not rolled back")


def test_what_is_told() -> None:
    server = Server()
    before = {
        "env": [{"name": "KEPT", "value": "same"}, {"name": "KEY", "value": "hunter2"}, {"name": "OLD", "value": "x"}],
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}},
    }
    after = {
        "image": "vllm:2",
        "env": [{"name": "KEPT", "value": "same"}, {"name": "KEY", "value": "hunter3"}, {"name": "NEW", "value": "y"}],
        "resources": {"requests": {"cpu": "1", "memory": "4Gi"}, "limits": {"cpu": "2"}},
        "startupProbe": {"httpGet": {"path": "/"}},
    }
    run(server, deployment("qwen", "--max-num-seqs", "4", "--old", **before))
    changed = deployment("qwen", "--max-num-seqs", "8", "--bad", "--hf-token=hf_abcdefghij", **after)
    changed["spec"]["template"]["spec"]["nodeSelector"] = {"zone": "a"}
    outcome, _items = run(server, changed)
    text = outcome.result()["msg"]
    assert text.splitlines() == [
        "1 of 1 objects did not become ready; the others were waited for:",
        "Deployment llm/qwen: pod qwen-1-0, container vllm: CrashLoopBackOff, last exit 1 Error, after 3 restarts",
        "  tried: container vllm: image vllm:1 -> vllm:2",
        "  tried: container vllm: arguments without --max-num-seqs 4, without --old, with --max-num-seqs 8, "
        "with --bad, with --hf-token=…",
        "  tried: container vllm: environment: NEW is new, OLD is gone, KEY has another value",
        "  tried: container vllm: resources limits.cpu none -> 2, requests.memory 2Gi -> 4Gi",
        "  tried: container vllm: other fields: startupProbe",
        "  tried: other fields of the pod: spec.nodeSelector",
        "  pod qwen-1-0: Running; vllm CrashLoopBackOff, last exit 1 Error, after 3 restarts",
        "  last words of pod qwen-1-0:",
        "    starting",
        "    ValueError: --bad is no good, token=…",
        "  it went back to revision 1, the last release that served, which serves again",
    ]
    assert "hunter" not in text
