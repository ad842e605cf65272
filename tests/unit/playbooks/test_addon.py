# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage driver as an EKS add-on: the role installs it, and destroy.yml names it and takes it away first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

from tests.unit.playbooks.conftest import KEYS, REGION, ApiServer, Cloud, Playbooks

NAME = "aws-efs-csi-driver"
VERSION = "v3.4.1-eksbuild.1"
OURS = ownership_labels("lab", "storage")
CONTROLLER = '{"controller":{"resources":{"limits":{"memory":"512Mi"}}}}'
WANTED = {
    "cluster_name": "lab",
    "name": NAME,
    "version": VERSION,
    "configuration_values": {part: {"resources": {"limits": {"memory": "512Mi"}}} for part in ("controller", "node")},
    "drop_unknown_values": True,
    "tags": OURS,
}


@pytest.fixture
def eks(cloud: Cloud) -> Iterator[Any]:
    """EKS, without the add-on before and after."""
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), KEYS, strict=True))
    client = boto3.client("eks", region_name=REGION, endpoint_url=cloud.endpoint, **keys)
    yield client
    if NAME in client.list_addons(clusterName="lab")["addons"]:
        client.delete_addon(clusterName="lab", addonName=NAME)
        client.get_waiter("addon_deleted").wait(
            clusterName="lab", addonName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
        )


@pytest.fixture
def install(playbooks: Playbooks, tmp_path: Path) -> Any:
    """Run the role's tasks for the add-on, as site.yml includes them."""
    desired = {"aws": [{"resource": "eks_addon", "name": NAME, "properties": WANTED}], "objects": [], "charts": []}
    task = {"ansible.builtin.include_role": {"name": "llmfleet.eks.efs_csi_driver", "tasks_from": "addon"}}
    host = playbooks.host(scheme="http")
    kubeconfig = {key: host["llmfleet_cluster"][key] for key in ("kubeconfig", "context")}
    play = {
        "hosts": "all",
        "connection": "local",
        "gather_facts": False,
        "environment": "{{ llmfleet_aws | llmfleet.eks.aws_environment }}",
        "vars": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "llmfleet_efs_csi_driver": "addon",
            "__llmfleet_desired": desired,
            "efs_csi_driver_access": {"access": kubeconfig},
        },
        "tasks": [task],
    }
    (tmp_path / "install.yml").write_text(yaml.safe_dump([play]))
    return lambda *arguments: playbooks(str(tmp_path / "install"), {"one": host}, *arguments)


def writes(cloud: Cloud) -> list[str]:
    return [entry["operation"] for entry in cloud.requests() if entry["mutating"]]


def test_the_role_installs_it_and_then_looks_for_the_driver(
    install: Any, cloud: Cloud, empty_cluster: ApiServer, eks: Any
) -> None:
    done = install("--check", "--diff")
    assert done.returncode == 0 and writes(cloud) == [], done.stdout
    assert f"+    addon_version: {VERSION}" in done.stdout, done.stdout
    assert "DEPRECATION" not in done.stdout, done.stdout
    done = install()
    told = " ".join(done.stdout.split())
    # The API server of these tests serves no kinds: looking for the driver fails, after the add-on was made.
    assert done.returncode == 2 and "FAILED: efs_csi_driver : existing | Look for the driver" in told, done.stdout
    assert f"the add-on {NAME} of lab {VERSION} does not take node.resources: left out" in told
    assert writes(cloud) == ["CreateAddon"]
    found = eks.describe_addon(clusterName="lab", addonName=NAME)["addon"]
    assert (found["status"], found["addonVersion"], found["tags"]) == ("ACTIVE", VERSION, OURS)
    assert found["configurationValues"] == CONTROLLER
    install()
    assert writes(cloud) == ["CreateAddon"]


def test_destroy_names_it_and_removes_it_before_the_roles(
    playbooks: Playbooks, cloud: Cloud, empty_cluster: ApiServer, eks: Any
) -> None:
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), KEYS, strict=True))
    iam = boto3.client("iam", region_name=REGION, endpoint_url=cloud.endpoint, **keys)
    tags = [{"Key": key, "Value": value} for key, value in OURS.items()]
    pods = {"Service": "pods.eks.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": pods, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName="lab-driver", AssumeRolePolicyDocument=trust, Tags=tags)["Role"]["Arn"]
    account = {"namespace": "kube-system", "serviceAccount": "efs-csi-node-sa", "roleArn": role}
    eks.create_pod_identity_association(clusterName="lab", **account, tags=OURS)
    eks.create_addon(clusterName="lab", addonName=NAME, tags=OURS)
    cloud.log.write_text("")
    host = {"one": playbooks.host(scheme="http")}
    done = playbooks("destroy", host, "--check")
    assert done.returncode == 0 and f"1 addon: {NAME}" in done.stdout and writes(cloud) == [], done.stdout
    done = playbooks("destroy", host, "-e", "llmfleet_destroy_confirm=lab")
    assert done.returncode == 0, done.stdout
    assert writes(cloud) == ["DeleteAddon", "DeletePodIdentityAssociation", "DeleteRole"]
    assert eks.list_addons(clusterName="lab")["addons"] == []


def test_destroy_leaves_one_of_others(playbooks: Playbooks, cloud: Cloud, empty_cluster: ApiServer, eks: Any) -> None:
    eks.create_addon(clusterName="lab", addonName=NAME, tags={"team": "x"})
    cloud.log.write_text("")
    done = playbooks("destroy", {"one": playbooks.host(scheme="http")}, "-e", "llmfleet_destroy_confirm=lab")
    assert done.returncode == 0 and writes(cloud) == [], done.stdout
    assert eks.list_addons(clusterName="lab")["addons"] == [NAME]
