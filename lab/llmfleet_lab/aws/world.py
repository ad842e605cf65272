# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's side: its server application, and the few things our own backends ask of its IAM, EC2, EKS, STS and S3."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

# Before moto is imported: its IAM then has AWS's managed policies, which roles are given by ARN.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
# Virtual hosts are turned into paths by s3_front.py, in one place for moto and versitygw.
os.environ.setdefault("S3_IGNORE_SUBDOMAIN_BUCKETNAME", "true")
# Machine images are of no use here, and loading them takes a second.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from moto.backends import get_backend  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app  # noqa: E402

from llmfleet_lab.aws.request import Request  # noqa: E402
from llmfleet_lab.aws.response import Response, call_wsgi  # noqa: E402
from llmfleet_lab.aws.sigv4 import Claim  # noqa: E402


@dataclass(frozen=True)
class Subnet:
    """A subnet of moto's EC2."""

    identifier: str
    vpc: str
    zone_id: str
    cidr: str


@dataclass(frozen=True)
class KnownKey:
    """An access key that was issued. role_arn, token and expiration are None for a user's key."""

    secret: str
    active: bool
    role_arn: str | None = None
    token: str | None = None
    expiration: datetime | None = None


class World:
    """moto, for one account and region."""

    def __init__(self, account: str, region: str) -> None:
        self.account = account
        self.region = region
        # Seconds for which lists lag behind, and for which other services have not heard of a new role.
        self.lag = 0.0
        self.role_lag = 0.0
        # Seconds by which the clock of AWS is ahead of this machine's.
        self.clock_offset = 0.0
        self._lock = threading.Lock()
        self._application = DomainDispatcherApplication(create_backend_app)

    def backend(self, service: str, region: str | None = None) -> Any:
        """moto's backend object of a service; region "aws" for the global ones."""
        return get_backend(service)[self.account][region or self.region]

    def serve(self, request: Request, claim: Claim) -> Response:
        """Let moto answer a request, as one of our account."""
        request.body  # noqa: B018 - rewinds the input
        environ = {**request.environ, "HTTP_X_MOTO_ACCOUNT_ID": self.account}
        # moto reads who asks, and which service, from this header only; presigned requests have none.
        environ["HTTP_AUTHORIZATION"] = claim.authorization
        # moto is not made for threads: its lists change while it walks through them.
        with self._lock:
            return call_wsgi(self._application, environ)

    # IAM and STS

    def trust(self, role_arn: str, *, heard_of: bool = False) -> Mapping[str, Any] | None:
        """The trust policy of a role, None when there is no such role or, unless it was heard of before, when it is
        newer than the lag."""
        for role in list(self.backend("iam", "aws").roles.values()):
            if role.arn == role_arn and (heard_of or self._heard_of(role)):
                document = _document(role.assume_role_policy_document)
                return document if isinstance(document, dict) else {}
        return None

    def role_policies(self, role_arn: str) -> tuple[list[Any], list[Any] | None]:
        """The policy documents of a role, inline and attached, and of its permissions boundary (None: no boundary).

        A role that is gone has none.
        """
        iam = self.backend("iam", "aws")
        for role in list(iam.roles.values()):
            if role.arn == role_arn:
                attached = list(role.managed_policies.values())
                own = [*role.policies.values(), *(_default_document(policy) for policy in attached)]
                boundary = None
                if role.permissions_boundary_arn:
                    limit = iam.managed_policies.get(role.permissions_boundary_arn)
                    boundary = [] if limit is None else [_document(_default_document(limit))]
                return [_document(item) for item in own], boundary
        return [], None

    def principal_exists(self, arn: str) -> bool:
        """Whether a role or user of that ARN exists; principals of other accounts are taken for existing."""
        if f"::{self.account}:" not in arn or ":root" in arn:
            return True
        iam = self.backend("iam", "aws")
        found = [*list(iam.roles.values()), *list(iam.users.values())]
        return any(item.arn == arn and self._heard_of(item) for item in found)

    def _heard_of(self, item: Any) -> bool:
        return self.role_lag <= 0 or datetime.now(UTC) - _aware(item.create_date) >= timedelta(seconds=self.role_lag)

    def known_key(self, access_key_id: str) -> KnownKey | None:
        """The access key of that id, None when none was issued."""
        key = self.backend("iam", "aws").access_keys.get(access_key_id)
        if key is None:
            return None
        session = self.backend("sts", "aws").get_assumed_role_from_access_key(access_key_id)
        if session is None:
            return KnownKey(key.secret_access_key, key.status == "Active")
        return KnownKey(
            session.secret_access_key,
            True,
            session.role_arn,
            session.session_token,
            _aware(session.expiration),
        )

    def assume_role(self, role_arn: str, session_name: str, seconds: int) -> Any:
        """Issue keys for a role: moto's AssumedRole. The caller has checked role and trust."""
        return self.backend("sts", "aws").assume_role(
            region_name=self.region,
            role_session_name=session_name,
            role_arn=role_arn,
            policy=None,
            duration=seconds,
            external_id=None,
        )

    # EC2

    def subnet(self, identifier: str) -> Subnet | None:
        """A subnet, None when there is none of that id."""
        for subnets in list(self.backend("ec2").subnets.values()):
            if identifier in subnets:
                found = subnets[identifier]
                return Subnet(found.id, found.vpc_id, found.availability_zone_id, str(found.cidr_block))
        return None

    def group_vpc(self, identifier: str) -> str | None:
        """The VPC of a security group, None when there is none of that id."""
        group = self.backend("ec2").get_security_group_from_id(identifier)
        return group.vpc_id if group is not None else None

    def default_group(self, vpc: str) -> str:
        """The default security group of a VPC."""
        return str(self.backend("ec2").get_security_group_from_name("default", vpc).id)

    def groups_in_use(self) -> dict[str, str]:
        """Security group -> a network interface that has it."""
        return {
            group.id: interface.id
            for interface in list(self.backend("ec2").enis.values())
            for group in interface.group_set
        }

    def referring_group(self, identifier: str) -> str | None:
        """Another security group that has a rule which names this one."""
        for groups in list(self.backend("ec2").groups.values()):
            for group in list(groups.values()):
                for rule in [*group.ingress_rules, *group.egress_rules]:
                    if group.id != identifier and rule.source_group.get("GroupId") == identifier:
                        return str(group.id)
        return None

    def add_interface(self, subnet: str, address: str | None, groups: list[str], description: str) -> tuple[str, str]:
        """Make a network interface; its id and IPv4 address."""
        ec2 = self.backend("ec2")
        interface = ec2.create_network_interface(
            ec2.get_subnet(subnet), address, group_ids=groups, description=description
        )
        return interface.id, interface.private_ip_address

    def set_interface_groups(self, interface: str, groups: list[str]) -> None:
        """Replace the security groups of a network interface."""
        ec2 = self.backend("ec2")
        ec2.get_network_interface(interface)._group_set = [ec2.get_security_group_from_id(item) for item in groups]

    def remove_interface(self, interface: str) -> None:
        """Delete a network interface; one that is gone already is fine."""
        self.backend("ec2").enis.pop(interface, None)

    # EKS and S3

    def cluster_exists(self, name: str) -> bool:
        """Whether EKS has a cluster of that name."""
        return name in self.backend("eks").clusters

    def moto_bucket(self, name: str) -> Any:
        """moto's bucket, None when it has none of that name."""
        return self.backend("s3", "aws").buckets.get(name)

    def add_moto_bucket(self, name: str) -> None:
        """Make a bucket in moto unless it is there."""
        if self.moto_bucket(name) is None:
            self.backend("s3", "aws").create_bucket(name, self.region)

    def remove_moto_bucket(self, name: str) -> None:
        """Drop a bucket from moto, whatever it holds."""
        self.backend("s3", "aws").buckets.pop(name, None)
        get_backend("s3").bucket_accounts.pop(name, None)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _document(policy: Any) -> Any:
    """A policy as moto keeps it (JSON, perhaps percent-encoded), parsed; None when it is no JSON."""
    if not isinstance(policy, str):
        return policy
    try:
        return json.loads(policy if policy.lstrip().startswith("{") else unquote(policy))
    except ValueError:
        return None


def _default_document(policy: Any) -> Any:
    """The document of a managed policy's default version."""
    return next(item.document for item in policy.versions if item.version_id == policy.default_version_id)
