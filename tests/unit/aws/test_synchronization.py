# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of synchronization are written only over the version that was read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import synchronization
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError

FS = "fs-0123456789abcdef0"
RULE = {"prefix": "", "trigger": "ON_FILE_ACCESS", "size_less_than": 1024}
WANTED = synchronization.normal({"import_data_rules": [RULE], "days_after_last_access": 7})
SENT = {
    "importDataRules": [{"prefix": "", "trigger": "ON_FILE_ACCESS", "sizeLessThan": 1024}],
    "expirationDataRules": [{"daysAfterLastAccess": 7}],
}
OTHERS = {**SENT, "expirationDataRules": [{"daysAfterLastAccess": 90}]}


def has(s3files: Any, version: int, found: dict[str, Any] = OTHERS) -> None:
    answer = {**found, "latestVersionNumber": version}
    s3files.answer("get_synchronization_configuration", {"fileSystemId": FS}, answer)


def put(version: int) -> dict[str, Any]:
    return {"fileSystemId": FS, "latestVersionNumber": version, **SENT}


def test_the_version_that_was_read_is_named(s3files: Any) -> None:
    has(s3files, 4)
    found, version = synchronization.read(s3files.client, FS)
    assert found["days_after_last_access"] == 90 and version == 4
    s3files.answer("put_synchronization_configuration", put(4))
    synchronization.write(s3files.client, FS, WANTED, version)


def test_a_change_in_between_is_read_before_it_is_replaced(s3files: Any) -> None:
    s3files.error("put_synchronization_configuration", "ConflictException", status=409, **put(4))
    has(s3files, 5)
    s3files.answer("put_synchronization_configuration", put(5))
    synchronization.write(s3files.client, FS, WANTED, 4)


def test_our_own_call_with_a_lost_reply_is_not_repeated(s3files: Any) -> None:
    s3files.error("put_synchronization_configuration", "InternalServerException", status=500, **put(4))
    s3files.error("put_synchronization_configuration", "ConflictException", status=409, **put(4))
    has(s3files, 5, SENT)
    synchronization.write(s3files.client, FS, WANTED, 4)


def test_a_race_that_does_not_end_is_told(s3files: Any) -> None:
    for version in (4, 5):
        s3files.error("put_synchronization_configuration", "ConflictException", status=409, **put(version))
        has(s3files, version + 1)
    s3files.error("put_synchronization_configuration", "ConflictException", status=409, **put(6))
    with pytest.raises(AwsError, match=f"cannot write the synchronization configuration of file system {FS}"):
        synchronization.write(s3files.client, FS, WANTED, 4)


def test_order_says_nothing() -> None:
    other = {**RULE, "prefix": "a/"}
    for rules in ([RULE, other], [other, RULE]):
        found = synchronization.normal({"import_data_rules": rules, "days_after_last_access": 1})
        assert [rule["prefix"] for rule in found["import_data_rules"]] == ["", "a/"]
