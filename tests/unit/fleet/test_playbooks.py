# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins under the real ansible-playbook, with inventories of one host and of several."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(sys.executable).parent / "ansible-playbook"
CHECK = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - llmfleet.eks.describe:
        known: {file_system/prod-weights: fs-1, access_point/prod-weights: fsap-1}
      register: described
    - ansible.builtin.copy:
        content: "{{ described | to_json }}"
        dest: "{{ out }}"
        mode: "0600"
      vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""


def run(tmp_path: Path, hosts: dict[str, Any], playbook: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook on hosts with their variables."""
    inventory = tmp_path / "inventory.yml"
    settings = tmp_path / "ansible.cfg"
    settings.write_text("[defaults]\n", encoding="utf-8")
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}), encoding="utf-8")
    environment = {
        **os.environ,
        # Not the checkout's: its callbacks come with collections that these playbooks do not need.
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [str(PROGRAM), "-i", str(inventory), str(playbook), *more]
    return subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )


def test_describe(tmp_path: Path, variables: Any) -> None:
    playbook = tmp_path / "check.yml"
    playbook.write_text(CHECK, encoding="utf-8")
    variables["region_of_ours"] = "eu-west-3"
    variables["llmfleet_cluster"]["region"] = "{{ region_of_ours }}"
    variables["llmfleet_models"][0]["engine"] = {"env": {"MINE": "swordfish"}}
    out = tmp_path / "out.json"
    done = run(tmp_path, {"one": variables}, playbook, "-e", f"out={out}", "-vvv")
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(out.read_text(encoding="utf-8"))
    assert answer["fleet"]["cluster"]["region"] == "eu-west-3"
    assert "s3files:fs-1::fsap-1" in json.dumps(answer["desired"])
    assert "Fetch the weights of one repository" in json.dumps(answer["desired"])
    # Values of engine.env are in the objects, and nowhere in the output of the task that makes them.
    described = done.stdout.split("TASK [ansible.builtin.copy]")[0]
    assert "swordfish" in json.dumps(answer["desired"]) and "swordfish" not in described


def test_describe_fails_with_all_errors(tmp_path: Path, variables: Any) -> None:
    playbook = tmp_path / "check.yml"
    playbook.write_text(CHECK, encoding="utf-8")
    variables["llmfleet_cluster"]["account"] = 5
    variables["llmfleet_nosuch"] = 1
    variables["llmfleet_bucket"] = "{{ undefined_variable }}"
    done = run(tmp_path, {"one": variables}, playbook, "-e", f"out={tmp_path / 'out'}")
    assert done.returncode != 0
    for text in (
        "llmfleet_cluster (prod).account: got 5: not a string; accepted: 12 digits, as a string",
        "llmfleet_nosuch: got an unknown variable",
        "llmfleet_bucket: got an expression: 'undefined_variable' is undefined",
    ):
        assert text in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def render() -> Path:
    """The playbook."""
    return ROOT / "playbooks" / "render.yml"


def test_render_one_host_twice(tmp_path: Path, variables: Any, render: Path) -> None:
    target = tmp_path / "made" / "rendering"
    done = run(tmp_path, {"one": variables}, render, "-e", f"llmfleet_render_to={target}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (target / "models" / "deployment-llm-qwen.yaml").is_file()
    first = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    done = run(tmp_path, {"one": variables}, render, "-e", f"llmfleet_render_to={target}")
    assert "changed=0" in done.stdout
    assert first == {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}


def test_render_several_hosts(tmp_path: Path, variables: Any, render: Path) -> None:
    other = json.loads(json.dumps(variables))
    other["llmfleet_cluster"]["name"] = "other"
    hosts = {"one": variables, "two": other}
    target = tmp_path / "rendering"
    done = run(tmp_path, hosts, render, "-e", f"llmfleet_render_to={target}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (target / "one" / "storage" / "persistentvolume-prod-weights.yaml").is_file()
    assert (target / "two" / "storage" / "persistentvolume-other-weights.yaml").is_file()


def test_an_error_of_one_host_keeps_all_files_away(tmp_path: Path, variables: Any, render: Path) -> None:
    other = json.loads(json.dumps(variables))
    other["llmfleet_models"][0]["name"] = "Bad"
    target = tmp_path / "rendering"
    done = run(tmp_path, {"one": variables, "two": other}, render, "-e", f"llmfleet_render_to={target}")
    assert done.returncode != 0 and not target.exists()
    assert "two: llmfleet_models[0] (Bad).name: got 'Bad'" in done.stdout + done.stderr


def test_render_refuses_a_folder_of_something_else(tmp_path: Path, variables: Any, render: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "file").write_text("mine", encoding="utf-8")
    done = run(tmp_path, {"one": variables}, render, "-e", f"llmfleet_render_to={target}")
    assert done.returncode != 0 and [path.name for path in target.iterdir()] == ["file"]
    assert "accepted: a folder that is empty, an earlier rendering, or not there yet" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "llmfleet_render_to: got nothing: required; accepted: a folder that is empty"),
        (["-e", "llmfleet_render_to="], "llmfleet_render_to: got '': not a path; accepted: a path"),
        (["-e", "llmfleet_render_to=/proc/none"], "llmfleet_render_to: got '/proc/none': No such file or directory"),
    ],
)
def test_render_without_a_folder(tmp_path: Path, variables: Any, render: Path, given: list[str], says: str) -> None:
    done = run(tmp_path, {"one": variables}, render, *given)
    shown = done.stdout + done.stderr
    assert done.returncode == 2 and says in shown
    # Nothing else is said of it, and nothing was written where the run was started.
    assert set(re.findall(r"llmfleet_render_to: got \S+", shown)) == {" ".join(says.split()[:3])}
    assert "Finalization" not in shown and "Traceback" not in shown
    assert {path.name for path in tmp_path.iterdir()} <= {"inventory.yml", "ansible.cfg", "local"}


def test_render_in_check_mode_writes_nothing(tmp_path: Path, variables: Any, render: Path) -> None:
    target = tmp_path / "rendering"
    done = run(tmp_path, {"one": variables}, render, "--check", "-e", f"llmfleet_render_to={target}")
    assert done.returncode == 0 and "changed=1" in done.stdout and not target.exists()


NAMES = """
- hosts: all
  connection: local
  gather_facts: false
  vars_files: ["{{ vars_of_verify }}"]
  tasks:
    - llmfleet.eks.describe:
      register: described
    - ansible.builtin.copy:
        content: "{{ __verify_names | to_json }}"
        dest: "{{ out }}"
        mode: "0600"
      vars:
        ansible_python_interpreter: "{{ ansible_playbook_python }}"
        __llmfleet_fleet: "{{ described.fleet }}"
"""


def test_verify_asks_models_and_adapters_that_are_routed(tmp_path: Path, variables: Any) -> None:
    playbook = tmp_path / "names.yml"
    playbook.write_text(NAMES, encoding="utf-8")
    (first,) = variables["llmfleet_models"]
    adapters = [{"name": name, "repository": f"o/{name}", "revision": "a" * 40} for name in ("sql", "css")]
    silent = {**first, "name": "silent", "gateway": {"enabled": False}}
    silent["adapters"] = [{**adapters[0], "name": "quiet"}]
    variables["llmfleet_models"] = [{**first, "adapters": adapters}, silent, {**first, "name": "second"}]
    variables |= {"out": str(tmp_path / "out"), "vars_of_verify": str(ROOT / "roles" / "verify" / "vars" / "main.yml")}
    done = run(tmp_path, {"one": variables}, playbook)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "out").read_text(encoding="utf-8")) == ["qwen", "second", "sql", "css"]
