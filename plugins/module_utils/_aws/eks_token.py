# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access to an EKS cluster: where its API server is, and bearer tokens made in this process.

A token is a presigned GetCallerIdentity request of STS, bound to the cluster's name by a signed header. Making one
costs a few milliseconds and sends nothing; the AWS CLI's `get-token` costs a process of 0.4 s each time.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client

PREFIX = "k8s-aws-v1."
HEADER = "x-k8s-aws-id"
LIFETIME = timedelta(minutes=15)
# Clocks differ, and a request that starts now may arrive later.
MARGIN = timedelta(minutes=1)
# The API server takes a token for 15 minutes whatever the URL says; 60 s is what every client signs.
URL_SECONDS = 60


@dataclass(frozen=True)
class Token:
    """value: the bearer token, never shown. expires_at: UTC time after which it must not be used any more."""

    value: str = field(repr=False)
    expires_at: datetime

    def fresh(self, margin: timedelta = MARGIN) -> bool:
        """Whether it can be used for at least `margin` from now."""
        return datetime.now(UTC) + margin < self.expires_at


@dataclass(frozen=True)
class ClusterAccess:
    """What describes an EKS cluster to its users. ca_data: base64 of the PEM certificate, as in a kubeconfig."""

    name: str
    arn: str
    status: str
    version: str
    endpoint: str
    ca_data: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    cluster_security_group_id: str

    @property
    def account(self) -> str:
        """The account in the ARN."""
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        """The region in the ARN."""
        return self.arn.split(":")[3]


def describe_cluster(eks: Any, name: str) -> ClusterAccess:
    """Describe an EKS cluster. eks: a client of "eks". Raises AwsError, with .missing when there is no such cluster.

    A cluster that is being created has an empty endpoint and ca_data.
    """
    with doing(f"describe the EKS cluster {name} in {eks.meta.region_name}"):
        cluster = call(eks.describe_cluster, name=name)["cluster"]
    network = cluster.get("resourcesVpcConfig", {})
    return ClusterAccess(
        name=str(cluster["name"]),
        arn=str(cluster["arn"]),
        status=str(cluster.get("status", "")),
        version=str(cluster.get("version", "")),
        endpoint=str(cluster.get("endpoint") or ""),
        ca_data=str((cluster.get("certificateAuthority") or {}).get("data") or ""),
        vpc_id=str(network.get("vpcId") or ""),
        subnet_ids=tuple(network.get("subnetIds") or ()),
        security_group_ids=tuple(network.get("securityGroupIds") or ()),
        cluster_security_group_id=str(network.get("clusterSecurityGroupId") or ""),
    )


def bearer_token(aws_session: Any, cluster: str) -> Token:
    """A bearer token for the EKS cluster of this name. aws_session: from session.session. Raises AwsError."""
    credentials = aws_session.get_credentials()
    if credentials is None:
        raise AwsError(
            f"cannot sign in to the EKS cluster {cluster}: no AWS credentials were found: "
            "set llmfleet_aws.profile or the environment"
        )
    sts = client(aws_session, "sts")

    def bind_to_cluster(request: Any, **_kwargs: Any) -> None:
        request.headers[HEADER] = cluster

    sts.meta.events.register("before-sign.sts.GetCallerIdentity", bind_to_cluster)
    signed_at = datetime.now(UTC)
    with doing(f"sign in to the EKS cluster {cluster}"):
        url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=URL_SECONDS, HttpMethod="GET")
    value = PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    expires_at = signed_at + LIFETIME - MARGIN
    # The token dies with temporary credentials; the SDK keeps their end in this attribute of the refreshing kinds only.
    credentials_end = getattr(credentials, "_expiry_time", None)
    if isinstance(credentials_end, datetime):
        expires_at = min(expires_at, credentials_end.astimezone(UTC))
    return Token(value, expires_at)


class TokenSource:
    """Tokens for one cluster, made again when they are about to expire. Safe to share between threads."""

    def __init__(self, aws_session: Any, cluster: str) -> None:
        """aws_session: from session.session. cluster: the name of the EKS cluster."""
        self._session = aws_session
        self._cluster = cluster
        self._token: Token | None = None
        self._lock = threading.Lock()

    def get(self) -> str:
        """A token that can be used for at least a minute. Raises AwsError."""
        with self._lock:
            if self._token is None or not self._token.fresh():
                self._token = bearer_token(self._session, self._cluster)
            return self._token.value

    def discard(self) -> None:
        """Forget the token, after the API server answered 401."""
        with self._lock:
            self._token = None
