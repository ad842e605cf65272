# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callbacks under the real ansible-playbook."""

from __future__ import annotations

import http.server
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import Run

RESULT = {
    "changed": True,
    "layer": "models",
    "counts": {"created": 1, "unchanged": 2},
    "applied": [{"kind": "Deployment", "namespace": "llm", "name": "qwen", "action": "created", "note": "new"}],
    "seconds": {"apply": 0.1, "wait": 0.3},
    "text": "swordfish",
}
APPLY = {"name": "Apply the models", "llmfleet.eks.apply": {"layer": "models", "result": RESULT}}
ENDPOINT = {"url": "http://gw/v1", "models": ["qwen"], "keys_secret": "ns/keys"}
ROLES: dict[str, list[dict[str, Any]]] = {
    "namespaces": [
        {
            "name": "Apply the namespaces",
            "llmfleet.eks.apply": {"layer": "{{ item }}", "result": {**RESULT, "layer": "{{ item }}"}},
            "loop": ["storage", "models"],
        },
        {"name": "Hide it", "llmfleet.eks.apply": {"layer": "apps", "result": RESULT}, "no_log": True},
        {"name": "Say it", "ansible.builtin.debug": {"msg": ["the first", "the second"]}},
        {"name": "Keep it", "ansible.builtin.set_fact": {"hidden": "swordfish"}},
    ],
    "models": [APPLY],
    "verify": [
        {"name": "Keep the endpoint", "ansible.builtin.set_fact": {"__llmfleet_endpoint": ENDPOINT}},
    ],
}


