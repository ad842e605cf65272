# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""S3 through the front, with versitygw behind it."""

from __future__ import annotations

import hashlib
import http.client
import io
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MIB = 1 << 20
SIGNED_CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
KEYS = Credentials("AKIALABTEST000000001", "an-operator-secret-of-the-tests")


@pytest.fixture(autouse=True)
def _needs_gateway(gateway: Any) -> None:
    if gateway is None:
        pytest.skip("no versitygw: set LLMFLEET_LAB_VERSITYGW to its program or have it on PATH")


@pytest.fixture
def s3(aws: Any) -> Any:
    return aws("s3")


class Auth(S3SigV4Auth):  # type: ignore[misc]
    """Signs with the payload hash that is given instead of the body's."""

    def __init__(self, payload: str) -> None:
        super().__init__(KEYS, "s3", "eu-west-3")
        self._payload = payload

    def payload(self, request: AWSRequest) -> str:
        return self._payload


def signed_headers(url: str, method: str, payload: str, headers: dict[str, str]) -> dict[str, str]:
    request = AWSRequest(method, url, headers=headers)
    Auth(payload).add_auth(request)
    return dict(request.headers.items())


Send = Callable[..., tuple[int, bytes]]


@pytest.fixture
def send(emulation: Any) -> Send:
    """send(method, target, payload, headers, body, host) -> status and content.

    The request is signed for the payload hash, and sent with exactly that body, whatever its hash is.
    """

    def request(
        method: str, target: str, payload: str, headers: dict[str, str], body: Any = b"", host: str = ""
    ) -> tuple[int, bytes]:
        authority = urlsplit(emulation.endpoint).netloc
        name = host or authority
        connection = http.client.HTTPConnection(authority, timeout=60)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for header in signed_headers(f"http://{name}{target}", method, payload, {"Host": name, **headers}).items():
                connection.putheader(*header)
            connection.endheaders()
            for block in [body] if isinstance(body, bytes) else body:
                connection.send(block)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    return request


def test_objects(s3: Any, bucket: str, gateway: Any, code: Any) -> None:
    key = "models/a b+c/ü~!*()'d"
    put = s3.put_object(Bucket=bucket, Key=key, Body=b"hello", Metadata={"of_the": "test"}, ContentType="text/plain")
    assert (gateway["folder"] / bucket / key).read_bytes() == b"hello"
    head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    assert head["ETag"] == put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    assert head["ChecksumCRC32"] and head["ContentType"] == "text/plain" and head["Metadata"] == {"of_the": "test"}
    part = s3.get_object(Bucket=bucket, Key=key, Range="bytes=1-3")
    assert part["Body"].read() == b"ell" and part["ContentRange"] == "bytes 1-3/5"
    assert code(s3.get_object, Bucket=bucket, Key=key, Range="bytes=9-")[:2] == ("InvalidRange", 416)
    assert code(s3.get_object, Bucket=bucket, Key="none")[:2] == ("NoSuchKey", 404)
    assert code(s3.put_object, Bucket=bucket, Key=key, Body=b"x", IfNoneMatch="*")[1] == 412
    listed = s3.list_objects_v2(Bucket=bucket, Prefix="models/", Delimiter="/")
    assert [item["Prefix"] for item in listed["CommonPrefixes"]] == ["models/a b+c/"]


def test_a_file_in_the_folder_is_an_object(s3: Any, bucket: str, gateway: Any) -> None:
    (gateway["folder"] / bucket / "by-hand").write_bytes(b"from the file system")
    assert s3.get_object(Bucket=bucket, Key="by-hand")["Body"].read() == b"from the file system"


