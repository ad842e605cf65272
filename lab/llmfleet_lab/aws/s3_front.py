# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3 as clients see it: object traffic goes to versitygw, the bucket settings that it lacks go to moto."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.response import Response
from llmfleet_lab.aws.s3_buckets import StoredBuckets
from llmfleet_lab.aws.s3_proxy import S3Proxy
from llmfleet_lab.aws.sigv4 import Claim
from llmfleet_lab.aws.world import World

_SETTING = re.compile(
    r"(Get|Put|Delete|List)(PublicAccessBlock|Bucket("
    r"Encryption|Lifecycle(Configuration)?|Notification(Configuration)?|RequestPayment|Accelerate\w*|Logging|Replication"
    r"|Website|PolicyStatus|(Analytics|IntelligentTiering|Inventory|Metrics)Configurations?|Abac))"
)
_REGIONAL = re.compile(r"(?P<bucket>.+)\.s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?")


def path_style(request: Request, own_names: Iterable[str]) -> str:
    """The path (percent-encoded) with the bucket of a virtual-host style request put in front of it.

    own_names: host names under which the endpoint itself is reached.
    """
    host = (request.header("host") or "").rpartition(":")[0] or request.header("host") or ""
    bucket = None
    match = _REGIONAL.fullmatch(host)
    if match:
        bucket = match["bucket"]
    else:
        bucket = next((host.removesuffix(f".{name}") for name in own_names if host.endswith(f".{name}")), None)
    return f"/{bucket}{request.path}" if bucket else request.path


class S3Front:
    """Answers S3 requests; without versitygw, moto answers them all."""

    def __init__(self, world: World, proxy: S3Proxy | None) -> None:
        self._world = world
        self._proxy = proxy
        self._stored = StoredBuckets(proxy) if proxy is not None else None

    def serve(self, request: Request, call: Call, claim: Claim, path: str) -> Response:
        """Answer one request. path: percent-encoded, path-style. Raises AwsFault."""
        if self._proxy is None or self._stored is None:
            return self._moto(request, claim, path)
        bucket = unquote(path.split("/")[1])
        if _SETTING.fullmatch(call.operation):
            if self._world.moto_bucket(bucket) is None:
                if not self._stored.exists(bucket):
                    raise AwsFault("NoSuchBucket", "The specified bucket does not exist", 404)
                self._world.add_moto_bucket(bucket)
            return self._moto(request, claim, path)
        response = self._proxy.forward(request, path, call.operation in ("PutObject", "UploadPart"))
        if response.status < 300:
            if call.operation == "CreateBucket":
                self._world.add_moto_bucket(bucket)
            elif call.operation == "DeleteBucket":
                self._world.remove_moto_bucket(bucket)
        return response

    def _moto(self, request: Request, claim: Claim, path: str) -> Response:
        if path != request.path:
            # moto tells virtual hosts by names of its own; give it the path style.
            request.environ["PATH_INFO"] = unquote(path)
            request.environ["RAW_URI"] = request.environ["REQUEST_URI"] = f"{path}?{request.raw_query}"
            request.environ["HTTP_HOST"] = f"s3.{self._world.region}.amazonaws.com"
        return self._world.serve(request, claim)
