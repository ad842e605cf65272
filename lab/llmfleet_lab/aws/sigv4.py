# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS Signature Version 4: reading a request's claim, computing its signature, signing requests of our own."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

from llmfleet_lab.aws.config import Keys
from llmfleet_lab.aws.request import Request

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]+)"
)


@dataclass(frozen=True)
class Claim:
    """What a signed request says of itself.

    moment: as signed (YYYYMMDDThhmmssZ). headers: names of the signed headers. expires: seconds that a presigned URL
    is good for, None for a signed header.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    moment: str
    headers: tuple[str, ...]
    signature: str
    token: str
    expires: int | None = None

    @property
    def scope(self) -> str:
        """The credential scope."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @property
    def authorization(self) -> str:
        """As an Authorization header."""
        signed = ";".join(self.headers)
        return (
            f"{ALGORITHM} Credential={self.access_key_id}/{self.scope}, "
            f"SignedHeaders={signed}, Signature={self.signature}"
        )


def claim_of(request: Request) -> Claim | None:
    """The claim in the Authorization header or, of a presigned URL, in the query; None when there is none."""
    match = _AUTHORIZATION.match(request.header("authorization") or "")
    if match:
        credential, signed, signature = match.groups()
        moment, token = request.header("x-amz-date") or "", request.header("x-amz-security-token") or ""
        expires = None
    elif request.parameter("X-Amz-Algorithm") == ALGORITHM:
        credential, signed, signature, moment, token, span = (
            request.parameter(f"X-Amz-{name}") or ""
            for name in ("Credential", "SignedHeaders", "Signature", "Date", "Security-Token", "Expires")
        )
        expires = int(span) if span.isdigit() else 0
    else:
        return None
    parts = credential.rsplit("/", 4)
    if len(parts) != 5:
        return None
    names = tuple(signed.split(";"))
    return Claim(parts[0], parts[1], parts[2], parts[3], moment, names, signature, token, expires)


def expected_signature(request: Request, claim: Claim, secret: str) -> str:
    """The signature that the holder of `secret` would have put on the request. Reads the body unless it is S3's."""
    if claim.expires is not None:
        query = [(key, value) for key, value in request.query if key != "X-Amz-Signature"]
        payload = UNSIGNED if claim.service == "s3" else EMPTY_HASH
    else:
        query = request.query
        payload = request.header("x-amz-content-sha256") or ""
        if not payload:
            payload = hashlib.sha256(request.body).hexdigest()
    headers = [(name, request.header(name) or "") for name in claim.headers]
    path = _path(request.path, claim.service)
    canonical = _canonical(request.method, path, query, headers, payload)
    return _signature(secret, claim.scope, claim.moment, canonical)


def same(one: str, other: str) -> bool:
    """Whether two signatures or tokens are equal, compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def sign(
    method: str,
    path: str,
    query: Sequence[tuple[str, str]],
    headers: Iterable[tuple[str, str]],
    payload: str,
    keys: Keys,
    region: str,
) -> list[tuple[str, str]]:
    """The headers of a request to S3, signed.

    path: percent-encoded. headers: lower-case names, Host among them. payload: value of x-amz-content-sha256.
    """
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    complete = [*headers, ("x-amz-content-sha256", payload), ("x-amz-date", moment)]
    signed = sorted((name, value) for name, value in complete if name == "host" or name.startswith("x-amz-"))
    canonical = _canonical(method, _path(path, "s3"), query, signed, payload)
    signature = _signature(keys.secret_access_key, scope, moment, canonical)
    names = ";".join(name for name, _ in signed)
    credential = f"{keys.access_key_id}/{scope}"
    authorization = f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return [*complete, ("authorization", authorization)]


def _encode(text: str | bytes, safe: str = "") -> str:
    return quote(text, safe=f"-_.~{safe}")


def _path(path: str, service: str) -> str:
    if service == "s3":
        # Encoded once, whatever characters the client chose to encode.
        return _encode(unquote_to_bytes(path), "/")
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            segments[-1:] = []
        elif segment not in ("", "."):
            segments.append(segment)
    normal = "/" + "/".join(segments)
    if path.endswith("/") and segments:
        normal += "/"
    # Encoded twice: what is percent-encoded on the wire is encoded again.
    return _encode(normal, "/")


def _canonical(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]], payload: str
) -> str:
    parameters = sorted((_encode(key), _encode(value)) for key, value in query)
    lines = [(name, " ".join(value.split())) for name, value in headers]
    return "\n".join(
        [
            method,
            path,
            "&".join(f"{key}={value}" for key, value in parameters),
            *(f"{name}:{value}" for name, value in lines),
            "",
            ";".join(name for name, _ in lines),
            payload,
        ]
    )


def _signature(secret: str, scope: str, moment: str, canonical: str) -> str:
    text = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
