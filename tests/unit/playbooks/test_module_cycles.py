# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our AWS modules, run by ansible-playbook on the emulated AWS, through twelve steps.

Created, changed and deleted, each: in check mode, really, in check mode again, really again. Which writes a step made,
the request log tells; what check mode foretold is compared with what came.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from tests.unit.playbooks.conftest import ACCOUNT, KEYS, REGION, ROOT, Cloud, Playbooks

ACTS = ("create", "modify", "delete")
# Of each act: in check mode and what it changes; the second pair must find nothing to do.
STEPS = [(act, check, again) for act in ACTS for again in (False, True) for check in (True, False)]
ADDON = "aws-efs-csi-driver"
# Nobody can foretell when.
MOMENTS = {"creation_time", "created_at", "modified_at"}


class Aws:
    """What the modules find there already; made with an SDK, so that no module is tested with another."""

    def __init__(self, cloud: Cloud) -> None:
        self.name = f"t-{uuid.uuid4().hex[:8]}"
        keys = dict(zip(("aws_access_key_id", "aws_secret_access_key"), KEYS, strict=True))
        self.client: Callable[[str], Any] = lambda service: boto3.client(
            service, region_name=REGION, endpoint_url=cloud.endpoint, **keys
        )

    def role(self, suffix: str, principal: str) -> str:
        """Make a role that a service may assume; its ARN."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": principal},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = self.client("iam").create_role(RoleName=f"{self.name}-{suffix}", AssumeRolePolicyDocument=document)
        return str(made["Role"]["Arn"])

    def bucket(self) -> str:
        """Make a versioned bucket; its ARN."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        return f"arn:aws:s3:::{self.name}"

    def file_system(self) -> str:
        """Make a file system that is available; its id."""
        s3files = self.client("s3files")
        role = self.role("fs", "elasticfilesystem.amazonaws.com")
        made = s3files.create_file_system(bucket=self.bucket(), roleArn=role)["fileSystemId"]
        while s3files.get_file_system(fileSystemId=made)["status"] != "available":
            pass
        return str(made)

    def subnets(self) -> list[str]:
        """The subnets of the cluster."""
        ours = [{"Name": "tag:karpenter.sh/discovery", "Values": ["lab"]}]
        return sorted(item["SubnetId"] for item in self.client("ec2").describe_subnets(Filters=ours)["Subnets"])

    def group(self) -> str:
        """Make a security group in the VPC of the cluster; its id."""
        ec2 = self.client("ec2")
        (subnet,) = ec2.describe_subnets(SubnetIds=self.subnets()[:1])["Subnets"]
        made = ec2.create_security_group(GroupName=self.name, Description="of a test", VpcId=subnet["VpcId"])
        return str(made["GroupId"])


@dataclass
class Case:
    """create, modify, delete: the module's options. writes: the calls that each has to make, in order.

    unknown: fields of a new resource that only AWS can say. answer: the key of the resource in the answer.
    """

    module: str
    answer: str
    create: dict[str, Any]
    modify: dict[str, Any]
    delete: dict[str, Any]
    writes: dict[str, list[str]]
    unknown: set[str] = field(default_factory=set)


def file_system(aws: Aws) -> Case:
    wanted = {
        "name": aws.name,
        "bucket": aws.bucket(),
        "role_arn": aws.role("fs", "elasticfilesystem.amazonaws.com"),
        "tags": {"team": "a"},
    }
    anybody = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3files:ClientMount"}
    policy = {"Version": "2012-10-17", "Statement": [anybody]}
    rules = {"import_data_rules": [{"size_less_than": 4096}], "days_after_last_access": 30}
    week = {"days_after_last_access": 7}
    return Case(
        "s3files_file_system",
        "file_system",
        {**wanted, "policy": policy, "synchronization": rules},
        {**wanted, "policy": {}, "tags": {"team": "b", "kept": True}, "synchronization": {**rules, **week}},
        {"name": aws.name},
        {
            "create": ["CreateFileSystem", "PutFileSystemPolicy", "PutSynchronizationConfiguration"],
            "modify": ["TagResource", "DeleteFileSystemPolicy", "PutSynchronizationConfiguration"],
            "delete": ["DeleteFileSystem"],
        },
        {"file_system_id", "file_system_arn", "policy", "client_token"},
    )


