# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""destroy.yml on an IAM role of ours and an empty cluster: what it asks, refuses, and takes up again."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

from tests.unit.playbooks.conftest import ACCOUNT, KEYS, QUESTION, REGION, ApiServer, Cloud, Playbooks

ROLE = "lab-owned"
CONFIRM = ("-e", "llmfleet_destroy_confirm=lab")
READS = {"GET", "HEAD"}


@pytest.fixture
def role(cloud: Cloud) -> Iterator[Role]:
    """A role that is the platform's."""
    made = Role(cloud)
    yield made
    made.remove()


class Role:
    """One IAM role with our tags."""

    def __init__(self, cloud: Cloud) -> None:
        self._iam = boto3.client(
            "iam",
            region_name=REGION,
            endpoint_url=cloud.endpoint,
            aws_access_key_id=KEYS[0],
            aws_secret_access_key=KEYS[1],
        )
        tags = [{"Key": key, "Value": value} for key, value in ownership_labels("lab", "storage").items()]
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        self._iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust, Tags=tags)
        cloud.log.write_text("")

    def there(self) -> bool:
        """Tell whether it is still there."""
        return any(role["RoleName"] == ROLE for role in self._iam.list_roles()["Roles"])

    def remove(self) -> None:
        """Remove it if it is there."""
        if self.there():
            self._iam.delete_role(RoleName=ROLE)


@pytest.fixture
def hosts(playbooks: Playbooks) -> dict[str, Any]:
    """The lab's cluster, empty."""
    return {"one": playbooks.host(scheme="http")}


def told(done: subprocess.CompletedProcess[str]) -> str:
    """Return the output on one line; a traceback is never fine."""
    assert "Traceback" not in done.stdout, done.stdout
    return " ".join(done.stdout.split())


def nothing_written(cloud: Cloud, cluster: ApiServer) -> bool:
    """Tell whether AWS and the API server were only read."""
    return not [entry for entry in cloud.requests() if entry["mutating"]] and not [
        asked for asked in cluster.asked if asked.split()[0] not in READS
    ]


@pytest.mark.parametrize(
    ("cluster", "says"),
    [
        (None, "llmfleet_cluster.name: got nothing; accepted: the name of the EKS cluster"),
        ("lab", "llmfleet_cluster.name: got nothing; accepted: the name of the EKS cluster"),
        ({"name": "lab", "account": ACCOUNT}, "llmfleet_cluster.region: got nothing; accepted: its region"),
        (
            {"name": "lab", "region": REGION, "account": int(ACCOUNT)},
            f"llmfleet_cluster.account: got {ACCOUNT}; accepted: its account: 12 digits, as a string",
        ),
    ],
)
def test_a_host_that_does_not_say_which_cluster_it_is(
    playbooks: Playbooks, cloud: Cloud, cluster: Any, says: str
) -> None:
    host = playbooks.host()
    host["llmfleet_cluster"] = cluster
    done = playbooks("destroy", {"one": host}, *CONFIRM)
    assert done.returncode == 2 and f"{says}. Nothing was changed" in told(done)
    assert "Finalization" not in done.stdout and not cloud.requests()


@pytest.mark.parametrize(
    ("playbook", "arguments", "says"),
    [
        ("destroy", ["--skip-tags", "plan"], "--skip-tags: what is owned was not read, so nothing can be removed."),
        (
            "destroy",
            ["-e", '{"llmfleet_aws": {"profil": "x"}}'],
            "llmfleet_aws: got the unknown key 'profil'; accepted: profile, config_file, credentials_file",
        ),
        (
            "site",
            ["-e", "llmfleet_aws=prod"],
            "llmfleet_aws: got no map; accepted: map with profile, config_file, credentials_file",
        ),
        ("site", ["-e", "preflight_helm_grace=soon"], "argument 'preflight_helm_grace' is of type str"),
    ],
)
def test_a_refusal_is_its_message(
    playbooks: Playbooks, hosts: dict[str, Any], playbook: str, arguments: list[str], says: str
) -> None:
    done = playbooks(playbook, hosts, *arguments)
    assert done.returncode == 2 and f"\n  {says}" in done.stdout, done.stdout
    # Not how Ansible came to it, and not the whole result.
    for noise in ("caused by", "Error processing", "filter plugin", "argument_spec_data", "evaluated_to", "Traceback"):
        assert noise not in done.stdout, done.stdout


@pytest.mark.parametrize("second", ["lab", "other"])
def test_one_name_never_stands_for_two_hosts(
    playbooks: Playbooks, cloud: Cloud, empty_cluster: ApiServer, role: Role, second: str
) -> None:
    hosts = {"one": playbooks.host(scheme="http"), "two": playbooks.host(second, scheme="http")}
    done = playbooks("destroy", hosts, *CONFIRM)
    assert done.returncode == 2
    assert "hosts: got 2 (one, two); accepted: one, chosen with --limit" in told(done)
    assert cloud.requests() == [] and empty_cluster.asked == [] and role.there()
    done = playbooks("destroy", hosts, *CONFIRM, "--limit", "one")
    assert done.returncode == 0, done.stdout
    assert not role.there()


