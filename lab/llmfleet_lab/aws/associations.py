# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS pod identity associations: which role the pods of a service account get. moto's EKS has none."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from llmfleet_lab.aws import policies
from llmfleet_lab.aws.eks_resources import EksResources, check_tags, invalid
from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.pagination import page
from llmfleet_lab.aws.world import World

PODS_PRINCIPAL = "pods.eks.amazonaws.com"


@dataclass
class Association:
    """One association. request: what was asked for, to recognise a repeated request by its token."""

    identifier: str
    arn: str
    cluster: str
    namespace: str
    service_account: str
    role_arn: str
    token: str
    request: Mapping[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    disable_session_tags: bool = False
    target_role_arn: str | None = None
    external_id: str | None = None
    policy: str | None = None


class Associations(EksResources[str, Association]):
    """The operations, and the look-up by service account for webhook and agent."""

    def __init__(self, world: World) -> None:
        handlers = {
            "CreatePodIdentityAssociation": self._create,
            "DescribePodIdentityAssociation": self._describe,
            "ListPodIdentityAssociations": self._list,
            "UpdatePodIdentityAssociation": self._update,
            "DeletePodIdentityAssociation": self._delete,
        }
        super().__init__(world, "podidentityassociation", handlers, threading.RLock())

    def find(self, cluster: str, namespace: str, service_account: str) -> Association | None:
        """The association of a service account, None when it has none."""
        with self._lock:
            wanted = (cluster, namespace, service_account)
            return next(
                (
                    item
                    for item in self._items.values()
                    if (item.cluster, item.namespace, item.service_account) == wanted
                ),
                None,
            )

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster(request)
        namespace, service_account = request["namespace"], request["serviceAccount"]
        asked = {key: value for key, value in request.items() if key != "clientRequestToken"}
        existing = self.find(cluster, namespace, service_account)
        if existing is not None:
            if existing.token == request.get("clientRequestToken") and existing.request == asked:
                return {"association": self._described(existing)}
            message = f"Association already exists: {existing.identifier}"
            raise AwsFault("ResourceInUseException", message, 409, {"clusterName": cluster})
        check_tags(request.get("tags", {}))
        self._check(cluster, request["roleArn"], request.get("policy"), request.get("disableSessionTags", False))
        identifier = "a-" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(17))
        region, account = self._world.region, self._world.account
        item = Association(
            identifier=identifier,
            arn=self._arn(f"{cluster}/{identifier}"),
            cluster=cluster,
            namespace=namespace,
            service_account=service_account,
            role_arn=request["roleArn"],
            token=request.get("clientRequestToken", ""),
            request=asked,
            tags=dict(request.get("tags", {})),
            disable_session_tags=request.get("disableSessionTags", False),
            target_role_arn=request.get("targetRoleArn"),
            external_id=f"{region}/{account}/{cluster}/{identifier}" if request.get("targetRoleArn") else None,
            policy=request.get("policy"),
        )
        self._items[identifier] = item
        return {"association": self._described(item)}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"association": self._described(self._item(request))}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster(request)
        found = [
            item
            for item in self._listed()
            if item.cluster == cluster
            and request.get("namespace") in (None, item.namespace)
            and request.get("serviceAccount") in (None, item.service_account)
        ]
        items, token = page(found, request.get("maxResults", 100), request.get("nextToken"), invalid)
        members = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId")
        return {
            "associations": [{key: self._described(item)[key] for key in members} for item in items],
            "nextToken": token,
        }

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._item(request)
        role_arn = request.get("roleArn", item.role_arn)
        disabled = request.get("disableSessionTags", item.disable_session_tags)
        policy = request.get("policy", item.policy)
        self._check(item.cluster, role_arn, policy, disabled)
        item.role_arn, item.disable_session_tags, item.policy = role_arn, disabled, policy or None
        if "targetRoleArn" in request:
            item.target_role_arn = request["targetRoleArn"] or None
            name = f"{self._world.region}/{self._world.account}/{item.cluster}/{item.identifier}"
            item.external_id = name if item.target_role_arn else None
        item.modified = datetime.now(UTC)
        return {"association": self._described(item)}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._item(request)
        del self._items[item.identifier]
        return {"association": self._described(item)}

    def _item(self, request: dict[str, Any]) -> Association:
        cluster = self._cluster(request)
        item = self._items.get(request["associationId"])
        if item is None or item.cluster != cluster:
            message = f"Association {request['associationId']} not found in cluster {cluster}."
            raise AwsFault("ResourceNotFoundException", message, 404, {"clusterName": cluster})
        return item

    def _check(self, cluster: str, role_arn: str, policy: str | None, session_tags_disabled: bool) -> None:
        document = self._world.trust(role_arn)
        if document is None:
            raise invalid("Role provided in the request does not exist.")
        if not trust_allows(document, self._world, cluster, session_tags_disabled):
            raise invalid(
                "Trust policy of the role provided is invalid. Follow the official documentation to resolve the issue."
            )
        if policy and not session_tags_disabled:
            raise invalid("Session tags must be disabled when a policy is provided.")

    def _described(self, item: Association) -> dict[str, Any]:
        return {
            "clusterName": item.cluster,
            "namespace": item.namespace,
            "serviceAccount": item.service_account,
            "roleArn": item.role_arn,
            "associationArn": item.arn,
            "associationId": item.identifier,
            "tags": item.tags,
            "createdAt": item.created,
            "modifiedAt": item.modified,
            "disableSessionTags": item.disable_session_tags,
            "targetRoleArn": item.target_role_arn,
            "externalId": item.external_id,
            "policy": item.policy,
        }


def trust_allows(document: Mapping[str, Any], world: World, cluster: str, session_tags_disabled: bool = False) -> bool:
    """Whether EKS may give a role with this trust policy to pods: AssumeRole and, for session tags, TagSession."""
    actions = ["sts:AssumeRole"] if session_tags_disabled else ["sts:AssumeRole", "sts:TagSession"]
    source = f"arn:aws:eks:{world.region}:{world.account}:cluster/{cluster}"
    context = {"aws:sourceaccount": world.account, "aws:sourcearn": source}
    return policies.allows(document, PODS_PRINCIPAL, actions, context)
