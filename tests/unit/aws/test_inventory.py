# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a cluster: ownership by tags decides, and a list that fails is not an empty one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import inventory
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels
from aws_answers import BUCKET, FS, FS2, POINT, SUBNET, TARGET, file_system, listed, point, points, target, targets

OURS = ownership_labels("example", "storage")
OTHERS = ownership_labels("another", "storage")


def lower(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def upper(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (OURS, True),
        (OTHERS, False),
        ({"llmfleet.io/cluster": "example"}, False),
        ({"app.kubernetes.io/managed-by": "llmfleet"}, False),
        ({**OURS, "app.kubernetes.io/managed-by": "Helm"}, False),
        ({}, False),
    ],
)
def test_both_tags_make_it_ours(tags: dict[str, str], expected: bool) -> None:
    assert inventory.owned(tags, "example") is expected


def test_file_systems_come_with_everything_on_them(s3files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_THREADS", 1)  # the script answers in order
    s3files.answer("list_file_systems", {}, listed(file_system(), file_system(fileSystemId=FS2)))
    s3files.answer("list_tags_for_resource", {"resourceId": FS}, {"tags": lower(OURS)})
    s3files.answer("list_tags_for_resource", {"resourceId": FS2}, {"tags": lower(OTHERS)})
    s3files.answer("list_access_points", {"fileSystemId": FS}, points(point()))
    s3files.error("list_tags_for_resource", "ResourceNotFoundException", status=404, resourceId=POINT)
    s3files.answer("list_mount_targets", {"fileSystemId": FS}, targets(target("deleting")))
    found = inventory.file_systems(s3files.client, "example")
    assert [(item.kind, item.identifier, item.parent) for item in found] == [
        ("file_system", FS, ""),
        ("access_point", POINT, FS),
        ("mount_target", TARGET, FS),
    ]
    assert (found[0].layer, found[0].bucket) == ("storage", BUCKET)
    assert (found[2].name, found[2].status) == (f"{TARGET} in {SUBNET}", "deleting")


def test_roles_are_found_over_pages_and_decided_by_tags(iam: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_THREADS", 1)

    def role(name: str) -> dict[str, Any]:
        arn = f"arn:aws:iam::123456789012:role/{name}"
        return {"RoleName": name, "RoleId": "A" * 16, "Arn": arn, "Path": "/", "CreateDate": 0}

    first = {"Roles": [role("example-weights-fs"), role("admin")], "IsTruncated": True, "Marker": "m"}
    iam.answer("list_roles", {}, first)
    iam.answer("list_roles", {"Marker": "m"}, {"Roles": [role("example-mine"), role("example-gone")]})
    iam.answer("list_role_tags", {"RoleName": "example-weights-fs"}, {"Tags": upper(OURS)})
    iam.answer("list_role_tags", {"RoleName": "example-mine"}, {"Tags": upper({"team": "x"})})
    iam.error("list_role_tags", "NoSuchEntity", status=404)
    assert [item.identifier for item in inventory.roles(iam.client, "example")] == ["example-weights-fs"]


def test_security_groups_are_searched_by_tags(ec2: Any) -> None:
    filters = [
        {"Name": "tag:llmfleet.io/cluster", "Values": ["example"]},
        {"Name": "tag:app.kubernetes.io/managed-by", "Values": ["llmfleet"]},
    ]
    group = {"GroupId": "sg-1", "GroupName": "example-weights-mount-targets", "Tags": upper(OURS)}
    ec2.answer("describe_security_groups", {"Filters": filters}, {"SecurityGroups": [group]})
    (found,) = inventory.security_groups(ec2.client, "example")
    assert (found.identifier, found.name, found.layer) == ("sg-1", "example-weights-mount-targets", "storage")


def test_associations_of_others_are_left_out(eks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_THREADS", 1)

    def association(number: int, tags: dict[str, str] | None = None) -> dict[str, Any]:
        place = {"clusterName": "example", "namespace": "llm", "serviceAccount": f"sa{number}"}
        return {**place, "associationId": f"a-{number}", **({} if tags is None else {"tags": tags})}

    answer = {"associations": [association(1), association(2)]}
    eks.answer("list_pod_identity_associations", {"clusterName": "example"}, answer)
    for number, tags in ((1, OURS), (2, {"team": "x"})):
        expected = {"clusterName": "example", "associationId": f"a-{number}"}
        eks.answer("describe_pod_identity_association", expected, {"association": association(number, tags)})
    assert [item.name for item in inventory.associations(eks.client, "example")] == ["llm/sa1"]


def test_add_ons_of_others_are_left_out(eks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "_THREADS", 1)
    eks.answer("list_addons", {"clusterName": "example"}, {"addons": ["aws-efs-csi-driver", "gone"], "nextToken": "t"})
    eks.answer("list_addons", {"clusterName": "example", "nextToken": "t"}, {"addons": ["vpc-cni"]})
    place = {"clusterName": "example", "addonName": "aws-efs-csi-driver"}
    eks.answer("describe_addon", place, {"addon": {**place, "status": "DEGRADED", "tags": OURS}})
    eks.error("describe_addon", "ResourceNotFoundException", status=404)
    place = {"clusterName": "example", "addonName": "vpc-cni"}
    eks.answer("describe_addon", place, {"addon": {**place, "status": "ACTIVE", "tags": {"team": "x"}}})
    (found,) = inventory.addons(eks.client, "example")
    assert (found.kind, found.identifier, found.status, found.layer) == (
        *("addon", "aws-efs-csi-driver", "DEGRADED"),
        "storage",
    )


def test_add_ons_go_before_the_roles_that_they_act_in() -> None:
    kinds = inventory.KINDS
    assert kinds.index("addon") < kinds.index("pod_identity_association") < kinds.index("iam_role")


def test_a_list_that_fails_is_reported_and_the_others_are_kept(
    s3files: Any, eks: Any, iam: Any, ec2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = {"s3files": s3files.client, "eks": eks.client, "iam": iam.client, "ec2": ec2.client}
    monkeypatch.setattr(inventory, "client", lambda _session, service: clients[service])
    # One thread: the script of EKS answers in order.
    monkeypatch.setattr(inventory, "ThreadPoolExecutor", lambda max_workers: ThreadPoolExecutor(1))
    s3files.answer("list_file_systems", {}, {"fileSystems": []})
    eks.error("list_pod_identity_associations", "ResourceNotFoundException", status=404)
    eks.error("list_addons", "AccessDeniedException", status=403)
    iam.error("list_roles", "AccessDenied", status=403)
    group = {"GroupId": "sg-1", "GroupName": "g", "Tags": upper(OURS)}
    ec2.answer("describe_security_groups", None, {"SecurityGroups": [group]})
    found = inventory.collect(object(), "example")
    assert [item.identifier for item in found.resources] == ["sg-1"]
    assert found.of("security_group") == found.resources
    assert list(found.unreadable) == ["addon", "iam_role"]
    assert "not allowed" in found.unreadable["iam_role"]
