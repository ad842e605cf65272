# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in AWS that belongs to a cluster: read from ownership tags, for teardown and for the left-over audit.

A list that could not be read is reported as such: it never reads as "nothing left".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import addon, pod_identity, s3files
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call, pages
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import (
    CLUSTER_LABEL,
    LAYER_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
)

# In the order of removal.
KINDS = (
    "addon",
    "pod_identity_association",
    "access_point",
    "mount_target",
    "file_system",
    "security_group",
    "iam_role",
)
_THREADS = 8


@dataclass(frozen=True)
class Owned:
    """One resource. identifier: what its API takes. name: for people. parent: the file system of its children.

    status: as the service says, "" where it has none. tags: of the resource; for a mount target, which has none, those
    of its file system. bucket: ARN of what a file system is over.
    """

    kind: str
    identifier: str
    name: str
    status: str = ""
    parent: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    bucket: str = ""

    @property
    def layer(self) -> str:
        """The layer in its tags, or ""."""
        return self.tags.get(LAYER_LABEL, "")


@dataclass(frozen=True)
class Inventory:
    """resources: in order of KINDS. unreadable: kind -> why it could not be listed."""

    resources: tuple[Owned, ...]
    unreadable: Mapping[str, str]

    def of(self, kind: str) -> tuple[Owned, ...]:
        """The resources of one kind."""
        return tuple(item for item in self.resources if item.kind == kind)


def owned(tags: Mapping[str, str], cluster: str) -> bool:
    """Whether the tags say that the resource is ours and of this cluster."""
    return tags.get(MANAGED_BY_LABEL) == MANAGED_BY and tags.get(CLUSTER_LABEL) == cluster


def collect(aws_session: Any, cluster: str) -> Inventory:
    """All resources of a cluster in the session's region. aws_session: from session.session. cluster: its name.

    The lists are read side by side. Raises AwsError only when clients cannot be made.
    """
    clients = {service: client(aws_session, service) for service in ("s3files", "eks", "iam", "ec2")}
    tasks: dict[str, Callable[[], list[Owned]]] = {
        "file_system": lambda: file_systems(clients["s3files"], cluster),
        "pod_identity_association": lambda: associations(clients["eks"], cluster),
        "addon": lambda: addons(clients["eks"], cluster),
        "iam_role": lambda: roles(clients["iam"], cluster),
        "security_group": lambda: security_groups(clients["ec2"], cluster),
    }
    found: list[Owned] = []
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
        futures = {kind: pool.submit(task) for kind, task in tasks.items()}
        for kind, future in futures.items():
            try:
                found.extend(future.result())
            except AwsError as error:
                unreadable[kind] = str(error)
    found.sort(key=lambda item: (KINDS.index(item.kind), item.name, item.identifier))
    return Inventory(tuple(found), unreadable)


def file_systems(s3files_client: Any, cluster: str) -> list[Owned]:
    """The cluster's file systems with their access points and mount targets.

    Everything on an owned file system is listed, whoever made it: it must be gone before the file system can go.
    """
    listed = [item for item in s3files.list_file_systems(s3files_client) if item.get("status") != "deleted"]
    all_tags = _each(lambda item: s3files.list_tags(s3files_client, item["fileSystemId"]), listed)
    found: list[Owned] = []
    for item, tags in zip(listed, all_tags, strict=True):
        if not owned(tags, cluster):
            continue
        file_system_id = str(item["fileSystemId"])
        status = str(item.get("status", ""))
        name, bucket = str(item.get("name") or file_system_id), str(item.get("bucket") or "")
        found.append(Owned("file_system", file_system_id, name, status, "", tags, bucket))
        points = [
            point
            for point in s3files.list_access_points(s3files_client, file_system_id) or []
            if point.get("status") != "deleted"
        ]
        point_tags = _each(lambda point: s3files.list_tags(s3files_client, point["accessPointId"]), points)
        for point, its_tags in zip(points, point_tags, strict=True):
            point_id = str(point["accessPointId"])
            name = str(point.get("name") or point_id)
            found.append(Owned("access_point", point_id, name, str(point["status"]), file_system_id, its_tags))
        for target in s3files.list_mount_targets(s3files_client, file_system_id) or []:
            if target.get("status") != "deleted":
                target_id, subnet = str(target["mountTargetId"]), str(target["subnetId"])
                status = str(target.get("status", ""))
                found.append(Owned("mount_target", target_id, f"{target_id} in {subnet}", status, file_system_id, tags))
    return found


def associations(eks: Any, cluster: str) -> list[Owned]:
    """The cluster's pod identity associations that are ours."""
    listed = pod_identity.list_associations(eks, cluster)
    read = _each(lambda item: pod_identity.read(eks, cluster, item["associationId"]), listed)
    return [
        Owned(
            "pod_identity_association",
            item["association_id"],
            f"{item['namespace']}/{item['service_account']}",
            "",
            "",
            item["tags"],
        )
        for item in read
        if item and owned(item["tags"], cluster)
    ]


def addons(eks: Any, cluster: str) -> list[Owned]:
    """The cluster's EKS add-ons that are ours."""
    read = _each(lambda name: addon.read(eks, cluster, name), addon.list_addons(eks, cluster))
    return [
        Owned("addon", item["addon_name"], item["addon_name"], item["status"], "", item["tags"])
        for item in read
        if item and owned(item["tags"], cluster)
    ]


def roles(iam: Any, cluster: str) -> list[Owned]:
    """The cluster's IAM roles. IAM cannot search by tag: of the roles named <cluster>-… the tags decide."""
    with doing("list the IAM roles"):
        listed = _iam_pages(iam.list_roles, "Roles")
    candidates = [role for role in listed if str(role["RoleName"]).startswith(f"{cluster}-")]
    all_tags = _each(lambda role: _role_tags(iam, str(role["RoleName"])), candidates)
    return [
        Owned("iam_role", str(role["RoleName"]), str(role["RoleName"]), "", "", tags)
        for role, tags in zip(candidates, all_tags, strict=True)
        if owned(tags, cluster)
    ]


def _role_tags(iam: Any, name: str) -> dict[str, str]:
    try:
        with doing(f"read the tags of IAM role {name}"):
            return tagging.from_list(_iam_pages(iam.list_role_tags, "Tags", RoleName=name))
    except AwsError as error:
        if error.missing:
            return {}
        raise


def _iam_pages(operation: Callable[..., Any], result_key: str, **parameters: Any) -> list[Any]:
    """IAM has its own way of paging: Marker while IsTruncated."""
    found: list[Any] = []
    while True:
        page = call(operation, **parameters)
        found.extend(page[result_key])
        if not page.get("IsTruncated"):
            return found
        parameters["Marker"] = page["Marker"]


def security_groups(ec2: Any, cluster: str) -> list[Owned]:
    """The cluster's security groups."""
    filters = [
        {"Name": f"tag:{CLUSTER_LABEL}", "Values": [cluster]},
        {"Name": f"tag:{MANAGED_BY_LABEL}", "Values": [MANAGED_BY]},
    ]
    with doing("list the security groups"):
        listed = pages(ec2.describe_security_groups, "SecurityGroups", token_key="NextToken", Filters=filters)
    return [
        Owned(
            "security_group", str(item["GroupId"]), str(item["GroupName"]), "", "", tagging.from_list(item.get("Tags"))
        )
        for item in listed
    ]


def _each(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """The function's answers for all items, in their order, asked for side by side."""
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:
        return list(pool.map(function, items))
