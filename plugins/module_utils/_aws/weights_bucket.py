# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bucket of weights as garbage collection needs it: what is in it, whose it is, and deleting what is not needed."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.bucket import read_object
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.inventory import owned
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.bucket_layout import LEDGER, Revision

# Metadata of every object that a fetch has written.
_WRITTEN = "llmfleet-identity"
# boto3's own pool of connections has ten; DeleteObjects takes a thousand keys.
_AT_ONCE, _MOST = 8, 1000


class WeightsBucket:
    """One bucket. s3: a client."""

    def __init__(self, s3: Any, name: str) -> None:
        """Ask nothing yet."""
        self._s3, self._name = s3, name

    def is_of(self, cluster: str) -> bool:
        """Tell whether it carries the cluster's tags; False also when there is no such bucket. Raises AwsError."""
        try:
            with doing(f"read the tags of bucket {self._name}"):
                tags = tagging.from_list(call(self._s3.get_bucket_tagging, Bucket=self._name)["TagSet"])
        except AwsError as error:
            if error.missing or error.code == "NoSuchTagSet":
                return False
            raise
        return owned(tags, cluster)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Size of every object below a prefix, by key. Raises AwsError."""
        found: dict[str, int] = {}
        more: dict[str, Any] = {}
        with doing(f"list s3://{self._name}/{prefix}"):
            while True:
                page = call(self._s3.list_objects_v2, Bucket=self._name, Prefix=prefix, **more)
                found |= {item["Key"]: item["Size"] for item in page.get("Contents", ())}
                if not page.get("IsTruncated"):
                    return found
                more = {"ContinuationToken": page["NextContinuationToken"]}

    def uploads(self, prefix: str) -> list[tuple[str, str]]:
        """(key, id) of the unfinished uploads below a prefix. Raises AwsError."""
        found: list[tuple[str, str]] = []
        more: dict[str, Any] = {}
        with doing(f"list the unfinished uploads of s3://{self._name}/{prefix}"):
            while True:
                page = call(self._s3.list_multipart_uploads, Bucket=self._name, Prefix=prefix, **more)
                listed = [(item["Key"], item["UploadId"]) for item in page.get("Uploads", ())]
                # Not every server filters.
                found += [(key, upload) for key, upload in listed if key.startswith(prefix)]
                if not page.get("IsTruncated"):
                    return found
                more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def written_by_us(self, revision: Revision) -> set[str]:
        """Keys of a revision that its ledger lists or that carry a fetch's mark, and our own folder in it.

        Raises AwsError; ValueError when its ledger is none.
        """
        ours = {key for key in revision.sizes if key.startswith(f"{revision.prefix}/.llmfleet/")}
        if revision.ledger:
            ledger = read_object(self._s3, self._name, f"{revision.prefix}/{LEDGER}")
            ours |= revision.listed_by(ledger or b"{}") & revision.sizes.keys()
        others = sorted(revision.sizes.keys() - ours)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            marked = pool.map(self._marked, others)
            return ours | {key for key, mark in zip(others, marked, strict=True) if mark}

    def _marked(self, key: str) -> bool:
        with doing(f"read the metadata of s3://{self._name}/{key}"):
            return _WRITTEN in call(self._s3.head_object, Bucket=self._name, Key=key)["Metadata"]

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects, in their order. Raises AwsError naming the first that could not be deleted."""
        left = list(keys)
        for start in range(0, len(left), _MOST):
            part = [{"Key": key} for key in left[start : start + _MOST]]
            with doing(f"delete {len(part)} objects of bucket {self._name}"):
                answer = call(self._s3.delete_objects, Bucket=self._name, Delete={"Objects": part, "Quiet": True})
            for failed in answer.get("Errors") or ():
                said = f"{failed.get('Code')}: {failed.get('Message')}"
                raise AwsError(f"cannot delete s3://{self._name}/{failed['Key']}: {said}", code=str(failed.get("Code")))

    def abort(self, uploads: Iterable[tuple[str, str]]) -> None:
        """Abort unfinished uploads. Raises AwsError."""
        for key, upload in uploads:
            try:
                with doing(f"abort the upload of s3://{self._name}/{key}"):
                    call(self._s3.abort_multipart_upload, Bucket=self._name, Key=key, UploadId=upload)
            except AwsError as error:
                if error.code != "NoSuchUpload":
                    raise

    def keeps_versions(self) -> str:
        """What becomes of deleted objects, "" when they are gone at once. Raises AwsError."""
        with doing(f"read the versioning of bucket {self._name}"):
            if call(self._s3.get_bucket_versioning, Bucket=self._name).get("Status") != "Enabled":
                return ""
        try:
            with doing(f"read the lifecycle rules of bucket {self._name}"):
                rules = call(self._s3.get_bucket_lifecycle_configuration, Bucket=self._name)["Rules"]
        except AwsError as error:
            if error.code != "NoSuchLifecycleConfiguration":
                raise
            rules = []
        days = [
            expiry["NoncurrentDays"]
            for rule in rules
            if rule.get("Status") == "Enabled" and (expiry := rule.get("NoncurrentVersionExpiration"))
        ]
        if days:
            return f"the bucket keeps deleted versions for {min(days)} days, and they cost as before until then"
        return (
            "the bucket keeps deleted versions and has no lifecycle rule that expires them: they go on costing the same"
        )
