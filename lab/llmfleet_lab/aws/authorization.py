# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the keys of a role may do. The operator's own keys may do everything.

Identity policies (inline and attached) and the permissions boundary of the role are evaluated, by action, resource and
the conditions that policies.py knows. Bucket policies and session policies are not. Resources are told for S3 only: for
other services a permitted action is permitted on everything, and of denials only those count that are about everything.
"""

from __future__ import annotations

from urllib.parse import unquote

from llmfleet_lab.aws import policies
from llmfleet_lab.aws.credentials import Caller
from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.world import World

# Operations of S3 whose permission has another name.
_S3_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "UploadPartCopy": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "DeleteObjects": "DeleteObject",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "ListBucketInventoryConfigurations": "GetInventoryConfiguration",
}
# Who hands a service a role needs to be allowed to, and whoever makes something with tags, to tag.
_PASSES_ROLE = {
    ("s3files", "CreateFileSystem"),
    ("eks", "CreatePodIdentityAssociation"),
    ("eks", "UpdatePodIdentityAssociation"),
}
_TAGS = {
    ("s3files", "CreateFileSystem"): "s3files:TagResource",
    ("s3files", "CreateAccessPoint"): "s3files:TagResource",
    ("eks", "CreatePodIdentityAssociation"): "eks:TagResource",
    ("eks", "CreateAddon"): "eks:TagResource",
    ("iam", "CreateRole"): "iam:TagRole",
    ("ec2", "CreateSecurityGroup"): "ec2:CreateTags",
}
# With a version, these need a permission of their own.
_VERSIONED = {"GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"}


def check(request: Request, call: Call, caller: Caller, world: World) -> None:
    """Raise AccessDenied, as the service does, unless the caller's role permits the call."""
    if caller.role_arn is None or (call.service, call.operation) == ("sts", "GetCallerIdentity"):
        return
    documents, boundary = world.role_policies(caller.role_arn)
    for action, resource in needs(request, call):
        context = _context(request, call, world)
        permitted = policies.permits(documents, action, resource, context)
        if permitted and boundary is not None:
            permitted = policies.permits(boundary, action, resource, context)
        if not permitted:
            raise _denied(call, caller, action, resource)


def absence_is_hidden(call: Call, caller: Caller, world: World) -> bool:
    """Whether S3 answers AccessDenied for an object that does not exist: to callers that may not list the bucket."""
    if caller.role_arn is None or (call.service, call.operation) not in (("s3", "GetObject"), ("s3", "HeadObject")):
        return False
    documents, boundary = world.role_policies(caller.role_arn)
    bucket = f"arn:aws:s3:::{call.uri['Bucket']}"
    context = {"s3:prefix": call.uri["Key"], "aws:securetransport": "true"}
    return not all(
        policies.permits(found, "s3:ListBucket", bucket, context)
        for found in (documents, boundary)
        if found is not None
    )


def needs(request: Request, call: Call) -> list[tuple[str, str | None]]:
    """Return the actions that a call needs, and the resources that they are done to."""
    if call.service != "s3":
        which = (call.service, call.operation)
        found: list[tuple[str, str | None]] = [(":".join(which), None)]
        body = request.body if which in _PASSES_ROLE or which in _TAGS else b""
        if which in _TAGS and (b'"tags"' in body or b"Tags.member." in body or b"TagSpecification" in body):
            found.append((_TAGS[which], None))
        if which in _PASSES_ROLE and b'"roleArn"' in body:
            found.append(("iam:PassRole", None))
        return found
    bucket, key = call.uri.get("Bucket", ""), call.uri.get("Key", "")
    action = _S3_ACTIONS.get(call.operation, call.operation)
    if action in _VERSIONED and request.parameter("versionId"):
        action = action.replace("Object", "ObjectVersion", 1)
    resource = f"arn:aws:s3:::{bucket}" if bucket else "*"
    if call.operation == "DeleteObjects":
        # Each key has its own answer in S3; here, the whole request needs the permission on the bucket's objects.
        resource += "/*"
    elif key:
        resource += f"/{key}"
    wanted: list[tuple[str, str | None]] = [(f"s3:{action}", resource)]
    source = request.header("x-amz-copy-source")
    if source:
        path = unquote(source.partition("?")[0]).lstrip("/")
        wanted.append(("s3:GetObject", f"arn:aws:s3:::{path}"))
    return wanted


def _context(request: Request, call: Call, world: World) -> dict[str, str]:
    # The lab has no TLS in front of S3; policies that ask for it must hold, as they do on AWS.
    context = {
        "aws:securetransport": "true",
        "aws:requestedregion": call.region,
        "aws:principalaccount": world.account,
        "aws:resourceaccount": world.account,
        "s3:resourceaccount": world.account,
    }
    for name in ("prefix", "delimiter", "max-keys"):
        value = request.parameter(name)
        if value is not None:
            context[f"s3:{name}"] = value
    return context


def _denied(call: Call, caller: Caller, action: str, resource: str | None) -> AwsFault:
    message = f"{caller.role_arn} is not authorized to perform: {action}"
    if resource is not None:
        message += f" on resource: {resource}"
    message += " because no identity-based policy allows the action, or one denies it"
    if call.protocol == "ec2":
        return AwsFault("UnauthorizedOperation", message, 403)
    code = "AccessDeniedException" if "json" in call.protocol else "AccessDenied"
    return AwsFault(code, message, 400 if call.protocol == "json" else 403, {})
