# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod identity agent: gives a pod the keys of the role that its service account is associated with."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from llmfleet_lab.aws.associations import Associations, trust_allows
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.request_log import Entry, RequestLog, now
from llmfleet_lab.aws.response import Response
from llmfleet_lab.aws.token_review import Review, ServiceAccount, Unavailable
from llmfleet_lab.aws.world import World

PATH = "/v1/credentials"
LIFETIME = 6 * 3600


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Agent:
    """The WSGI application behind 169.254.170.23. review: None when there is no cluster to ask."""

    def __init__(
        self, cluster: str, world: World, associations: Associations, review: Review | None, log: RequestLog
    ) -> None:
        self._cluster = cluster
        self._world = world
        self._associations = associations
        self._review = review
        self._log = log

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        key = ""
        try:
            answer = self._credentials(request)
            key, status = answer["AccessKeyId"], 200
        except _Refused as refused:
            answer, status = {"code": refused.code, "message": str(refused)}, refused.status
        response = Response.of(status, [("Content-Type", "application/json")], json.dumps(answer).encode())
        entry = Entry(
            time=now(),
            service="eks-auth",
            operation="AssumeRoleForPodIdentity",
            method=request.method,
            path=request.path,
            status=status,
            access_key_id=key,
            mutating=False,
            request_id=str(uuid.uuid4()),
        )
        self._log.add(entry)
        start_response(response.status_line, response.headers)
        return response.body

    def _credentials(self, request: Request) -> dict[str, str]:
        if request.method != "GET" or request.path != PATH:
            raise _Refused(404, "NotFound", f"{request.method} {request.path}: only GET {PATH} is served")
        token = request.header("authorization")
        if not token:
            raise _Refused(400, "InvalidRequest", "The Authorization header with the pod's token is missing")
        if self._review is None:
            raise _Refused(503, "ServiceUnavailable", "The lab was told of no API server to check tokens with")
        try:
            account = self._review(token)
        except Unavailable as error:
            raise _Refused(503, "ServiceUnavailable", f"The token could not be checked: {error}") from None
        if account is None:
            raise _Refused(400, "InvalidTokenException", "The token is not valid for pods.eks.amazonaws.com")
        return self._issue(account)

    def _issue(self, account: ServiceAccount) -> dict[str, str]:
        name = f"{account.namespace}/{account.name}"
        association = self._associations.find(self._cluster, account.namespace, account.name)
        if association is None:
            raise _Refused(404, "ResourceNotFoundException", f"{name} has no association in {self._cluster}")
        trust = self._world.trust(association.role_arn)
        if trust is None or not trust_allows(trust, self._world, association.cluster, association.disable_session_tags):
            raise _Refused(403, "AccessDeniedException", f"The role {association.role_arn} cannot be assumed for pods")
        session = re.sub(r"[^\w+=,.@-]", "-", f"eks-{self._cluster}-{account.pod or account.name}")[:27]
        keys = self._world.assume_role(association.role_arn, f"{session}-{uuid.uuid4()}", LIFETIME)
        expiration = datetime.fromtimestamp(datetime.now(UTC).timestamp() + LIFETIME, UTC)
        return {
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key,
            "Token": keys.session_token,
            "AccountId": self._world.account,
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
