# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading objects of a bucket: what is not there is None, what goes wrong is an error that names the object."""

from __future__ import annotations

import io
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.bucket import LARGEST, read_object
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from botocore.response import StreamingBody

PLACE = {"Bucket": "b", "Key": "a/ledger.json"}


def body(content: bytes, length: int | None = None) -> dict[str, Any]:
    """An answer with a content, of a length that may be another."""
    return {"Body": StreamingBody(io.BytesIO(content), len(content)), "ContentLength": length or len(content)}


def test_content(s3: Any) -> None:
    s3.answer("get_object", PLACE, body(b"{}"))
    assert read_object(s3.client, "b", "a/ledger.json") == b"{}"


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchBucket"])
def test_what_is_not_there(s3: Any, code: str) -> None:
    s3.error("get_object", code, status=404, **PLACE)
    assert read_object(s3.client, "b", "a/ledger.json") is None


def test_throttling_is_repeated(s3: Any, clock: list[float]) -> None:
    s3.error("get_object", "SlowDown", status=503)
    s3.answer("get_object", PLACE, body(b"x"))
    assert read_object(s3.client, "b", "a/ledger.json") == b"x"
    assert len(clock) == 1


def test_a_body_that_ends_early_is_read_again(s3: Any, clock: list[float]) -> None:
    s3.answer("get_object", PLACE, {"Body": StreamingBody(io.BytesIO(b"x"), 2), "ContentLength": 2})
    s3.answer("get_object", PLACE, body(b"xy"))
    assert read_object(s3.client, "b", "a/ledger.json") == b"xy"
    assert len(clock) == 1


def test_who_may_not_read_is_told(s3: Any) -> None:
    s3.error("get_object", "AccessDenied", status=403, message="not you")
    with pytest.raises(
        AwsError, match="cannot read s3://b/a/ledger.json: the AWS identity in use is not allowed"
    ) as got:
        read_object(s3.client, "b", "a/ledger.json")
    assert got.value.code == "AccessDenied"


def test_what_is_too_large_is_something_else(s3: Any, clock: list[float]) -> None:
    s3.answer("get_object", PLACE, body(b"x", LARGEST + 1))
    with pytest.raises(AwsError, match=f"s3://b/a/ledger.json has {LARGEST + 1} bytes; accepted: at most {LARGEST}"):
        read_object(s3.client, "b", "a/ledger.json")
    assert clock == []
