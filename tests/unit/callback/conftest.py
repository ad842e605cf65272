# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real ansible-playbook with the checkout's callbacks, and roles and actions of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(sys.executable).parent / "ansible-playbook"
Run = Callable[..., subprocess.CompletedProcess[str]]
# Answers with its argument `result`.
ACTION = """
from __future__ import annotations

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        return {**super().run(tmp, task_vars), **self._task.args["result"]}
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a play of some roles, given as {name: tasks}, or the playbook of that path; more: roles to include."""

    def start(
        roles: dict[str, list[dict[str, Any]]] | Path,
        *arguments: str,
        hosts: str = "one,",
        more: Mapping[str, list[dict[str, Any]]] | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        home = tmp_path / "c" / "ansible_collections" / "llmfleet" / "eks"
        if isinstance(roles, Path):
            playbook = roles
            collections = ROOT / "collections"
        else:
            playbook, collections = tmp_path / "play.yml", tmp_path / "c"
            _collection(home, {**roles, **(more or {})})
            play = {"hosts": "all", "gather_facts": False, "connection": "local"}
            playbook.write_text(yaml.safe_dump([{**play, "roles": [f"llmfleet.eks.{name}" for name in roles]}]))
        settings = tmp_path / "ansible.cfg"
        settings.write_text(
            f"[defaults]\ncollections_path = {collections}\nstdout_callback = llmfleet.eks.terminal\n"
            "callbacks_enabled = llmfleet.eks.operator\ndisplay_skipped_hosts = false\n"
        )
        surroundings = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
            "ANSIBLE_CONFIG": str(settings),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
            "ANSIBLE_NOCOLOR": "1",
            **environment,
        }
        command = [str(PROGRAM), "-i", hosts, str(playbook), *arguments]
        return subprocess.run(
            command, env=surroundings, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )

    return start


def _collection(home: Path, roles: dict[str, list[dict[str, Any]]]) -> None:
    actions = home / "plugins" / "action"
    actions.mkdir(parents=True)
    for name in ("apply", "ask"):
        (actions / f"{name}.py").write_text(ACTION)
    for name in ("callback", "plugin_utils", "module_utils", "doc_fragments"):
        (home / "plugins" / name).symlink_to(ROOT / "plugins" / name)
    for name, tasks in roles.items():
        for folder, content in (("tasks", tasks), ("meta", {"argument_specs": {"main": {"options": {}}}})):
            (home / "roles" / name / folder).mkdir(parents=True)
            file = "main" if folder == "tasks" else "argument_specs"
            (home / "roles" / name / folder / f"{file}.yml").write_text(yaml.safe_dump(content))
