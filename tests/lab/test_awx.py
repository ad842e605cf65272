# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: ansible-runner over a copy of the project, an inventory script, extra variables and a pty.

AWX answers no prompt that it does not know: a job that asks hangs until it is ended, which is a failure here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmfleet_lab.addresses import AWS_ENDPOINT
from llmfleet_lab.paths import Paths
from llmfleet_lab.secrets import Credentials

from tests.lab.conftest import ROOT
from tests.lab.kit import Writes, recap
from tests.lab.watching import shown

CONFIRM = "llmfleet_destroy_confirm"
# Seconds without output after which a job is taken to wait for somebody; AWX itself waits for ever by default.
SILENT = 90
# What AWX finds in ansible.cfg and hands on; the first entry is where it installs collections/requirements.yml to.
COLLECTIONS = "{data}/requirements_collections:./collections:~/.ansible/collections:/usr/share/ansible/collections"


@dataclass(frozen=True)
class Job:
    """How a job ended; all: the text of every file that it left, events among them."""

    rc: int
    status: str
    output: str
    all: str


class Awx:
    """One job after another in a private data folder that is laid out as AWX lays it out."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "awx"
        self._data.mkdir(mode=0o700)
        for name in ("env", "inventory", "requirements_collections"):
            (self._data / name).mkdir()
        files = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, files.split("\0")):
            if os.path.lexists(ROOT / name):
                target = self._data / "project" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target, follow_symlinks=False)
        self._jobs = 0

    def inventory(self, leave_out: tuple[str, ...] = ()) -> None:
        """Write the lab's inventory as AWX does after it has imported it: a program that prints JSON."""
        listed = subprocess.run(
            ["ansible-inventory", "-i", "inventories/lab", "--list", "--export"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        content: dict[str, Any] = json.loads(listed.stdout)
        for variables in content["_meta"]["hostvars"].values():
            for name in leave_out:
                del variables[name]
        script = self._data / "inventory/hosts"
        script.write_text(f"#!/usr/bin/env python3\nprint({json.dumps(content)!r})\n")
        script.chmod(0o700)

    def run(self, playbook: str, *arguments: str, environment: Mapping[str, str], answers: Mapping[str, str]) -> Job:
        """Run a job template. arguments: as its options become them; answers: those of its survey."""
        self._jobs += 1
        about = {"id": self._jobs, "launch_type": "manual"}
        variables = {f"{prefix}_job_{name}": value for prefix in ("awx", "tower") for name, value in about.items()}
        lines = [f"{name}: {json.dumps(value)}" for name, value in variables.items()]
        # What a person typed is no template.
        lines += [f"{name}: !unsafe {json.dumps(value)}" for name, value in answers.items()]
        injected = {
            "JOB_ID": str(self._jobs),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS.format(data=self._data),
            **environment,
        }
        for name, text in {
            "extravars": "\n".join(lines) + "\n",
            "envvars": yaml.safe_dump(injected),
            "cmdline": " ".join(("-u root", *arguments)),
            "settings": yaml.safe_dump({"idle_timeout": SILENT, "job_timeout": 600, "suppress_ansible_output": True}),
        }.items():
            (self._data / "env" / name).write_text(text)
        kept = ("PATH", "HOME", "LANG", "LLMFLEET_LAB_STATE")
        subprocess.run(
            ["ansible-runner", "run", str(self._data), "--playbook", playbook, "--ident", str(self._jobs)],
            cwd="/",
            env={name: os.environ[name] for name in kept if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=700,
        )
        left = self._data / "artifacts" / str(self._jobs)
        everything = "\n".join(file.read_text("utf-8", "replace") for file in left.rglob("*") if file.is_file())
        output = re.sub(r"\x1b\[[0-9;]*m", "", (left / "stdout").read_text()).replace("\r", "")
        return Job(int((left / "rc").read_text()), (left / "status").read_text(), output, everything)


@pytest.fixture
def awx(tmp_path: Path) -> Awx:
    found = Awx(tmp_path)
    found.inventory()
    return found


def test_a_check_job_previews_and_writes_nothing(awx: Awx, paths: Paths, writes: Writes) -> None:
    job = awx.run("playbooks/site.yml", "--check", "--diff", environment={}, answers={})
    assert (job.rc, job.status) == (0, "successful"), job.output[-6000:]
    assert recap(job.output)["ok"] > 20
    assert writes.kubernetes() == []
    assert writes.aws() == []
    key = Credentials(paths.secrets).text("gateway-key")
    # Events are files beside the output.
    assert '"event": "playbook_on_stats"' in job.all
    assert shown([key], job.all) == []


def test_destroy_without_an_answer_refuses_and_asks_nobody(awx: Awx, writes: Writes) -> None:
    job = awx.run("playbooks/destroy.yml", environment={}, answers={})
    assert (job.rc, job.status) == (2, "failed"), job.output[-6000:]
    assert f"{CONFIRM}: got nothing" in job.output
    assert "Type the name" not in job.output
    assert writes.kubernetes() == []
    assert writes.aws() == []


@pytest.mark.parametrize("answer", ["Lab", "{{ llmfleet_cluster.name }}"])
def test_destroy_takes_only_the_name_for_an_answer(awx: Awx, paths: Paths, writes: Writes, answer: str) -> None:
    # With an AWX credential, which is injected as environment, instead of the inventory's profile.
    awx.inventory(leave_out=("llmfleet_aws",))
    access, secret = Credentials(paths.secrets).text("aws-operator").splitlines()
    credential = {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret, "AWS_ENDPOINT_URL": AWS_ENDPOINT}
    job = awx.run("playbooks/destroy.yml", environment=credential, answers={CONFIRM: answer})
    assert (job.rc, job.status) == (2, "failed"), job.output[-6000:]
    assert f"{CONFIRM}: got '{answer}'; accepted: 'lab'" in job.output
    assert "Nothing was changed" in job.output
    assert "Type the name" not in job.output
    assert writes.kubernetes() == []
    assert writes.aws() == []
    assert shown([secret], job.output) == []
