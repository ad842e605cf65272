# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors: what each means for the operator, and that none shows a credential."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.identity import Identity, caller
from aws_script import Script
from botocore.exceptions import ClientError, NoCredentialsError, ProfileNotFound, UnauthorizedSSOTokenError


def message_of(exception: Exception) -> str:
    with pytest.raises(AwsError) as caught, doing("read the thing"):
        raise exception
    return str(caught.value)


def client_error(code: str, message: str = "said") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


@pytest.mark.parametrize(
    ("exception", "expected"),
    [
        (client_error("ExpiredToken"), "credentials have expired (ExpiredToken: said): sign in again"),
        (client_error("ExpiredTokenException"), "credentials have expired"),
        (client_error("InvalidClientTokenId"), "does not accept the credentials"),
        (client_error("UnrecognizedClientException"), "does not accept the credentials"),
        (client_error("AccessDenied"), "not allowed to do this (AccessDenied: said)"),
        (client_error("UnauthorizedOperation"), "not allowed to do this"),
        (client_error("ConflictException"), "cannot read the thing: ConflictException: said"),
        (client_error("ConflictException", ""), "cannot read the thing: ConflictException"),
        (NoCredentialsError(), "no complete AWS credentials were found"),
        (ProfileNotFound(profile="x"), "check llmfleet_aws.profile"),
        (UnauthorizedSSOTokenError(), "sign in again"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_message_says_what_to_do(exception: Exception, expected: str) -> None:
    message = message_of(exception)
    assert message.startswith("cannot read the thing: ")
    assert expected in message


def test_the_call_and_the_id_of_the_request_are_named() -> None:
    answer = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"RequestId": "r-1"}}
    with pytest.raises(AwsError) as caught, doing("read the thing"):
        raise ClientError(answer, "GetThing")
    assert str(caught.value).endswith("(AccessDenied: no) (GetThing, request r-1)")
    assert (caught.value.operation, caught.value.request_id) == ("GetThing", "r-1")


@pytest.mark.parametrize(
    "exception",
    [
        client_error("RequestTimeTooSkewed"),
        client_error("InvalidSignatureException", "Signature expired: 20260101T000000Z is earlier than …"),
        client_error("SignatureDoesNotMatch", "Signature expired: …"),
    ],
)
def test_a_wrong_clock_is_told_as_that(exception: Exception) -> None:
    assert "the clock of this machine is not that of AWS" in message_of(exception)


def test_a_signature_mismatch_does_not_show_the_session_token() -> None:
    echoed = (
        "The request signature we calculated does not match.\n\nThe Canonical String for this request should be\n"
        "'GET\n/file-systems\n\nhost:x\nx-amz-security-token:TOPSECRET\n'"
    )
    with pytest.raises(AwsError) as caught, doing("read the thing"):
        raise client_error("SignatureDoesNotMatch", echoed)
    assert "does not match." in str(caught.value)
    assert "TOPSECRET" not in str(caught.value)
    # Ansible prints the causes of an exception too.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_page_in_place_of_an_answer_is_shortened() -> None:
    message = message_of(client_error("404", "<html>\n" + "not found " * 500))
    assert len(message) < 600
    assert "\n" not in message


def test_code_and_status_are_kept() -> None:
    with pytest.raises(AwsError) as caught, doing("read the thing"):
        response: Any = {"Error": {"Code": "NoSuchEntity"}, "ResponseMetadata": {"HTTPStatusCode": 404}}
        raise ClientError(response, "Operation")
    assert (caught.value.code, caught.value.status, caught.value.missing) == ("NoSuchEntity", 404, True)


def test_other_exceptions_pass() -> None:
    with pytest.raises(ValueError, match="ours"), doing("read the thing"):
        raise ValueError("ours")


def test_the_caller_and_its_partition() -> None:
    sts = Script("sts")
    arn = "arn:aws-cn:sts::123456789012:assumed-role/operator/me"
    sts.answer("get_caller_identity", {}, {"Account": "123456789012", "Arn": arn, "UserId": "x"})
    with sts.stubber:
        assert caller(sts.client) == Identity("123456789012", arn, "aws-cn")


def test_expired_credentials_are_told_from_invalid_ones() -> None:
    sts = Script("sts")
    sts.error("get_caller_identity", "ExpiredToken", status=403)
    sts.error("get_caller_identity", "InvalidClientTokenId", status=403)
    with sts.stubber:
        with pytest.raises(AwsError, match="expired"):
            caller(sts.client)
        with pytest.raises(AwsError, match="does not accept"):
            caller(sts.client)
