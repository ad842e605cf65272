# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buckets that a teardown keeps: found under the names that they can have, and told by their tags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.inventory import owned
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call

_NO_TAGS = "NoSuchTagSet"


@dataclass(frozen=True)
class Kept:
    """A bucket that is ours; or, with `unreadable` (why), one of which that cannot be told."""

    name: str
    unreadable: str = ""


def kept_buckets(s3: Any, cluster: str, names: Iterable[str]) -> list[Kept]:
    """Those of the names that exist and are not somebody else's, in order of name. s3: a client.

    Nothing is removed for this list, so one that cannot be read is told instead of raised.
    """
    found = []
    for name in sorted({name for name in names if name}):
        try:
            with doing(f"read the tags of bucket {name}"):
                tags = tagging.from_list(call(s3.get_bucket_tagging, Bucket=name)["TagSet"])
        except AwsError as error:
            if not error.missing and error.code != _NO_TAGS:
                found.append(Kept(name, str(error)))
        else:
            if owned(tags, cluster):
                found.append(Kept(name))
    return found
