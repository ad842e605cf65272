# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: who may take which role, and what it may do. Least privilege, by resource."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import CACHE_FOLDER, Names

Document = dict[str, Any]
VERSION = "2012-10-17"


def _document(*statements: dict[str, Any]) -> Document:
    return {"Version": VERSION, "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resources: str | list[str], condition: Document | None = None) -> Document:
    statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def trust_file_system(names: Names) -> Document:
    """S3 Files, for file systems of this account and region. It goes by the principal of Elastic File System."""
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "elasticfilesystem.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": names.account},
                "ArnLike": {
                    "aws:SourceArn": f"arn:{names.partition}:s3files:{names.region}:{names.account}:file-system/*"
                },
            },
        }
    )


def trust_pod_identity(names: Names) -> Document:
    """Pods of this cluster, through EKS Pod Identity."""
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {"aws:SourceAccount": names.account},
                "ArnEquals": {
                    "aws:SourceArn": f"arn:{names.partition}:eks:{names.region}:{names.account}:cluster/{names.cluster}"
                },
            },
        }
    )


def bucket_access(names: Names) -> Document:
    """What S3 Files does to the bucket: it follows objects both ways, so that it writes and deletes as well."""
    return _document(
        _allow(
            "Bucket",
            [
                "s3:GetBucketLocation",
                "s3:GetBucketVersioning",
                "s3:ListBucket",
                "s3:ListBucketVersions",
            ],
            names.bucket_arn,
        ),
        _allow(
            "Objects",
            [
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:DeleteObjectVersion",
                "s3:GetObject",
                "s3:GetObjectTagging",
                "s3:GetObjectVersion",
                "s3:GetObjectVersionTagging",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
                "s3:PutObjectTagging",
            ],
            f"{names.bucket_arn}/*",
        ),
    )


def bucket_events(names: Names) -> Document:
    """The rule by which S3 Files hears of objects that others write: without it they stay unseen until a scan."""
    return _document(
        _allow(
            "Events",
            [
                "events:DeleteRule",
                "events:DisableRule",
                "events:EnableRule",
                "events:PutRule",
                "events:PutTargets",
                "events:RemoveTargets",
            ],
            f"arn:{names.partition}:events:{names.region}:{names.account}:rule/DO-NOT-DELETE-S3-Files*",
            {"StringEquals": {"events:ManagedBy": "elasticfilesystem.amazonaws.com"}},
        )
    )


def direct_reads(names: Names) -> Document:
    """Big reads go past the file system to the bucket: they are faster and are not metered there."""
    return _document(
        _allow("List", ["s3:ListBucket"], names.bucket_arn),
        _allow("Read", ["s3:GetObject", "s3:GetObjectVersion"], f"{names.bucket_arn}/*"),
    )


def mounts(names: Names) -> Document:
    """Policy of the file system: the storage driver's nodes mount it, and make a model's folder where there is none."""
    return _document(
        {
            "Sid": "Mount",
            "Effect": "Allow",
            "Principal": {"AWS": names.role_arn(names.csi_node_role)},
            "Action": ["s3files:ClientMount", "s3files:ClientWrite"],
            "Resource": "*",
        }
    )


def fetcher_access(fleet: Fleet) -> Document:
    """The fetcher writes below the prefixes of this fleet's models and adapters, and reads where they come from."""
    names = fleet.names
    prefixes = sorted({prefix for model in fleet.models for prefix in model.prefixes})
    sources = sorted(
        {source for model in fleet.models if (source := str(model.get("weights.source"))).startswith("s3://")}
    )
    by_prefix = {"StringLike": {"s3:prefix": [f"{prefix}/*" for prefix in prefixes]}}
    statements = []
    if prefixes:
        statements = [
            _allow("List", ["s3:ListBucket"], names.bucket_arn, by_prefix),
            # Uploads that were cut off are found by their prefix, for which there is no condition.
            _allow("Uploads", ["s3:ListBucketMultipartUploads"], names.bucket_arn),
            _allow(
                "Write",
                [
                    "s3:AbortMultipartUpload",
                    "s3:DeleteObject",
                    "s3:GetObject",
                    "s3:ListMultipartUploadParts",
                    "s3:PutObject",
                ],
                [f"{names.bucket_arn}/{prefix}/*" for prefix in prefixes],
            ),
            # The folder of compiled code is there before an engine mounts it.
            _allow(
                "Cache",
                ["s3:PutObject"],
                [
                    f"{names.bucket_arn}/models/{CACHE_FOLDER}/{name}/.keep"
                    for name in sorted(m.name for m in fleet.models)
                ],
            ),
        ]
    for index, source in enumerate(sources):
        bucket, _slash, prefix = source.removeprefix("s3://").rstrip("/").partition("/")
        arn = f"arn:{names.partition}:s3:::{bucket}"
        condition = {"StringLike": {"s3:prefix": [prefix, f"{prefix}/*"]}}
        statements.append(_allow(f"ListSource{index}", ["s3:ListBucket"], arn, condition))
        statements.append(_allow(f"ReadSource{index}", ["s3:GetObject", "s3:GetObjectVersion"], f"{arn}/{prefix}/*"))
    return _document(*statements)
