# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lifecycle rules of a bucket: ours is set, and those of others stay."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.lifecycle import (
    Lifecycle,
    ensure_absent,
    ensure_present,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run

REAL, CHECK = Run(), Run(check=True)
WANTED = Lifecycle("b", "llmfleet", noncurrent_days=30, upload_days=7)
OURS = {
    "ID": "llmfleet",
    "Filter": {"Prefix": ""},
    "Status": "Enabled",
    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    "Expiration": {"ExpiredObjectDeleteMarker": True},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}
THEIRS = {"ID": "logs", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 9}}


def has(s3: Any, *rules: dict[str, Any]) -> None:
    s3.answer("get_bucket_lifecycle_configuration", {"Bucket": "b"}, {"Rules": list(rules)})


def writes(s3: Any, *rules: dict[str, Any]) -> None:
    expected = {"Bucket": "b", "LifecycleConfiguration": {"Rules": list(rules)}}
    s3.answer("put_bucket_lifecycle_configuration", expected)


def test_rules_of_others_are_written_back(s3: Any) -> None:
    has(s3, THEIRS)
    writes(s3, THEIRS, OURS)
    result = ensure_present(s3.client, WANTED, REAL)
    assert (result.changed, result.before, result.after) == (True, {}, OURS)
    has(s3, THEIRS, OURS)
    writes(s3, THEIRS)
    assert ensure_absent(s3.client, WANTED, REAL).changed


@pytest.mark.parametrize(
    "found",
    [
        OURS,
        {**OURS, "Filter": {}},
        {**{key: value for key, value in OURS.items() if key != "Filter"}, "Prefix": ""},
    ],
)
def test_the_same_rule_in_other_words_is_left(s3: Any, found: dict[str, Any]) -> None:
    has(s3, found)
    assert not ensure_present(s3.client, WANTED, REAL).changed


@pytest.mark.parametrize(
    "found",
    [
        {**OURS, "Status": "Disabled"},
        {**OURS, "Filter": {"Prefix": "logs/"}},
        {**OURS, "NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 2}},
        {**OURS, "Expiration": {"Days": 1}},
    ],
)
def test_what_somebody_changed_is_taken_back(s3: Any, found: dict[str, Any]) -> None:
    has(s3, found)
    writes(s3, OURS)
    assert ensure_present(s3.client, WANTED, REAL).before == found


def test_a_bucket_that_is_yet_to_be_made(s3: Any) -> None:
    s3.error("get_bucket_lifecycle_configuration", "NoSuchBucket", status=404)
    assert ensure_present(s3.client, WANTED, CHECK).after == OURS
    s3.error("get_bucket_lifecycle_configuration", "NoSuchBucket", status=404)
    with pytest.raises(AwsError, match="there is no bucket b"):
        ensure_present(s3.client, WANTED, REAL)
    s3.error("get_bucket_lifecycle_configuration", "NoSuchBucket", status=404)
    assert not ensure_absent(s3.client, WANTED, REAL).changed
