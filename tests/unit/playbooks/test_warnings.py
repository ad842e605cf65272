# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM roles made and removed by our roles, on the emulated AWS: no warning of deprecation, and nothing to do twice."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.playbooks.conftest import ROOT, Cloud, Playbooks

FLEET = yaml.safe_load((ROOT / "inventories/lab/host_vars/lab/fleet.yml").read_text())
ROLES = ["lab-efs-csi-controller", "lab-efs-csi-node", "lab-weights-fetcher", "lab-weights-fs"]


@pytest.fixture
def playbook(tmp_path: Path) -> str:
    """Run, by tag: the task that makes the roles as it stands in s3_files, or teardown's part in AWS for them."""
    tasks = yaml.safe_load((ROOT / "roles/s3_files/tasks/main.yml").read_text())
    (making,) = [task for task in tasks if "amazon.aws.iam_role" in task]
    resources = [{"kind": "iam_role", "identifier": name, "name": name} for name in ROLES]
    play = {
        "hosts": "all",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "environment": "{{ llmfleet_aws | llmfleet.eks.aws_environment }}",
        "tasks": [
            {"llmfleet.eks.describe": {}, "register": "described", "tags": "make"},
            {"set_fact": {"__llmfleet_desired": "{{ described.desired }}"}, "tags": "make"},
            {**making, "tags": "make", "environment": {"AWS_REGION": "eu-west-3"}},
            {
                "include_role": {"name": "llmfleet.eks.teardown", "tasks_from": "aws", "apply": {"tags": "remove"}},
                "vars": {"teardown_resources": {"resources": resources}},
                "tags": "remove",
            },
        ],
    }
    path = tmp_path / "roles.yml"
    path.write_text(yaml.safe_dump([play]))
    return str(path.with_suffix(""))


def test_roles_come_and_go_without_a_warning_and_once(playbook: str, playbooks: Playbooks, cloud: Cloud) -> None:
    for tag, operation in (("make", "CreateRole"), ("remove", "DeleteRole")):
        for again in (False, True):
            before = len(cloud.requests())
            done = playbooks(playbook, {"lab": playbooks.host(**FLEET)}, "--tags", tag)
            assert done.returncode == 0, done.stdout
            assert "DEPRECATION" not in done.stdout and "WARNING" not in done.stdout, done.stdout
            made = [entry["operation"] for entry in cloud.requests()[before:] if entry["mutating"]]
            assert made == [] if again else made.count(operation) == len(ROLES), made
            assert "InstanceProfile" not in str(made)
