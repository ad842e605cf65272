# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS resources: parameters of their modules, and least privilege."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ROOT = Path(__file__).resolve().parents[3]
Resources = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def resources(variables: Any, fleet_of: Any) -> Resources:
    """Properties of the resources of a kind by name."""

    def run(kind: str, known: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
        found = desired(fleet_of(variables), known or {}).aws
        return {entry["name"]: entry["properties"] for entry in found if entry["resource"] == kind}

    return run


def _documentation(module: str) -> dict[str, Any]:
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0]))


@pytest.mark.parametrize(
    "module",
    [
        "s3_bucket_lifecycle",
        "s3files_file_system",
        "s3files_mount_target",
        "s3files_access_point",
        "eks_pod_identity_association",
    ],
)
def test_properties_are_parameters_of_our_modules(module: str, resources: Resources) -> None:
    options = _documentation(module)["options"]
    found = resources(module)
    assert found
    for properties in found.values():
        assert set(properties) - {"tags"} <= set(options)
        assert {name for name, option in options.items() if option.get("required")} <= set(properties)


def test_the_driver_as_an_add_on(variables: Any, resources: Resources) -> None:
    assert resources("eks_addon") == {}
    variables["llmfleet_efs_csi_driver"] = "addon"
    ((name, addon),) = resources("eks_addon").items()
    assert name == addon["name"] == "aws-efs-csi-driver" and addon["cluster_name"] == "prod"
    card = yaml.safe_load((ROOT / "meta" / "versions.yml").read_text(encoding="utf-8"))
    assert addon["version"] == card["addons"]["aws-efs-csi-driver"]
    # Version 3 is the first that mounts S3 Files.
    assert int(addon["version"].removeprefix("v").split(".")[0]) >= 3 and "-eksbuild." in addon["version"]
    assert addon["configuration_values"]["node"]["resources"]["limits"] == {"memory": "1Gi"}
    assert addon["tags"]["llmfleet.io/cluster"] == "prod"
    options = _documentation("eks_addon")["options"]
    assert set(addon) - {"tags"} <= set(options)
    assert {name for name, option in options.items() if option.get("required")} <= set(addon)


def test_bucket(resources: Resources) -> None:
    ((name, bucket),) = resources("s3_bucket").items()
    assert name == bucket["name"] == "eu-west-3-123456789012-prod-weights"
    assert bucket["versioning"] is True and bucket["encryption"] == "AES256"
    assert set(bucket["public_access"].values()) == {True} and len(bucket["public_access"]) == 4


def test_what_the_bucket_forgets(variables: Any, resources: Resources) -> None:
    ((name, rule),) = resources("s3_bucket_lifecycle").items()
    assert name == rule["bucket"] == "eu-west-3-123456789012-prod-weights"
    assert (rule["noncurrent_days"], rule["upload_days"]) == (30, 7)
    variables["llmfleet_bucket_noncurrent_days"] = 3
    assert resources("s3_bucket_lifecycle")[name]["noncurrent_days"] == 3


def test_every_role_has_the_boundary_that_is_asked_for(variables: Any, resources: Resources) -> None:
    assert not any("boundary" in role for role in resources("iam_role").values())
    variables["llmfleet_permissions_boundary"] = "arn:aws:iam::123456789012:policy/team/boundary"
    boundaries = {role["boundary"] for role in resources("iam_role").values()}
    assert boundaries == {"arn:aws:iam::123456789012:policy/team/boundary"}


