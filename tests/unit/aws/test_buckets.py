# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which buckets a teardown says that it keeps."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.buckets import Kept, kept_buckets
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels


def test_ours_and_what_cannot_be_read_is_told_and_nothing_else(s3: Any) -> None:
    def tags(cluster: str) -> dict[str, Any]:
        return {"TagSet": [{"Key": key, "Value": value} for key, value in ownership_labels(cluster, "storage").items()]}

    s3.error("get_bucket_tagging", "AccessDenied", status=403, Bucket="a-denied")
    s3.error("get_bucket_tagging", "NoSuchBucket", status=404, Bucket="b-gone")
    s3.answer("get_bucket_tagging", {"Bucket": "c-ours"}, tags("example"))
    s3.answer("get_bucket_tagging", {"Bucket": "d-others"}, tags("another"))
    s3.error("get_bucket_tagging", "NoSuchTagSet", status=404, Bucket="e-plain")
    found = kept_buckets(s3.client, "example", ["c-ours", "", "b-gone", "e-plain", "d-others", "c-ours", "a-denied"])
    assert [bucket.name for bucket in found] == ["a-denied", "c-ours"]
    assert "not allowed" in found[0].unreadable and found[1] == Kept("c-ours")