def test_nobody_to_ask_and_no_variable_refuses_after_the_plan(
    playbooks: Playbooks, cloud: Cloud, empty_cluster: ApiServer, role: Role, hosts: dict[str, Any]
) -> None:
    done = playbooks("destroy", hosts)
    assert done.returncode == 2
    assert f"1 iam_role: {ROLE}" in told(done)
    assert "llmfleet_destroy_confirm: got nothing; accepted: 'lab'" in told(done) and "Nothing was changed" in told(
        done
    )
    assert nothing_written(cloud, empty_cluster) and role.there()


def test_the_answer_decides(
    playbooks: Playbooks, cloud: Cloud, empty_cluster: ApiServer, role: Role, hosts: dict[str, Any]
) -> None:
    done = playbooks("destroy", hosts, typed="yes")
    assert done.returncode == 2 and done.stdout.count(QUESTION) == 1
    assert "got 'yes'; accepted: 'lab'" in told(done)
    assert nothing_written(cloud, empty_cluster) and role.there()
    done = playbooks("destroy", hosts, typed="lab")
    assert done.returncode == 0 and done.stdout.count(QUESTION) == 1
    assert "nothing that the platform owned is left in lab; kept: nothing" in told(done)
    assert not role.there()


@pytest.mark.parametrize("arguments", [["--check"], ["--tags", "plan"], ["--tags", "plan", *CONFIRM]])
def test_asking_for_the_plan_only_needs_no_name_and_removes_nothing(
    playbooks: Playbooks,
    cloud: Cloud,
    empty_cluster: ApiServer,
    role: Role,
    hosts: dict[str, Any],
    arguments: list[str],
) -> None:
    done = playbooks("destroy", hosts, *arguments)
    assert done.returncode == 0, done.stdout
    assert f"1 iam_role: {ROLE}" in told(done) and "is left in lab" not in told(done)
    assert nothing_written(cloud, empty_cluster) and role.there()


@pytest.mark.parametrize("arguments", [["--check"], ["--tags", "plan"]])
def test_the_question_says_when_nothing_is_removed(
    playbooks: Playbooks,
    cloud: Cloud,
    empty_cluster: ApiServer,
    role: Role,
    hosts: dict[str, Any],
    arguments: list[str],
) -> None:
    done = playbooks("destroy", hosts, *arguments, question="press Enter", typed="lab")
    assert done.returncode == 0, done.stdout
    assert "Nothing is removed" in done.stdout and QUESTION not in done.stdout
    assert nothing_written(cloud, empty_cluster) and role.there()


@pytest.mark.parametrize("skipped", ["plan", "always"])
def test_without_the_plan_nothing_is_removed(
    playbooks: Playbooks, cloud: Cloud, empty_cluster: ApiServer, role: Role, hosts: dict[str, Any], skipped: str
) -> None:
    done = playbooks("destroy", hosts, *CONFIRM, "--skip-tags", skipped)
    assert done.returncode == 2
    assert "what is owned was not read" in told(done)
    assert nothing_written(cloud, empty_cluster) and role.there()


@pytest.mark.parametrize(
    ("cluster", "message"),
    [({"account": "999999999999"}, f"account {ACCOUNT}. Nothing was changed"), ({"name": "nosuch"}, "nosuch")],
)
def test_another_account_or_cluster_is_refused_before_the_plan(
    playbooks: Playbooks, cloud: Cloud, empty_cluster: ApiServer, role: Role, cluster: dict[str, str], message: str
) -> None:
    hosts = {"one": playbooks.host(scheme="http", cluster=cluster)}
    done = playbooks("destroy", hosts, "-e", f"llmfleet_destroy_confirm={cluster.get('name', 'lab')}")
    assert done.returncode == 2
    assert message in told(done) and "to be removed" not in told(done)
    assert nothing_written(cloud, empty_cluster) and role.there()


def test_what_aws_refused_in_the_middle_is_taken_up_by_the_next_run(
    playbooks: Playbooks, cloud: Cloud, empty_cluster: ApiServer, role: Role, hosts: dict[str, Any]
) -> None:
    fault = {"service": "iam", "operation": "DeleteRole", "error": "AccessDenied", "times": 1}
    request = urllib.request.Request(f"{cloud.endpoint}/_lab/faults", json.dumps(fault).encode(), method="POST")
    urllib.request.urlopen(request, timeout=10).close()
    done = playbooks("destroy", hosts, *CONFIRM)
    assert done.returncode == 2, done.stdout
    assert "AccessDenied" in told(done) and "is left in lab" not in told(done)
    assert role.there()
    done = playbooks("destroy", hosts, *CONFIRM)
    assert done.returncode == 0, done.stdout
    assert not role.there()
    done = playbooks("destroy", hosts, *CONFIRM)
    assert done.returncode == 0 and "nothing of the platform is left in lab" in told(done)
