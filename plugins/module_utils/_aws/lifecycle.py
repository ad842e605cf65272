# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One lifecycle rule of a bucket. S3 keeps all rules in one document, so those of others are written back with ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Result, Run
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call

NO_RULES = "NoSuchLifecycleConfiguration"
Rule = dict[str, Any]


@dataclass(frozen=True)
class Lifecycle:
    """A wanted rule. noncurrent_days: how long a version stays that was replaced or deleted; upload_days: how long
    the parts of an upload stay that nobody finished. None: not by this rule."""

    bucket: str
    rule_id: str
    prefix: str = ""
    noncurrent_days: int | None = None
    upload_days: int | None = None

    def rule(self) -> Rule:
        """As S3 takes it."""
        found: Rule = {"ID": self.rule_id, "Filter": {"Prefix": self.prefix}, "Status": "Enabled"}
        if self.noncurrent_days is not None:
            found["NoncurrentVersionExpiration"] = {"NoncurrentDays": self.noncurrent_days}
            # What is left of a deleted object once its versions are gone.
            found["Expiration"] = {"ExpiredObjectDeleteMarker": True}
        if self.upload_days is not None:
            found["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": self.upload_days}
        return found


def read(s3: Any, bucket: str) -> list[Rule] | None:
    """The rules of a bucket, [] when it has none, None when there is no such bucket."""
    try:
        with doing(f"read the lifecycle rules of bucket {bucket}"):
            answer = call(s3.get_bucket_lifecycle_configuration, Bucket=bucket)
    except AwsError as error:
        if error.code == NO_RULES:
            return []
        if error.missing:
            return None
        raise
    return list(answer.get("Rules") or [])


def ensure_present(s3: Any, wanted: Lifecycle, run: Run) -> Result:
    """Add the rule, or bring the one of its ID to the wanted values. Raises AwsError."""
    rules = read(s3, wanted.bucket)
    if rules is None:
        if not run.check:
            raise AwsError(f"there is no bucket {wanted.bucket}: create it first")
        rules = []  # in check mode it may be one that is yet to be made
    before, rule = _of(rules, wanted.rule_id), wanted.rule()
    if _canonical(before) == _canonical(rule):
        return Result(False, before, before)
    if not run.check:
        _write(s3, wanted, [*_others(rules, wanted.rule_id), rule])
    return Result(True, before, rule)


def ensure_absent(s3: Any, wanted: Lifecycle, run: Run) -> Result:
    """Remove the rule; a bucket that does not exist has none."""
    rules = read(s3, wanted.bucket) or []
    before = _of(rules, wanted.rule_id)
    if before and not run.check:
        _write(s3, wanted, _others(rules, wanted.rule_id))
    return Result(bool(before), before, {})


def _of(rules: list[Rule], rule_id: str) -> Rule:
    return next((rule for rule in rules if rule.get("ID") == rule_id), {})


def _others(rules: list[Rule], rule_id: str) -> list[Rule]:
    return [rule for rule in rules if rule.get("ID") != rule_id]


def _canonical(rule: Rule) -> Rule:
    """The rule with its prefix in one place: old rules have it beside the filter, and an empty filter means all."""
    fields = {key: value for key, value in rule.items() if key not in ("Prefix", "Filter")}
    chosen = rule.get("Filter") or {}
    if set(chosen) <= {"Prefix"}:
        chosen = {"Prefix": chosen.get("Prefix") or rule.get("Prefix") or ""}
    return {**fields, "Filter": chosen} if rule else {}


def _write(s3: Any, wanted: Lifecycle, rules: list[Rule]) -> None:
    if not rules:
        with doing(f"remove the lifecycle rules of bucket {wanted.bucket}"):
            call(s3.delete_bucket_lifecycle, Bucket=wanted.bucket)
        return
    with doing(f"write the lifecycle rules of bucket {wanted.bucket}"):
        call(
            s3.put_bucket_lifecycle_configuration,
            Bucket=wanted.bucket,
            LifecycleConfiguration={"Rules": rules},
        )
