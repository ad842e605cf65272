# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over what llmfleet.eks.describe answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import KEYS, environment
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import COMPONENTS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.plain import plain

# Kinds that AWS resources are asked for by: those that roles have tasks for.
AWS_RESOURCES = (
    "s3_bucket",
    "s3_bucket_lifecycle",
    "iam_role",
    "iam_policy",
    "ec2_security_group",
    "s3files_file_system",
    "s3files_mount_target",
    "s3files_access_point",
    "eks_pod_identity_association",
    "eks_addon",
)


def _list(desired: Any, key: str) -> list[Any]:
    """Return a list of the desired state as it comes: Ansible's containers are slow to read, and most is not wanted."""
    if not isinstance(desired, Mapping) or not isinstance(desired.get(key), list):
        raise AnsibleFilterError("got no desired state; accepted: what llmfleet.eks.describe answers as desired")
    return list(desired[key])


def component(desired: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the Kubernetes objects that a role applies, in order. Raises AnsibleFilterError for an unknown name."""
    if name not in COMPONENTS:
        raise AnsibleFilterError(f"component: got {name!r}; accepted: {', '.join(COMPONENTS)}")
    return [entry["object"] for entry in _list(desired, "objects") if entry["component"] == name]


def aws_resources(desired: Mapping[str, Any], resource: str) -> list[dict[str, Any]]:
    """Return the properties of the AWS resources of a kind, which are the parameters of its module.

    Raises AnsibleFilterError for an unknown kind.
    """
    if resource not in AWS_RESOURCES:
        raise AnsibleFilterError(f"aws_resources: got {resource!r}; accepted: {', '.join(AWS_RESOURCES)}")
    return [plain(entry["properties"]) for entry in _list(desired, "aws") if entry["resource"] == resource]


def aws_environment(aws: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the environment by which boto3 finds what llmfleet_aws names, and nothing else.

    Raises AnsibleFilterError that names the key at fault.
    """
    given = {} if aws is None else plain(aws)
    if not isinstance(given, dict):
        raise AnsibleFilterError("llmfleet_aws: got no map; accepted: map with " + ", ".join(KEYS))
    try:
        return environment(given)
    except AwsError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """The filters by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them."""
        return {
            "component": component,
            "aws_resources": aws_resources,
            "aws_environment": aws_environment,
        }