def test_file_system(resources: Resources) -> None:
    ((_, file_system),) = resources("s3files_file_system").items()
    assert file_system["bucket"] == "arn:aws:s3:::eu-west-3-123456789012-prod-weights"
    assert file_system["role_arn"] == "arn:aws:iam::123456789012:role/prod-weights-fs"
    (statement,) = file_system["policy"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:role/prod-efs-csi-node"}
    assert statement["Action"] == ["s3files:ClientMount", "s3files:ClientWrite"]
    ((_, access_point),) = resources("s3files_access_point", {"file_system/prod-weights": "fs-1"}).items()
    assert access_point["file_system_id"] == "fs-1" and access_point["posix_user"] == {"uid": 1001, "gid": 1001}
    assert access_point["root_directory"]["path"] == "/models"
    assert access_point["root_directory"]["creation_permissions"]["permissions"] == "0775"


def test_network(variables: Any, resources: Resources) -> None:
    known = {"security_group/prod-node": "sg-n", "subnets/prod": "subnet-a,subnet-b", "vpc/prod": "vpc-1"}
    ((name, group),) = resources("ec2_security_group", known).items()
    assert name == "prod-weights-mount-targets" and group["vpc_id"] == "vpc-1" and group["rules_egress"] == []
    (rule,) = group["rules"]
    assert (rule["proto"], rule["from_port"], rule["to_port"], rule["group_id"]) == ("tcp", 2049, 2049, "sg-n")
    ((_, targets),) = resources("s3files_mount_target", known).items()
    assert targets["subnet_ids"] == ["subnet-a", "subnet-b"]
    variables["llmfleet_cluster"] |= {"vpc": "vpc-0123456789abcdef0", "subnets": ["subnet-0123456789abcdef0"]}
    assert resources("s3files_mount_target", known)["prod-weights"]["subnet_ids"] == ["subnet-0123456789abcdef0"]
    assert resources("ec2_security_group", known)[name]["vpc_id"] == "vpc-0123456789abcdef0"


def test_who_may_take_the_roles(resources: Resources) -> None:
    roles = resources("iam_role")
    assert set(roles) == {
        "prod-weights-fs",
        "prod-efs-csi-node",
        "prod-efs-csi-controller",
        "prod-weights-fetcher",
    }
    for name, role in roles.items():
        (statement,) = role["assume_role_policy_document"]["Statement"]
        condition = statement["Condition"]
        assert condition["StringEquals"] == {"aws:SourceAccount": "123456789012"}
        if name == "prod-weights-fs":
            assert statement["Principal"] == {"Service": "elasticfilesystem.amazonaws.com"}
            source = condition["ArnLike"]["aws:SourceArn"]
            assert source == "arn:aws:s3files:eu-west-3:123456789012:file-system/*"
        else:
            assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
            assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
            source = condition["ArnEquals"]["aws:SourceArn"]
            assert source == "arn:aws:eks:eu-west-3:123456789012:cluster/prod"
    assert [arn.split("/")[-1] for arn in roles["prod-efs-csi-controller"]["managed_policies"]] == [
        "AmazonEFSCSIDriverPolicy",
        "AmazonS3FilesCSIDriverPolicy",
        "AmazonS3FilesClientFullAccess",
    ]
    assert [arn.split("/")[-1] for arn in roles["prod-efs-csi-node"]["managed_policies"]] == [
        "AmazonS3FilesClientFullAccess",
        "AmazonElasticFileSystemsUtils",
    ]
    assert roles["prod-weights-fetcher"]["managed_policies"] == roles["prod-weights-fs"]["managed_policies"] == []


def _actions(document: dict[str, Any], resource: str) -> set[str]:
    """Actions that a policy allows on exactly a resource."""
    found: set[str] = set()
    for statement in document["Statement"]:
        listed = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        if resource in listed:
            found |= set(statement["Action"])
    return found


def test_what_the_roles_may_do(resources: Resources) -> None:
    policies = {name: entry["policy_json"] for name, entry in resources("iam_policy").items()}
    bucket = "arn:aws:s3:::eu-west-3-123456789012-prod-weights"
    access = policies["prod-weights-fs-bucket-access"]
    assert {"s3:ListBucket", "s3:ListBucketVersions"} <= _actions(access, bucket)
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= _actions(access, f"{bucket}/*")
    (events,) = policies["prod-weights-fs-bucket-events"]["Statement"]
    assert events["Resource"] == "arn:aws:events:eu-west-3:123456789012:rule/DO-NOT-DELETE-S3-Files*"
    assert events["Condition"] == {"StringEquals": {"events:ManagedBy": "elasticfilesystem.amazonaws.com"}}
    reads = _actions(policies["prod-efs-csi-node-direct-reads"], f"{bucket}/*")
    assert reads == {"s3:GetObject", "s3:GetObjectVersion"}
    for document in policies.values():
        for statement in document["Statement"]:
            assert "*" not in statement["Action"] and not any(a.endswith(":*") for a in statement["Action"])
            assert statement["Resource"] != "*"


def test_the_fetcher_writes_below_its_prefixes_only(variables: Any, resources: Resources) -> None:
    second = copy.deepcopy(variables["llmfleet_models"][0]) | {"name": "second"}
    second["weights"]["source"] = "s3://other-bucket/mirror/"
    variables["llmfleet_models"].append(second)
    document = resources("iam_policy")["prod-weights-fetcher-weights"]["policy_json"]
    bucket = "arn:aws:s3:::eu-west-3-123456789012-prod-weights"
    for name in ("qwen", "second"):
        actions = _actions(document, f"{bucket}/models/{name}/{COMMIT}/*")
        assert {"s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"} <= actions
    (writing, cache) = [s for s in document["Statement"] if "s3:PutObject" in s["Action"]]
    assert len(writing["Resource"]) == 2
    assert cache["Action"] == ["s3:PutObject"]
    assert cache["Resource"] == [f"{bucket}/models/.cache/{name}/.keep" for name in ("qwen", "second")]
    (listing,) = [s for s in document["Statement"] if s["Sid"] == "List"]
    assert listing["Condition"]["StringLike"]["s3:prefix"] == [
        f"models/qwen/{COMMIT}/*",
        f"models/second/{COMMIT}/*",
    ]
    variables["llmfleet_models"][0]["adapters"] = [{"name": "sql", "repository": "o/sql", "revision": "a" * 40}]
    document = resources("iam_policy")["prod-weights-fetcher-weights"]["policy_json"]
    adapter = "models/qwen/adapters/*"
    assert "s3:PutObject" in _actions(document, f"{bucket}/{adapter}")
    (listing,) = [s for s in document["Statement"] if s["Sid"] == "List"]
    assert adapter in listing["Condition"]["StringLike"]["s3:prefix"]
    assert _actions(document, "arn:aws:s3:::other-bucket/mirror/*") == {"s3:GetObject", "s3:GetObjectVersion"}
    assert _actions(document, "arn:aws:s3:::other-bucket") == {"s3:ListBucket"}


def test_associations(resources: Resources) -> None:
    found = resources("eks_pod_identity_association").values()
    assert {(entry["namespace"], entry["service_account"], entry["role_arn"].split("/")[-1]) for entry in found} == {
        ("kube-system", "efs-csi-controller-sa", "prod-efs-csi-controller"),
        ("kube-system", "efs-csi-node-sa", "prod-efs-csi-node"),
        ("llm", "weights-fetcher", "prod-weights-fetcher"),
    }
    assert all(entry["cluster"] == "prod" for entry in found)


def test_what_the_roles_may_do_is_what_the_table_says(variables: Any, resources: Resources) -> None:
    model = copy.deepcopy(variables["llmfleet_models"][0])
    model |= {"name": "mirrored", "weights": {**model["weights"], "source": "s3://mirror/hub"}}
    variables["llmfleet_models"].append(model)
    rendered = set()
    for policy in resources("iam_policy").values():
        for statement in policy["policy_json"]["Statement"]:
            role = policy["iam_name"].removeprefix("prod-")
            rendered |= {(role, action) for action in statement["Action"]}
    lines = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("| role | action | what needs it |") + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        role, action, what = (cell.strip().strip("`") for cell in line.strip("|").split("|"))
        assert what
        rows.append((role, action))
    assert len(rows) == len(set(rows)) and set(rows) == rendered