def test_versions(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    s3.delete_object(Bucket=bucket, Key="k")
    found = s3.list_object_versions(Bucket=bucket)
    assert [item["IsLatest"] for item in found["Versions"]] == [False, False]
    assert [item["IsLatest"] for item in found["DeleteMarkers"]] == [True]


def test_multipart_upload(s3: Any, bucket: str) -> None:
    content = os.urandom(MIB) * 64
    s3.upload_fileobj(io.BytesIO(content), bucket, "big")
    head = s3.head_object(Bucket=bucket, Key="big")
    assert head["ContentLength"] == len(content) and head["ETag"].endswith('-8"')
    fetched = io.BytesIO()
    s3.download_fileobj(bucket, "big", fetched)
    assert hashlib.sha256(fetched.getvalue()).digest() == hashlib.sha256(content).digest()


def test_wrong_checksums_are_refused(s3: Any, bucket: str, code: Any) -> None:
    failed = code(s3.put_object, Bucket=bucket, Key="k", Body=b"hello", ChecksumSHA256="A" * 43 + "=")
    assert failed[0] == "BadDigest"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_body_that_is_not_the_signed_one_is_refused(send: Send, s3: Any, bucket: str) -> None:
    payload = hashlib.sha256(b"signed").hexdigest()
    status, content = send("PUT", f"/{bucket}/k", payload, {"Content-Length": "6"}, b"forged")
    assert status == 400 and b"XAmzContentSHA256Mismatch" in content
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def framed(blocks: list[bytes], signed: bool, trailer: bytes = b"") -> bytes:
    """aws-chunked; trailer: its line. The signatures of chunks are made up: the front does not check them."""
    mark = b";chunk-signature=" + b"0" * 64 if signed else b""
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(block), mark, block) for block in blocks)
    body += b"0%b\r\n" % mark
    if trailer:
        body += trailer + b"\r\n"
        if signed:
            body += b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n"
    return body + b"\r\n"


def checksum(content: bytes) -> bytes:
    import base64

    return base64.b64encode(crc32(content).to_bytes(4, "big"))


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("right", [True, False])
def test_chunks_with_a_trailing_checksum(
    send: Send, s3: Any, bucket: str, signed: bool, right: bool, gateway: Any
) -> None:
    blocks = [os.urandom(70000), os.urandom(3)]
    content = b"".join(blocks)
    trailer = b"x-amz-checksum-crc32:" + checksum(content if right else b"something else")
    body = framed(blocks, signed, trailer)
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" if signed else "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    headers = {
        "Content-Encoding": "aws-chunked",
        "X-Amz-Decoded-Content-Length": str(len(content)),
        "X-Amz-Trailer": "x-amz-checksum-crc32",
        "Content-Length": str(len(body)),
    }
    status, answer = send("PUT", f"/{bucket}/k", kind, headers, body)
    stored = gateway["folder"] / bucket / "k"
    if right:
        assert status == 200, answer
        assert stored.read_bytes() == content
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert head["ChecksumCRC32"].encode() == checksum(content)
        assert "aws-chunked" not in head.get("ContentEncoding", "")
    else:
        assert status == 400 and not stored.exists()


def test_signed_chunks_without_a_trailer(send: Send, s3: Any, bucket: str) -> None:
    blocks = [os.urandom(65536), os.urandom(65536), b"end"]
    body = framed(blocks, signed=True)
    headers = {
        "Content-Encoding": "aws-chunked,gzip",
        "X-Amz-Decoded-Content-Length": str(sum(map(len, blocks))),
        "Content-Length": str(len(body)),
    }
    status, answer = send("PUT", f"/{bucket}/k", SIGNED_CHUNKS, headers, body)
    assert status == 200, answer
    found = s3.get_object(Bucket=bucket, Key="k")
    assert found["Body"].read() == b"".join(blocks) and found["ContentEncoding"] == "gzip"


