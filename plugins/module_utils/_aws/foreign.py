# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that we need in AWS and somebody else has taken: found before the first write, only by reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import addon, pod_identity, s3files
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.inventory import owned
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call, pages
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import CLUSTER_LABEL

_NO_TAGS = "NoSuchTagSet"


def foreign_resources(aws_session: Any, cluster: str, resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each resource that exists under its name and is not tagged as ours, in their order.

    resources: [{resource, name, properties}] as the rendering names them. Looked at are buckets, roles, security
    groups, file systems, pod identity associations and add-ons; the rest lives inside these. Raises AwsError.
    """
    made: dict[str, Any] = {}
    wanted = [item for item in resources if item["resource"] in _LOOKS]
    for service in {_LOOKS[item["resource"]][0] for item in wanted}:
        made[service] = client(aws_session, service)

    def look(item: Mapping[str, Any]) -> str:
        service, function = _LOOKS[item["resource"]]
        tags = function(made[service], cluster, item["properties"])
        if tags is None or owned(tags, cluster):
            return ""
        other = tags.get(CLUSTER_LABEL)
        whose = f"belongs to the cluster named {other!r}" if other else "was not made by llmfleet"
        return f"{item['resource']} {item['name']} exists already in AWS and {whose} (tag {CLUSTER_LABEL})"

    with ThreadPoolExecutor(max_workers=8) as pool:
        return [line for line in pool.map(look, wanted) if line]


def _bucket(s3: Any, cluster: str, properties: Mapping[str, Any]) -> dict[str, str] | None:
    """Tags of a bucket. One without tags and objects is taken as being made: tags are set after the bucket is there."""
    name = properties["name"]
    try:
        with doing(f"read the tags of bucket {name}"):
            return tagging.from_list(call(s3.get_bucket_tagging, Bucket=name)["TagSet"])
    except AwsError as error:
        if error.missing:
            return None
        if error.code != _NO_TAGS:
            raise
    with doing(f"look into bucket {name}"):
        found = call(s3.list_objects_v2, Bucket=name, MaxKeys=1)
    return {} if found.get("Contents") else None


def _role(iam: Any, cluster: str, properties: Mapping[str, Any]) -> dict[str, str] | None:
    try:
        with doing(f"read IAM role {properties['name']}"):
            return tagging.from_list(call(iam.get_role, RoleName=properties["name"])["Role"].get("Tags"))
    except AwsError as error:
        if error.missing:
            return None
        raise


def _security_group(ec2: Any, cluster: str, properties: Mapping[str, Any]) -> dict[str, str] | None:
    filters = [
        {"Name": "group-name", "Values": [properties["name"]]},
        {"Name": "vpc-id", "Values": [properties["vpc_id"]]},
    ]
    with doing(f"look for security group {properties['name']}"):
        listed = pages(ec2.describe_security_groups, "SecurityGroups", token_key="NextToken", Filters=filters)
    return tagging.from_list(listed[0].get("Tags")) if listed else None


def _file_system(service: Any, cluster: str, properties: Mapping[str, Any]) -> dict[str, str] | None:
    """Tags of a file system of this name over this bucket: ours when there are several and one is."""
    same = [
        item
        for item in s3files.list_file_systems(service)
        if item.get("name") == properties["name"] and item.get("status") not in ("deleted", "deleting")
    ]
    found = [s3files.list_tags(service, item["fileSystemId"]) for item in same]
    return next((tags for tags in found if owned(tags, cluster)), found[0] if found else None)


def _association(eks: Any, cluster: str, properties: Mapping[str, Any]) -> dict[str, str] | None:
    account = pod_identity.Association(cluster, properties["namespace"], properties["service_account"])
    found = pod_identity.find(eks, account)
    return dict(found["tags"]) if found else None


def _addon(eks: Any, cluster: str, properties: Mapping[str, Any]) -> dict[str, str] | None:
    """Tags of an add-on; one that has to be changed in nothing is as good as ours."""
    fields = {key: properties[key] for key in ("name", "version", "configuration_values", "drop_unknown_values")}
    found = addon.read(eks, cluster, properties["name"])
    if not found or owned(found["tags"], cluster):
        return None
    wanted, _dropped = addon.fitted(eks, addon.Addon(cluster, **fields))
    return dict(found["tags"]) if addon.differences(wanted, found) else None


_LOOKS: dict[str, tuple[str, Callable[[Any, str, Mapping[str, Any]], dict[str, str] | None]]] = {
    "s3_bucket": ("s3", _bucket),
    "iam_role": ("iam", _role),
    "ec2_security_group": ("ec2", _security_group),
    "s3files_file_system": ("s3files", _file_system),
    "eks_pod_identity_association": ("eks", _association),
    "eks_addon": ("eks", _addon),
}
