# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sends a request: its access key must have been issued here, and its signature must be that key's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from llmfleet_lab.aws import sigv4
from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.sigv4 import Claim
from llmfleet_lab.aws.world import World

INVALID_TOKEN = "The security token included in the request is invalid."
EXPIRED = "The security token included in the request is expired"
# Clocks of one machine agree: more than this is a request that was kept and sent again.
SKEW = timedelta(minutes=15)


@dataclass(frozen=True)
class Caller:
    """role_arn: of keys that were issued for a role, None for the operator's and other users' keys."""

    access_key_id: str
    role_arn: str | None = None


def missing(protocol: str, service: str) -> AwsFault:
    """The error for a request without credentials."""
    if service == "s3":
        return AwsFault("AccessDenied", "Access Denied", 403)
    code = "MissingAuthenticationTokenException" if "json" in protocol else "MissingAuthenticationToken"
    return AwsFault(code, "Request is missing Authentication Token", 403)


def authenticate(request: Request, claim: Claim, protocol: str, world: World) -> Caller:
    """The caller behind a claim. Raises AwsFault as the service does, by its protocol ("s3": rest-xml of S3)."""
    known = world.known_key(claim.access_key_id)
    if known is None or not known.active:
        raise _unknown(protocol)
    if known.token is not None and not sigv4.same(claim.token, known.token):
        raise _unknown(protocol)
    if known.expiration is not None and known.expiration <= datetime.now(UTC):
        raise expired(protocol)
    if not sigv4.same(sigv4.expected_signature(request, claim, known.secret), claim.signature):
        raise _mismatch(protocol)
    _check_moment(claim, protocol, world.clock_offset)
    return Caller(claim.access_key_id, known.role_arn)


def _check_moment(claim: Claim, protocol: str, offset: float) -> None:
    """offset: seconds by which the clock of AWS is ahead of the machine's."""
    try:
        signed = datetime.strptime(claim.moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _mismatch(protocol) from None
    now = datetime.now(UTC) + timedelta(seconds=offset)
    if claim.expires is not None:
        if not signed - SKEW <= now <= signed + timedelta(seconds=claim.expires):
            raise AwsFault("AccessDenied" if protocol == "s3" else "SignatureDoesNotMatch", "Request has expired", 403)
    elif abs(now - signed) > SKEW:
        if protocol == "s3":
            raise AwsFault("RequestTimeTooSkewed", "The request time and the current time differ too much.", 403)
        raise _mismatch(protocol, f"Signature expired: {claim.moment} is not within 15 minutes of now.")


def _unknown(protocol: str) -> AwsFault:
    if protocol == "s3":
        return AwsFault("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403)
    if protocol == "ec2":
        return AwsFault("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if protocol == "query":
        return AwsFault("InvalidClientTokenId", INVALID_TOKEN, 403)
    return AwsFault("UnrecognizedClientException", INVALID_TOKEN, 403 if protocol == "rest-json" else 400)


def expired(protocol: str) -> AwsFault:
    """The error for a token whose time has passed."""
    if protocol == "s3":
        return AwsFault("ExpiredToken", "The provided token has expired.", 400)
    if protocol == "ec2":
        return AwsFault("RequestExpired", "Request has expired.", 400)
    if protocol == "query":
        return AwsFault("ExpiredToken", EXPIRED, 403)
    return AwsFault("ExpiredTokenException", EXPIRED, 403 if protocol == "rest-json" else 400)


def _mismatch(protocol: str, reason: str = "") -> AwsFault:
    message = reason or (
        "The request signature we calculated does not match the signature you provided. "
        "Check your AWS Secret Access Key and signing method."
    )
    if protocol == "ec2":
        return AwsFault("AuthFailure", "AWS was not able to validate the provided access credentials", 401)
    if protocol in ("s3", "query", "rest-xml"):
        return AwsFault("SignatureDoesNotMatch", message, 403)
    return AwsFault("InvalidSignatureException", message, 403 if protocol == "rest-json" else 400)
