# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading small objects of a bucket."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call

_ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
# No ledger and no config.json is larger; what is, is something else.
LARGEST = 16 * 1024 * 1024


def read_object(s3: Any, bucket: str, key: str) -> bytes | None:
    """The content of an object, None where there is none or no such bucket. s3: its client.

    Raises AwsError, also for an object of more than LARGEST bytes.
    """

    def read() -> bytes:
        answer = s3.get_object(Bucket=bucket, Key=key)
        if answer["ContentLength"] > LARGEST:
            raise AwsError(f"s3://{bucket}/{key} has {answer['ContentLength']} bytes; accepted: at most {LARGEST}")
        content: bytes = answer["Body"].read()
        return content

    try:
        with doing(f"read s3://{bucket}/{key}"):
            return bytes(call(read))
    except AwsError as error:
        if error.code in _ABSENT:
            return None
        raise
