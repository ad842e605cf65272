# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of buckets, wherever they are kept."""

from __future__ import annotations

from typing import Protocol
from xml.etree import ElementTree

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.s3_proxy import S3Proxy
from llmfleet_lab.aws.world import World


class Buckets(Protocol):
    """Reads of buckets that other services need."""

    def versioning(self, name: str) -> str | None:
        """Enabled, Suspended or "" (never enabled); None when there is no such bucket."""


class StoredBuckets:
    """Buckets of versitygw."""

    def __init__(self, proxy: S3Proxy) -> None:
        self._proxy = proxy

    def versioning(self, name: str) -> str | None:
        """See Buckets. Raises AwsFault when versitygw does not tell."""
        status, content = self._proxy.ask("GET", f"/{name}", [("versioning", "")])
        if status == 404:
            return None
        if status != 200:
            raise AwsFault("InternalServerException", f"The object store answered {status}", 500, {"errorCode": "S3"})
        return ElementTree.fromstring(content).findtext("{*}Status") or ""

    def exists(self, name: str) -> bool:
        """Whether there is such a bucket."""
        return self._proxy.ask("HEAD", f"/{name}", [])[0] != 404


class MotoBuckets:
    """Buckets of moto, when there is no versitygw."""

    def __init__(self, world: World) -> None:
        self._world = world

    def versioning(self, name: str) -> str | None:
        """See Buckets."""
        bucket = self._world.moto_bucket(name)
        return None if bucket is None else bucket.versioning_status or ""
