# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of AWS calls: one exception type, and messages that say what failed, why, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from textwrap import shorten
from typing import Any

# Without the SDK there is no client, and nothing below is reached.
with suppress(ImportError):
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        CredentialRetrievalError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSOError,
    )

MISSING_CODES = frozenset({"ResourceNotFoundException", "NoSuchEntity", "NoSuchBucket", "InvalidGroup.NotFound"})
EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
INVALID_CODES = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "InvalidAccessKeyId",
        "AuthFailure",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
    }
)
SKEWED_CODES = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_SKEWED = "Signature expired"
DENIED_CODES = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden"})

# A signature mismatch echoes the canonical request, session token included: nothing after this may be shown.
_CANONICAL = re.compile(r"\s*The Canonical String\b.*", re.DOTALL)

LONGEST = 500  # characters of a service's message


class AwsError(Exception):
    """A failed AWS operation.

    message: one sentence for the operator. code: the service's error code, or "" when there is none.
    status: the HTTP status, or 0. operation, request_id: of the call, as the service names them, or "".
    resource_id: of what a service says is in the way, or "".
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int = 0,
        operation: str = "",
        request_id: str = "",
        resource_id: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.operation = operation
        self.request_id = request_id
        self.resource_id = resource_id

    @property
    def missing(self) -> bool:
        """Whether the service said that the resource does not exist."""
        return self.code in MISSING_CODES


class ImmutableError(AwsError):
    """A wanted value differs from one that the service cannot change.

    differences: field name -> (current value, wanted value).
    """

    def __init__(self, what: str, differences: dict[str, tuple[Any, Any]]) -> None:
        parts = [f"{field} is {current!r}, wanted {wanted!r}" for field, (current, wanted) in differences.items()]
        super().__init__(
            f"{what} cannot be changed in place: {'; '.join(parts)}. "
            "Either ask for the current values, or remove it (state: absent) and create it again"
        )
        self.differences = differences


class WaitError(AwsError):
    """A resource reached a state from which it will not recover, or did not settle in time."""


def error_code(exception: BaseException) -> str:
    """The service's error code of a botocore ClientError or of an AwsError; "" for everything else."""
    if isinstance(exception, AwsError):
        return exception.code
    if isinstance(exception, ClientError):
        return str(exception.response.get("Error", {}).get("Code", ""))
    return ""


def http_status(exception: BaseException) -> int:
    """The HTTP status of a botocore ClientError or of an AwsError; 0 for everything else."""
    if isinstance(exception, AwsError):
        return exception.status
    if isinstance(exception, ClientError):
        return int(exception.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    return 0


def traced(exception: BaseException) -> tuple[str, str]:
    """Which operation a botocore ClientError is of, and the id of the request by which AWS finds it again."""
    if not isinstance(exception, ClientError):
        return "", ""
    metadata = exception.response.get("ResponseMetadata", {})
    return str(exception.operation_name or ""), str(metadata.get("RequestId") or "")


def explain(exception: BaseException) -> str:
    """What a botocore exception means, in one line that never holds a credential."""
    code = error_code(exception)
    if isinstance(exception, ClientError):
        text = _CANONICAL.sub("", str(exception.response.get("Error", {}).get("Message", "")))
        text = shorten(text, LONGEST, placeholder=" …")  # in place of an API, a proxy may answer a whole page
        said = f"{code}: {text}" if text else code
        if code in SKEWED_CODES or (code in INVALID_CODES and _SKEWED in text):
            return f"the clock of this machine is not that of AWS ({said}): set it, for example by NTP, then run again"
        if code in EXPIRED_CODES:
            return f"the AWS credentials have expired ({said}): sign in again or renew them, then run again"
        if code in INVALID_CODES:
            return f"AWS does not accept the credentials ({said}): check llmfleet_aws.profile and its credentials file"
        if code in DENIED_CODES:
            return f"the AWS identity in use is not allowed to do this ({said})"
        return said
    if isinstance(exception, ProfileNotFound):
        return f"{exception}: check llmfleet_aws.profile, llmfleet_aws.config_file and llmfleet_aws.credentials_file"
    if isinstance(exception, (NoCredentialsError, PartialCredentialsError)):
        return f"no complete AWS credentials were found ({exception}): set llmfleet_aws.profile or the environment"
    if isinstance(exception, (SSOError, CredentialRetrievalError)):
        return f"the AWS credentials could not be obtained ({exception}): sign in again, then run again"
    return str(exception)


@contextmanager
def doing(action: str) -> Iterator[None]:
    """Turn botocore's exceptions inside the block into an AwsError "cannot <action>: <reason>".

    action: a verb phrase with the object's name, such as "read file system fs-0123".
    Raises AwsError; an AwsError that passes through is left as it is.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as exception:
        operation, request_id = traced(exception)
        call = f" ({operation}, request {request_id})" if request_id else f" ({operation})" if operation else ""
        # "from None": whoever prints the chain would print what explain leaves out.
        raise AwsError(
            f"cannot {action}: {explain(exception)}{call}",
            code=error_code(exception),
            status=http_status(exception),
            operation=operation,
            request_id=request_id,
            resource_id=str(getattr(exception, "response", {}).get("resourceId") or ""),
        ) from None
