# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS Pod Identity associations: which IAM role the pods of a service account get."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Result, Run, plain, stable_token
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call, once_heard, pages

# EKS does not know a role that was just made at once, and says so with a code that also means real mistakes.
ROLE_UNKNOWN = ("InvalidParameterException", "does not exist")


@dataclass(frozen=True)
class Association:
    """A wanted association. role_arn: IAM role. tags: None leaves them alone, {} removes all."""

    cluster: str
    namespace: str
    service_account: str
    role_arn: str | None = None
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True

    @property
    def label(self) -> str:
        """For messages."""
        return f"the pod identity association of {self.namespace}/{self.service_account} in {self.cluster}"


def list_associations(eks: Any, cluster: str, **filters: str) -> list[dict[str, Any]]:
    """The associations of a cluster, without role and tags. filters: namespace, serviceAccount.

    [] when there is no such cluster.
    """
    try:
        with doing(f"list the pod identity associations of the EKS cluster {cluster}"):
            return pages(eks.list_pod_identity_associations, "associations", clusterName=cluster, **filters)
    except AwsError as error:
        if error.missing:
            return []
        raise


def read(eks: Any, cluster: str, association_id: str) -> dict[str, Any]:
    """One association as a play sees it, with role and tags; {} when it does not exist."""
    try:
        with doing(f"read the pod identity association {association_id} of {cluster}"):
            answer = call(eks.describe_pod_identity_association, clusterName=cluster, associationId=association_id)
    except AwsError as error:
        if error.missing:
            return {}
        raise
    return plain(answer["association"])


def find(eks: Any, wanted: Association) -> dict[str, Any]:
    """The association of the service account, or {}. EKS keeps at most one."""
    filters = {"namespace": wanted.namespace, "serviceAccount": wanted.service_account}
    for item in list_associations(eks, wanted.cluster, **filters):
        return read(eks, wanted.cluster, item["associationId"])
    return {}


def ensure_present(eks: Any, wanted: Association, run: Run) -> Result:
    """Create the association, or bring role and tags of the existing one to the wanted values. Raises AwsError."""
    if not wanted.role_arn:
        raise AwsError(f"role_arn is needed for {wanted.label}")
    before = find(eks, wanted)
    if not before:
        return _create(eks, wanted, run)
    change = tagging.difference(
        before["tags"],
        None if wanted.tags is None else tagging.normalise(wanted.tags),
        purge=wanted.purge_tags,
    )
    new_role = before.get("role_arn") != wanted.role_arn
    if not change and not new_role:
        return Result(False, before, before)
    after = {**before, "role_arn": wanted.role_arn, "tags": tagging.applied(before["tags"], change)}
    if not run.check:
        if new_role:
            _write(
                eks.update_pod_identity_association,
                f"change the role of {wanted.label}",
                clusterName=wanted.cluster,
                associationId=before["association_id"],
                roleArn=wanted.role_arn,
            )
        _change_tags(eks, before["association_arn"], change, wanted)
        after = read(eks, wanted.cluster, before["association_id"])
    return Result(True, before, after)


def ensure_absent(eks: Any, wanted: Association, run: Run) -> Result:
    """Delete the association; a cluster that does not exist has none."""
    before = find(eks, wanted)
    if not before:
        return Result(False)
    if not run.check:
        delete(eks, wanted.cluster, before["association_id"])
    return Result(True, before, {})


def delete(eks: Any, cluster: str, association_id: str) -> bool:
    """Delete one association; False when it was gone already."""
    try:
        with doing(f"delete the pod identity association {association_id} of {cluster}"):
            call(eks.delete_pod_identity_association, clusterName=cluster, associationId=association_id)
    except AwsError as error:
        if error.missing:
            return False
        raise
    return True


def _write(operation: Callable[..., Any], action: str, **parameters: Any) -> dict[str, Any]:
    """One write that names a role, repeated for a time while EKS has not heard of the role; its association."""

    def write() -> dict[str, Any]:
        with doing(action):
            return dict(call(operation, **parameters)["association"])

    written: dict[str, Any] = once_heard(write, _unheard_of)
    return written


def _unheard_of(exception: Exception) -> bool:
    code, text = ROLE_UNKNOWN
    if not isinstance(exception, AwsError) or exception.code != code:
        return False
    return "role" in str(exception).lower() and text in str(exception)


def _change_tags(eks: Any, arn: str, change: tagging.TagChange, wanted: Association) -> None:
    with doing(f"change the tags of {wanted.label}"):
        if change.to_set:
            call(eks.tag_resource, resourceArn=arn, tags=change.to_set)
        if change.to_remove:
            call(eks.untag_resource, resourceArn=arn, tagKeys=list(change.to_remove))


def _create(eks: Any, wanted: Association, run: Run) -> Result:
    request: dict[str, Any] = {
        "clusterName": wanted.cluster,
        "namespace": wanted.namespace,
        "serviceAccount": wanted.service_account,
        "roleArn": wanted.role_arn,
        "tags": tagging.normalise(wanted.tags or {}),
    }
    if run.check:
        return Result(True, {}, plain(request))
    # The role is part of the token: a second attempt with another role must not get the answer of the first.
    token = stable_token(wanted.cluster, wanted.namespace, wanted.service_account, str(wanted.role_arn))
    try:
        create = eks.create_pod_identity_association
        made = _write(create, f"create {wanted.label}", **request, clientRequestToken=token)
    except AwsError as error:
        # Somebody else, or our own call whose reply was lost, made it in the meantime: take that one on.
        if error.code != "ResourceInUseException" or not find(eks, wanted):
            raise
        return Result(True, {}, ensure_present(eks, wanted, run).after)
    # By its id: lists lag behind.
    return Result(True, {}, read(eks, wanted.cluster, str(made["associationId"])))