def test_terminal(run: Run) -> None:
    done = run(ROLES, "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    told, _recap, summary = re.split(r"\n+PLAY RECAP \*+\n(one .*)\n+", done.stdout)
    assert told.split("PLAY [all]")[1].split("\n")[1:] == [
        "namespaces : Apply the namespaces",
        "[one] storage: 3 objects: 1 created, 2 unchanged (applied in 0.1 s, waited 0.3 s)",
        "  created Deployment llm/qwen (new)",
        "[one] models: 3 objects: 1 created, 2 unchanged (applied in 0.1 s, waited 0.3 s)",
        "  created Deployment llm/qwen (new)",
        "namespaces : Hide it",
        "[one] Hide it",
        "[one] the first",
        "[one] the second",
        "models : Apply the models",
        "[one] models: 3 objects: 1 created, 2 unchanged (applied in 0.1 s, waited 0.3 s)",
        "  created Deployment llm/qwen (new)",
    ]
    assert re.sub(r"\d+\.\d s", "N", summary).split("\n") == [
        "one: changed in 3 tasks, 3 objects (3 created)",
        "  namespaces (storage, models, apps)  N, N of it waiting for the cluster",
        "  models                              N, N of it waiting for vLLM to start",
        "  verify                              N",
        "  total                               N",
        "  first request: POST http://gw/v1",
        "    model: qwen",
        "    Authorization: Bearer and a key of Secret ns/keys",
        "",
        "",
    ]
    assert "swordfish" not in done.stdout + done.stderr


def test_two_hosts_of_which_one_fails_in_check_mode(run: Run) -> None:
    broken = {**RESULT, "failed": "{{ inventory_hostname == 'two' }}", "msg": "the first\nthe second"}
    models = [{**APPLY, "llmfleet.eks.apply": {"layer": "models", "result": broken}}]
    done = run({"models": models, "weights": [APPLY]}, "--check", hosts="one,two,")
    assert done.returncode == 2
    assert "fatal: [two]: FAILED!\n  the first\n  the second\n" in done.stdout
    line = "[{}] models: 3 objects, 1 would change: 1 created, 2 unchanged (checked in 0.1 s, waited 0.3 s)\n"
    assert done.stdout.count(line.format("one")) == 2 and done.stdout.count(line.format("two")) == 1
    first, second = done.stdout.rstrip().split("\n\n")[-2:]
    assert first.startswith(
        "two (check mode): FAILED: models : Apply the models (layer models)\n"
        "  would change in 1 task, 1 object (1 created)\n"
    )
    assert second.startswith("one (check mode): would change in 2 tasks, 2 objects (2 created)\n")
    assert "waiting for the weights" in second and "swordfish" not in done.stdout + done.stderr


def test_roles_included_for_a_step_of_a_teardown(run: Run) -> None:
    step = {"name": "Remove a layer", "ansible.builtin.include_role": {"name": "llmfleet.eks.step"}}
    step |= {"loop": [{"layer": "models"}, {"layer": "gateway"}], "loop_control": {"loop_var": "teardown_step"}}
    inner = {"name": "Remove it", "llmfleet.eks.apply": {"result": {"changed": True, "counts": {"created": 1}}}}
    done = run({"teardown": [step]}, more={"step": [inner]})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr and "included" not in done.stdout
    assert re.findall(r"^\[one\] (\w+): 1 object", done.stdout, re.MULTILINE) == ["models", "gateway"]
    assert "changed in 2 tasks, 2 objects (2 created)" in done.stdout
    assert re.search(r"^  step \(models, gateway\) ", done.stdout, re.MULTILINE)


def test_beside_another_stdout_callback(run: Run) -> None:
    done = run({"models": [APPLY]}, ANSIBLE_STDOUT_CALLBACK="default")
    assert "changed: [one]\n[one] models: 3 objects: 1 created, 2 unchanged" in done.stdout
    assert "\n\none: changed in 1 task, 1 object (1 created)\n" in done.stdout


def test_terminal_alone(run: Run) -> None:
    done = run({"models": [APPLY]}, ANSIBLE_CALLBACKS_ENABLED="no.such.callback")
    assert "models : Apply the models\nchanged: [one]\n" in done.stdout
    assert "objects" not in done.stdout


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    """Where a playbook is to be written."""
    return tmp_path / "playbook.yml"


def test_a_playbook_without_our_roles(run: Run, playbook: Path) -> None:
    tasks = [{"ansible.builtin.debug": {"msg": "hello"}}, {"ansible.builtin.fail": {"msg": "no"}}]
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    done = run(playbook)
    assert done.returncode == 2 and "FAILED" in done.stdout
    assert re.search(r"PLAY RECAP \*+\none .*\Z", done.stdout.rstrip())


class ApiServer(http.server.BaseHTTPRequestHandler):
    """Tells its version, and that to somebody with a token."""

    def do_GET(self) -> None:
        data = json.dumps({"gitVersion": "v1.36.0", "body": "swordfish"}).encode()
        self.send_response(200 if self.headers.get("Authorization") == "Bearer swordfish" else 403)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def test_requests(run: Run, playbook: Path, tmp_path: Path) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    kubeconfig = tmp_path / "kubeconfig"
    entries = {"clusters": ("cluster", {"server": url}), "users": ("user", {"token": "swordfish"})}
    entries["contexts"] = ("context", {"cluster": "lab", "user": "lab"})
    config = {key: [{"name": "lab", kind: value}] for key, (kind, value) in entries.items()}
    kubeconfig.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "lab", **config}))
    cluster = {"name": "lab", "region": "eu-west-3", "kubeconfig": str(kubeconfig)}
    task = {"name": "Recognise it", "llmfleet.eks.recognise": {"endpoint": url}}
    play = {"hosts": "all", "gather_facts": False, "vars": {"llmfleet_cluster": cluster}, "tasks": [task]}
    playbook.write_text(yaml.safe_dump([play]))
    try:
        done = run(playbook, "-vvv")
        quiet = run(playbook, "-vv")
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^<one> GET /version 200 \d+\.\d{3} s$", done.stdout, re.MULTILINE)
    assert "GET /version" not in quiet.stdout
    assert "swordfish" not in done.stdout + done.stderr