@pytest.mark.parametrize("damage", [b"zz\r\nhello\r\n", b"5;chunk-signature=0\r\nhell", b"5\r\nhello0\r\n\r\n"])
def test_malformed_chunks_store_nothing(send: Send, s3: Any, bucket: str, damage: bytes) -> None:
    headers = {
        "X-Amz-Decoded-Content-Length": "5",
        "Content-Length": str(len(damage)),
    }
    status, content = send("PUT", f"/{bucket}/k", SIGNED_CHUNKS, headers, damage)
    assert status == 400 and b"IncompleteBody" in content
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_large_bodies_are_not_held_in_memory(send: Send, s3: Any, bucket: str) -> None:
    size = 256 * MIB
    block = os.urandom(MIB)
    headers = {"Content-Length": str(size)}
    before = _peak_memory(reset=True)
    status, content = send("PUT", f"/{bucket}/k", "UNSIGNED-PAYLOAD", headers, (block for _ in range(size // MIB)))
    assert status == 200, content
    total = sum(len(item) for item in s3.get_object(Bucket=bucket, Key="k")["Body"].iter_chunks(MIB))
    assert total == size
    assert _peak_memory() - before < 64 * MIB


def _peak_memory(reset: bool = False) -> int:
    """The peak of this process's memory in bytes; reset: set it back to what is used now, first."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_an_upload_that_is_broken_off_stores_nothing(emulation: Any, s3: Any, bucket: str) -> None:
    authority = urlsplit(emulation.endpoint).netloc
    headers = {"Host": authority, "Content-Length": str(MIB)}
    signed = signed_headers(f"http://{authority}/{bucket}/k", "PUT", "UNSIGNED-PAYLOAD", headers)
    connection = http.client.HTTPConnection(authority, timeout=10)
    connection.putrequest("PUT", f"/{bucket}/k", skip_host=True, skip_accept_encoding=True)
    for header in signed.items():
        connection.putheader(*header)
    connection.endheaders()
    connection.send(b"x" * (MIB // 2))
    connection.close()
    time.sleep(0.3)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_presigned_urls(s3: Any, bucket: str) -> None:
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    with urllib.request.urlopen(urllib.request.Request(url, b"by URL", method="PUT"), timeout=5):
        pass
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60)
    with urllib.request.urlopen(url, timeout=5) as answer:
        assert answer.read() == b"by URL"
    for wrong in (url.replace("/k?", "/other?"), url.replace("Expires=60", "Expires=600")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(wrong, timeout=5)
        assert caught.value.code == 403


def test_virtual_host_style(send: Send, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    empty = hashlib.sha256(b"").hexdigest()
    for host in (f"{bucket}.s3.eu-west-3.amazonaws.com", f"{bucket}.localhost:4566"):
        assert send("GET", "/k", empty, {}, host=host) == (200, b"hello")
    status, content = send("GET", "/?encryption", empty, {}, host=f"{bucket}.s3.eu-west-3.amazonaws.com")
    assert status in (200, 404) and b"NoSuchBucket" not in content


def test_settings_that_versitygw_lacks(s3: Any, bucket: str) -> None:
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == block
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    found = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert found[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    expire = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}}
    expire["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": 1}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [expire]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["ID"] == "x"
    assert "TopicConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_settings_that_versitygw_has(s3: Any, bucket: str) -> None:
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    tags = [{"Key": "llmfleet.io/cluster", "Value": "lab"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "eu-west-3"


def test_a_bucket_is_gone_from_both(s3: Any, bucket: str, code: Any, emulation: Any) -> None:
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert code(s3.delete_bucket, Bucket=bucket)[0] == "BucketNotEmpty"
    assert emulation.world.moto_bucket(bucket) is not None
    version = s3.list_object_versions(Bucket=bucket)["Versions"][0]["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    s3.delete_bucket(Bucket=bucket)
    assert emulation.world.moto_bucket(bucket) is None
    assert code(s3.get_public_access_block, Bucket=bucket)[:2] == ("NoSuchBucket", 404)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    assert code(s3.get_public_access_block, Bucket=bucket)[0] == "NoSuchPublicAccessBlockConfiguration"


def test_a_bucket_from_before_the_process_has_settings_too(s3: Any, bucket: str, emulation: Any) -> None:
    emulation.world.remove_moto_bucket(bucket)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]


def test_versitygw_away_is_told(emulation: Any) -> None:
    from llmfleet_lab.aws.config import Keys, ObjectStore
    from llmfleet_lab.aws.faults import AwsFault
    from llmfleet_lab.aws.s3_proxy import S3Proxy

    away = S3Proxy(ObjectStore("http://127.0.0.1:1", Keys("a", "b")), "eu-west-3")
    with pytest.raises(AwsFault) as caught:
        away.ask("GET", "/", [])
    assert (caught.value.code, caught.value.status) == ("ServiceUnavailable", 503)