def lifecycle(aws: Aws) -> Case:
    rule = {"bucket": aws.bucket().rpartition(":")[2], "rule_id": "llmfleet"}
    return Case(
        "s3_bucket_lifecycle",
        "rule",
        {**rule, "noncurrent_days": 30, "upload_days": 7},
        {**rule, "noncurrent_days": 3},
        rule,
        {
            "create": ["PutBucketLifecycleConfiguration"],
            "modify": ["PutBucketLifecycleConfiguration"],
            "delete": ["DeleteBucketLifecycle"],
        },
    )


def access_point(aws: Aws) -> Case:
    names = {"name": aws.name, "file_system_id": aws.file_system()}
    permissions = {"owner_uid": 1001, "owner_gid": 1001, "permissions": "0775"}
    wanted = {
        **names,
        "posix_user": {"uid": 1001, "gid": 1001},
        "root_directory": {"path": "/models", "creation_permissions": permissions},
    }
    return Case(
        "s3files_access_point",
        "access_point",
        {**wanted, "tags": {"team": "a", "old": "x"}},
        {**wanted, "tags": {"team": "b"}},
        names,
        {
            "create": ["CreateAccessPoint"],
            "modify": ["TagResource", "UntagResource"],
            "delete": ["DeleteAccessPoint"],
        },
        {"access_point_id", "access_point_arn", "client_token", "owner_id"},
    )


def mount_target(aws: Aws) -> Case:
    subnets, group = aws.subnets(), aws.group()
    wanted = {"file_system_id": aws.file_system(), "subnet_ids": subnets}
    ec2 = aws.client("ec2")
    default = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["lab-node"]}])
    return Case(
        "s3files_mount_target",
        "mount_targets",
        {**wanted, "security_groups": [default["SecurityGroups"][0]["GroupId"]]},
        {**wanted, "security_groups": [group]},
        wanted,
        {
            "create": ["CreateMountTarget", "CreateMountTarget"],
            "modify": ["UpdateMountTarget", "UpdateMountTarget"],
            "delete": ["DeleteMountTarget", "DeleteMountTarget"],
        },
        {"mount_target_id", "network_interface_id", "ipv4_address", "vpc_id", "availability_zone_id", "owner_id"},
    )


def association(aws: Aws) -> Case:
    account = {"cluster": "lab", "namespace": "llm", "service_account": aws.name}
    one, other = (aws.role(suffix, "pods.eks.amazonaws.com") for suffix in ("one", "other"))
    return Case(
        "eks_pod_identity_association",
        "association",
        {**account, "role_arn": one, "tags": {"team": "a", "old": "x"}},
        {**account, "role_arn": other, "tags": {"team": "b"}},
        account,
        {
            "create": ["CreatePodIdentityAssociation"],
            "modify": ["UpdatePodIdentityAssociation", "TagResource", "UntagResource"],
            "delete": ["DeletePodIdentityAssociation"],
        },
        {"association_id", "association_arn", "disable_session_tags"},
    )


def addon(aws: Aws) -> Case:
    name = {"cluster_name": "lab", "name": ADDON}
    values = {"controller": {"resources": {"limits": {"memory": "512Mi"}}}}
    return Case(
        "eks_addon",
        "addon",
        {**name, "version": "v3.3.0-eksbuild.1", "tags": {"team": "a"}},
        {**name, "version": "v3.4.1-eksbuild.1", "configuration_values": values, "tags": {"team": "b"}},
        name,
        {"create": ["CreateAddon"], "modify": ["TagResource", "UpdateAddon"], "delete": ["DeleteAddon"]},
        {"addon_arn", "health", "owner", "publisher"},
    )


CASES = [lifecycle, file_system, access_point, mount_target, association, addon]


