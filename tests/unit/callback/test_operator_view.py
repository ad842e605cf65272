# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that an operator reads, from results as the actions return them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_view import (
    HostRun,
    TaskView,
    plain_arguments,
    plain_label,
)

APPLIED: dict[str, Any] = {
    "changed": True,
    "layer": "storage",
    "counts": {"created": 3, "configured": 1, "replaced": 0, "unchanged": 8},
    "applied": [
        {"kind": "Job", "namespace": "llm", "name": "fetch", "action": "created", "note": "it had failed"},
        {"kind": "Secret", "namespace": "llm", "name": "keys", "action": "configured", "note": "", "data": "swordfish"},
        {"kind": "Namespace", "namespace": "", "name": "llm", "action": "unchanged", "note": ""},
    ],
    "pruned": [{"kind": "HTTPRoute", "namespace": "llm", "name": "old"}] * 2,
    "seconds": {"apply": 0.41, "wait": 12.1},
    "text": "swordfish",
}


def view(action: str, result: dict[str, Any], **more: Any) -> TaskView:
    """A view as the callback makes it."""
    fields = {"name": "Do it", "role": "models", "layer": result.get("layer", ""), **more}
    return TaskView(action=f"llmfleet.eks.{action}", result=result, **fields)


LINES = [
    (
        view("apply", APPLIED),
        "storage: 12 objects: 3 created, 1 configured, 8 unchanged; 2 pruned (applied in 0.4 s, waited 12.1 s)",
    ),
    (
        view("apply", {**APPLIED, "seconds": {"apply": 0.4, "wait": 0.0}}, check=True),
        "storage: 12 objects, 6 would change: 3 created, 1 configured, 8 unchanged; 2 pruned (checked in 0.4 s)",
    ),
    (
        view("apply", {"layer": "nodes", "counts": {"unchanged": 1}, "seconds": {"apply": 1, "wait": 0}}, check=True),
        "nodes: 1 object, none would change: 1 unchanged (checked in 1.0 s)",
    ),
    (view("apply", {"layer": "nodes", "counts": {}, "seconds": {}}), "nodes: no objects (applied in 0.0 s)"),
    (
        view(
            "apply",
            {
                **APPLIED,
                "pruned": [],
                "not_ready": [
                    {"kind": "Deployment", "namespace": "llm", "name": f"m{n}", "reason": "x"} for n in "1234"
                ],
            },
        ),
        "storage: 12 objects: 3 created, 1 configured, 8 unchanged; not ready: Deployment llm/m1, Deployment llm/m2, "
        "Deployment llm/m3 and 1 more (applied in 0.4 s, waited 12.1 s)",
    ),
    # A failure before anything was read.
    (view("apply", {"failed": True, "msg": "swordfish"}, seconds=15.0), "no objects (15.0 s)"),
    (
        view("chart_crds", {"counts": {"unchanged": 26}, "found": ["a"], "seconds": 0.9}, layer="gateway"),
        "gateway: 26 definitions: 26 unchanged; 1 of somebody else left as they are (0.9 s)",
    ),
    (
        view("sync_secrets", {"applied": [{"kind": "Secret", "action": "created"}], "seconds": 0.2}),
        "1 Secret: 1 created (0.2 s)",
    ),
    (
        view(
            "remove",
            {
                "layer": "models",
                "plan": [{"layer": "models"}],
                "removed": [{"kind": "Deployment", "namespace": "llm", "name": "x"}],
                "kept": [{"kind": "Namespace", "namespace": "", "name": "llm", "reason": "still holds 1"}],
                "seconds": 3.25,
            },
        ),
        "models: 2 objects: 1 removed, 1 kept (3.2 s)",
    ),
    (view("remove", {"plan": [{"layer": "models"}], "changed": False}), ""),
    (
        view(
            "helm_release",
            {"changed": True, "release": {"name": "eg", "namespace": "gw", "version": "v1.8"}},
            layer="gateway",
            seconds=61.0,
        ),
        "gateway: Helm release gw/eg v1.8: installed or upgraded (61.0 s)",
    ),
    (
        view("helm_release", {"changed": True}, arguments={"state": "absent"}, label="gw/eg", check=True),
        "Helm release gw/eg: would be uninstalled (0.0 s)",
    ),
    (view("helm_release", {"changed": False, "recovered": ""}, arguments={"state": "recovered"}, label="gw/eg"), ""),
    (
        view(
            "ask",
            {"status": 200, "attempts": 3, "seconds": 0.5, "json": {"text": "swordfish"}},
            arguments={"method": "POST", "path": "/v1/completions"},
            label="qwen",
            seconds=8.5,
        ),
        "POST /v1/completions qwen: HTTP 200 in 0.5 s, 3 requests, waited 8.0 s",
    ),
    (view("ask", {"skipped": True, "changed": False}), ""),
    (
        view("render", {"to": "/tmp/out", "files": ["a", "b", "c"], "written": ["a"], "removed": []}),
        "/tmp/out: 3 files: 1 written, 2 unchanged",
    ),
    (view("describe", {"changed": False}), ""),
    (TaskView("Do it", "ansible.builtin.command", result=APPLIED), ""),
    # A task with no_log: its name.
    (view("apply", {"censored": "the output has been hidden", "changed": True}, shown=False), "Do it"),
]


