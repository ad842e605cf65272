# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage layer of site.yml and of destroy.yml in AWS alone: the roles' own tasks, without a cluster."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections import Counter
from typing import Any

import boto3
import yaml

from tests.unit.playbooks.conftest import KEYS, REGION, ROOT, Cloud, Playbooks

FLEET = yaml.safe_load((ROOT / "inventories/lab/host_vars/lab/fleet.yml").read_text())
BUCKET = f"{REGION}-123456789012-lab-weights"


class Storage:
    """Makes the storage layer and takes it away, as the operator or with other keys."""

    def __init__(self, playbooks: Playbooks, cloud: Cloud) -> None:
        self._playbooks = playbooks
        self._cloud = cloud
        playbooks.patience = 600
        for name, tasks in (("make", _make()), ("remove", _remove())):
            (playbooks.folder / f"{name}.yml").write_text(yaml.safe_dump([_play(tasks)]))

    def client(self, service: str) -> Any:
        """Return a client of the operator."""
        keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), KEYS, strict=True))
        return boto3.client(service, region_name=REGION, endpoint_url=self._cloud.endpoint, **keys)

    def control(self, method: str, path: str, document: Any = None) -> Any:
        """Ask one of the lab's own paths."""
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self._cloud.endpoint}/_lab/{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def make(self, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run what preflight reads of the network, s3_files and pod_identity. variables: of the host."""
        return self._run("make", arguments, variables)

    def remove(self, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run the part of teardown that is in AWS, on everything that is owned."""
        return self._run("remove", arguments, variables)

    def requests(self) -> list[dict[str, Any]]:
        """Return the request log."""
        return self._cloud.requests()

    def writes(self, since: int = 0) -> list[str]:
        """Return the writes after the first `since` requests of the log."""
        return [entry["operation"] for entry in self._cloud.requests()[since:] if entry["mutating"]]

    def calls(self, since: int = 0) -> tuple[int, int]:
        """Return the number of requests after the first `since` ones, and how many of them failed."""
        entries = self._cloud.requests()[since:]
        return len(entries), sum(not 200 <= entry["status"] < 400 for entry in entries)

    def owned(self) -> Counter[str]:
        """Return what is there of the platform, by kind, read with an SDK."""
        iam, s3files, eks = self.client("iam"), self.client("s3files"), self.client("eks")
        systems = s3files.list_file_systems()["fileSystems"]
        mine = [item["fileSystemId"] for item in systems if item.get("name") == "lab-weights"]
        groups = [{"Name": "group-name", "Values": ["lab-weights-mount-targets"]}]
        roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
        return +Counter(
            {
                "roles": sum(name.startswith("lab-") and name != "lab-cluster" for name in roles),
                "file systems": len(mine),
                "mount targets": sum(len(s3files.list_mount_targets(fileSystemId=i)["mountTargets"]) for i in mine),
                "access points": sum(len(s3files.list_access_points(fileSystemId=i)["accessPoints"]) for i in mine),
                "groups": len(self.client("ec2").describe_security_groups(Filters=groups)["SecurityGroups"]),
                "associations": len(eks.list_pod_identity_associations(clusterName="lab")["associations"]),
            }
        )

    def _run(self, name: str, arguments: Any, variables: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        host = self._playbooks.host(**{**FLEET, **variables})
        return self._playbooks(str(self._playbooks.folder / name), {"lab": host}, *arguments)


def ok(done: subprocess.CompletedProcess[str]) -> str:
    """The output of a run that did well and warned of nothing."""
    assert done.returncode == 0, done.stdout[-6000:]
    assert "WARNING" not in done.stdout and "DEPRECATION" not in done.stdout, done.stdout[-6000:]
    return done.stdout


WHOLE = Counter({"roles": 4, "file systems": 1, "mount targets": 2, "access points": 1, "groups": 1, "associations": 3})


def _play(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "hosts": "all",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "environment": "{{ llmfleet_aws | llmfleet.eks.aws_environment }}",
        "tasks": tasks,
    }


def _make() -> list[dict[str, Any]]:
    cluster = {"cluster": "{{ llmfleet_cluster.name }}", "region": REGION}
    return [
        {"llmfleet.eks.eks_cluster_access_info": cluster, "register": "preflight_cloud"},
        {"include_role": {"name": "llmfleet.eks.preflight", "tasks_from": "network"}},
        {"llmfleet.eks.describe": {"known": "{{ __llmfleet_known }}"}, "register": "described"},
        {"set_fact": {"__llmfleet_desired": "{{ described.desired }}"}},
        {"include_role": {"name": "llmfleet.eks.s3_files"}},
        {"include_role": {"name": "llmfleet.eks.pod_identity"}},
    ]


def _remove() -> list[dict[str, Any]]:
    return [
        {"llmfleet.eks.owned_resources_info": {}, "register": "teardown_resources"},
        {"include_role": {"name": "llmfleet.eks.teardown", "tasks_from": "aws"}},
    ]
