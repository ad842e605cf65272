# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/aws.md: what the operator's credentials need is just enough, and each denial is told by name.

The emulated AWS judges by policies as AWS does, exact to the resource for S3 and by action elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llmfleet_lab.aws.profile import PROFILE, write_profile

from tests.unit.playbooks.conftest import ACCOUNT, REGION, ROOT, Cloud
from tests.unit.playbooks.storage import BUCKET, WHOLE, Storage, ok

HEAD = "| action | call that needs it |"
# Needed by parts of the platform that these runs leave out, or only once somebody changed something.
NOT_HERE = {
    "ec2:DeleteTags",
    "ec2:RevokeSecurityGroupIngress",
    "eks:CreateAddon",
    "eks:DeleteAddon",
    "eks:DescribeAddon",
    "eks:DescribeAddonConfiguration",
    "eks:UntagResource",
    "eks:UpdateAddon",
    "eks:UpdatePodIdentityAssociation",
    "iam:PutRolePermissionsBoundary",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "s3files:PutSynchronizationConfiguration",
    "s3files:UntagResource",
    "s3files:UpdateMountTarget",
    "secretsmanager:GetSecretValue",
}
OPERATOR = "t-operator"
READS = ("Get", "List", "Describe")


def documented() -> list[str]:
    """The actions of the table, in its order."""
    lines = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8").splitlines()
    found = []
    for line in lines[lines.index(HEAD) + 2 :]:
        if not line.startswith("|"):
            break
        found.append(line.split("|")[1].strip().strip("`"))
    return found


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Operator:
    """Keys of a role with the policy of the table, and of nothing else."""

    def __init__(self, storage: Storage, cloud: Cloud, folder: Path) -> None:
        self._iam = storage.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        role = self._iam.create_role(RoleName=OPERATOR, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
        self.allow(documented())
        keys = storage.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        config, credentials = write_profile(
            folder / "operator", REGION, cloud.endpoint, keys["AccessKeyId"], keys["SecretAccessKey"]
        )
        with credentials.open("a") as file:
            file.write(f"aws_session_token = {keys['SessionToken']}\n")
        files = {"config_file": str(config), "credentials_file": str(credentials)}
        self.variables = {"llmfleet_aws": {"profile": PROFILE, **files}}

    def allow(self, actions: list[str]) -> None:
        """Allow just these."""
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        self._iam.put_role_policy(RoleName=OPERATOR, PolicyName="allow", PolicyDocument=policy(statement))

    def deny(self, action: str | None) -> None:
        """Deny this one, and no other."""
        statement = {"Effect": "Deny", "Action": action or "nothing:Nothing", "Resource": "*"}
        self._iam.put_role_policy(RoleName=OPERATOR, PolicyName="deny", PolicyDocument=policy(statement))

    def remove(self) -> None:
        """Remove the role."""
        for name in self._iam.list_role_policies(RoleName=OPERATOR)["PolicyNames"]:
            self._iam.delete_role_policy(RoleName=OPERATOR, PolicyName=name)
        self._iam.delete_role(RoleName=OPERATOR)


@pytest.fixture
def operator(storage: Storage, cloud: Cloud, tmp_path: Path) -> Iterator[Operator]:
    made = Operator(storage, cloud, tmp_path)
    yield made
    made.remove()


def needed(storage: Storage, since: int) -> list[str]:
    """The actions that the requests after the first `since` ones needed, in the order of their first use."""
    entries = storage.requests()[since:]
    found = dict.fromkeys(action for entry in entries for action in entry["actions"])
    return [action for action in found if action != "sts:GetCallerIdentity"]


def test_the_table_is_enough_and_not_more(storage: Storage, operator: Operator) -> None:
    since = len(storage.requests())
    ok(storage.make(**operator.variables))
    ok(storage.make(**operator.variables))
    used = needed(storage, since)
    assert storage.owned() == WHOLE
    since = len(storage.requests())
    ok(storage.remove(**operator.variables))
    used += needed(storage, since)
    assert set(used) == set(documented()) - NOT_HERE
    assert documented() == sorted(documented())


def squeezed(text: str) -> str:
    """Letters only: amazon.aws writes "describe security groups" and "DescribeSecurityGroups"."""
    return "".join(filter(str.isalpha, text.lower()))


@pytest.mark.full
def test_each_denial_is_told_by_its_name(storage: Storage, operator: Operator) -> None:
    """One action after the other is denied, in the order in which a run first needs them: the call is named.

    What was made before stays, so that each run fails at that one.
    """
    acts = (storage.make, storage.remove)
    orders: list[list[str]] = []
    harmless: list[str] = []
    unnamed: list[str] = []
    for act in acts:
        since = len(storage.requests())
        ok(act(**operator.variables))
        orders.append(needed(storage, since))
    storage.client("s3").delete_bucket(Bucket=BUCKET)
    for act, order in zip(acts, orders, strict=True):
        for action in order:
            operator.deny(action)
            since = len(storage.requests())
            done = act(**operator.variables)
            told = " ".join(done.stdout.split())
            step = next((line.strip() for line in done.stdout.splitlines() if "FAILED:" in line), "")
            call = [entry["operation"] for entry in storage.requests()[since:] if entry["status"] in (401, 403)][-1:]
            named = any(squeezed(name) in squeezed(told) for name in (action.partition(":")[2], *call))
            print(f"{action}: {step}{'' if named else f' NOT NAMED: {told[-1500:]}'}", flush=True)
            assert "Traceback" not in told, told
            if done.returncode == 0:
                harmless.append(action)
                # Back to the beginning, so that the next ones have something to make, or to remove.
                operator.deny(None)
                if act == storage.make:
                    ok(storage.remove())
                    storage.client("s3").delete_bucket(Bucket=BUCKET)
                else:
                    ok(storage.make())
            elif not named:
                unnamed.append(action)
        operator.deny(None)
        ok(act(**operator.variables))
    # amazon.aws goes on without some of what it reads; never without a write.
    assert not [action for action in harmless if not action.partition(":")[2].startswith(READS)], harmless
    assert unnamed == []