@pytest.mark.parametrize(("given", "line"), LINES)
def test_lines(given: TaskView, line: str) -> None:
    assert given.line() == line
    assert "swordfish" not in " ".join([*given.objects(), *HostRun("x").summary(1.0)])


def test_objects() -> None:
    assert view("apply", APPLIED).objects() == [
        "  created Job llm/fetch (it had failed)",
        "  configured Secret llm/keys",
        "  pruned HTTPRoute llm/old",
        "  pruned HTTPRoute llm/old",
    ]
    assert view("apply", APPLIED, shown=False).objects() == []


@pytest.mark.parametrize("odd", [{}, {"counts": 5}, {"counts": {"created": "x", "swordfish": 1}}, {"applied": "text"}])
def test_odd_results(odd: dict[str, Any]) -> None:
    for action in ("apply", "chart_crds", "sync_secrets", "random_secret", "remove", "helm_release", "ask", "render"):
        given = view(action, {**odd, "seconds": "soon", "pruned": [5], "not_ready": "no", "removed": 7, "release": 8})
        assert "swordfish" not in given.line()
        HostRun("x").add(given)


def test_labels_and_arguments() -> None:
    assert plain_label("llm/qwen") == "llm/qwen"
    assert plain_label({"password": "swordfish"}) == plain_label("two words") == plain_label(None) == ""
    given = {"layer": "gateway", "path": "{{ it }}", "method": "POST", "password": "swordfish"}
    assert plain_arguments(given) == {"layer": "gateway", "method": "POST"}
    assert plain_arguments(None) == {}


def run() -> HostRun:
    """A run of three roles."""
    made = HostRun("lab")
    made.add(TaskView("Check", "llmfleet.eks.requirements", role="preflight", seconds=2.0))
    made.add(view("apply", APPLIED, role="efs_csi_driver", layer="storage", seconds=14.0), changed=True)
    models = {"layer": "models", "counts": {"configured": 1, "unchanged": 2}, "seconds": {"apply": 0.5, "wait": 41.9}}
    made.add(view("apply", models, seconds=42.6), changed=True)
    return made


def test_summary() -> None:
    made = run()
    endpoint = {
        "url": "http://gw.ns.svc:8080/v1/completions",
        "reachable_from": "inside the cluster",
        "models": ["qwen", "coder"],
        "keys_secret": "ns/keys",
        "key": "swordfish",
    }
    fact = {"ansible_facts": {"__llmfleet_endpoint": endpoint}}
    made.add(TaskView("Keep", "ansible.builtin.set_fact", role="verify", result=fact))
    assert made.summary(60.0) == [
        "lab: changed in 2 tasks, 7 objects (3 created, 2 configured, 2 pruned)",
        "  preflight                  2.0 s",
        "  efs_csi_driver (storage)  14.0 s, 12.1 s of it waiting for the cluster",
        "  models                    42.6 s, 41.9 s of it waiting for vLLM to start",
        "  verify                     0.0 s",
        "  total                     60.0 s",
        "  first request: POST http://gw.ns.svc:8080/v1/completions (from inside the cluster)",
        "    model: qwen, coder",
        "    Authorization: Bearer and a key of Secret ns/keys",
    ]


def test_summary_of_a_failure() -> None:
    made = run()
    broken = {
        "layer": "models",
        "not_ready": [{"kind": "Deployment", "namespace": "llm", "name": "x", "reason": "swordfish"}],
    }
    made.add(view("apply", {**broken, "msg": "swordfish"}, name="Apply the models"), failed=True)
    assert made.summary(60.0, failed=True)[:3] == [
        "lab: FAILED: models : Apply the models (layer models)",
        "  not ready: Deployment llm/x",
        "  changed in 2 tasks, 7 objects (3 created, 2 configured, 2 pruned)",
    ]
    # The run got over it.
    assert made.summary(60.0)[0].startswith("lab: changed in 2 tasks")


def test_summary_of_check_mode() -> None:
    made = HostRun("lab")
    made.add(view("apply", {"layer": "models", "counts": {"unchanged": 4}}, check=True))
    assert made.summary(1.0)[0] == "lab (check mode): would change nothing"
    made.add(view("apply", {"layer": "models", "counts": {"created": 1}}, check=True), changed=True)
    assert made.summary(1.0)[0] == "lab (check mode): would change in 1 task, 1 object (1 created)"
    assert HostRun("lab").summary(0.0) == ["lab: nothing changed", "  total  0.0 s"]


def test_rows_of_a_teardown_and_of_a_loop() -> None:
    made = HostRun("lab")
    for layer in ("models", "gateway"):
        made.add(view("remove", {"layer": layer}, role="teardown", seconds=1.0))
        made.add(TaskView("Uninstall", "llmfleet.eks.helm_release", role="teardown", layer=layer, seconds=2.0))
    items = [view("apply", {"layer": layer, "counts": {"created": 1}}) for layer in ("storage", "models")]
    made.add(TaskView("Apply", "llmfleet.eks.apply", role="namespaces", seconds=0.5), items, changed=True)
    assert made.summary(9.0) == [
        "lab: changed in 1 task, 2 objects (2 created)",
        "  teardown models               3.0 s",
        "  teardown gateway              3.0 s",
        "  namespaces (storage, models)  0.5 s",
        "  total                         9.0 s",
    ]