def play(case: Case, answers: Path) -> list[dict[str, Any]]:
    """A playbook of the steps, which writes down what each one answered and what the log said after it."""
    counted = "{{ (lookup('ansible.builtin.url', control ~ '/requests?since=0') | from_json).next }}"
    tasks: list[dict[str, Any]] = [{"set_fact": {"seen": [], "counts": [counted]}}]
    for act, check, _again in STEPS:
        options = {**getattr(case, act), "state": "absent" if act == "delete" else "present"}
        module = {f"llmfleet.eks.{case.module}": options, "check_mode": check, "diff": True, "register": "done"}
        kept = {"seen": "{{ seen + [done] }}", "counts": "{{ counts + [count] }}"}
        tasks += [module, {"set_fact": kept, "vars": {"count": counted}}]
    copied = {"dest": str(answers), "content": "{{ {'seen': seen, 'counts': counts} | to_json }}", "mode": "0600"}
    tasks.append({"copy": copied})
    return [
        {
            "hosts": "all",
            "connection": "local",
            "gather_facts": False,
            "module_defaults": {"group/llmfleet.eks.aws": {"region": REGION}},
            "environment": "{{ llmfleet_aws | llmfleet.eks.aws_environment }}",
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "tasks": tasks,
        }
    ]


def documented(case: Case) -> set[str]:
    """The fields of the resource in the module's RETURN."""
    text = (ROOT / "plugins" / "modules" / f"{case.module}.py").read_text(encoding="utf-8")
    returned = yaml.safe_load(text.split('RETURN = r"""')[1].split('"""')[0])
    return set(returned[case.answer]["contains"])


def fields(resource: Any) -> set[str]:
    """The fields of a resource, or of a list of them."""
    return set().union(*(set(item) for item in resource)) if isinstance(resource, list) else set(resource)


def known(resource: Any, unknown: set[str]) -> Any:
    """The resource, or each of a list, without the fields that nobody can foretell."""
    if isinstance(resource, list):
        return [known(item, unknown) for item in resource]
    return {key: value for key, value in resource.items() if key not in unknown | MOMENTS}


def settled(diff: dict[str, Any], answer: str, unknown: set[str]) -> dict[str, Any]:
    """Both sides of a diff without what nobody can foretell. Mount targets are a list below a key."""
    return {side: known(diff[side].get(answer, diff[side]), unknown) for side in ("before", "after")}


@pytest.mark.parametrize("made", CASES, ids=lambda made: made.__name__)
def test_twelve_steps(made: Callable[[Aws], Case], playbooks: Playbooks, cloud: Cloud, tmp_path: Path) -> None:
    case = made(Aws(cloud))
    answers = tmp_path / "answers.json"
    (tmp_path / "cycle.yml").write_text(yaml.safe_dump(play(case, answers)))
    control = f"{cloud.endpoint}/_lab"
    done = playbooks(str(tmp_path / "cycle"), {"lab": playbooks.host()}, "-e", f"control={control}")
    assert done.returncode == 0, done.stdout[-6000:]
    assert "WARNING" not in done.stdout and "DEPRECATION" not in done.stdout, done.stdout[-6000:]
    document = json.loads(answers.read_text())
    seen, counts = document["seen"], [int(count) for count in document["counts"]]
    log = cloud.requests()
    log = log[len(log) - counts[-1] :] if len(log) > counts[-1] else log
    offset = counts[-1] - len(log)
    for index, (act, check, again) in enumerate(STEPS):
        where = f"{case.module}: {act}{' again' if again else ''}{' in check mode' if check else ''}"
        answer, requests = seen[index], log[counts[index] - offset : counts[index + 1] - offset]
        writes = [entry["operation"] for entry in requests if entry["mutating"]]
        assert answer["changed"] is (not again), where
        assert writes == ([] if check or again else case.writes[act]), where
        assert requests or check, where
        assert fields(answer[case.answer]) <= documented(case), where
        diff = answer["diff"]
        if again:
            assert diff["before"] == diff["after"], (where, diff)
        if not check:
            # The diff of check mode is the one of the run, and it answers the same resource.
            unknown = case.unknown if act == "create" else set()
            foretold = seen[index - 1]
            assert settled(foretold["diff"], case.answer, unknown) == settled(diff, case.answer, unknown), where
            assert known(foretold[case.answer], unknown) == known(answer[case.answer], unknown), where
    ended = seen[-1][case.answer]
    assert not ended
