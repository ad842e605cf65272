# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that manages one lifecycle rule of an S3 bucket."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_bucket_lifecycle
version_added: 1.0.0
short_description: Manage a lifecycle rule for old versions and unfinished uploads in an S3 bucket
description:
  - Sets how long a versioned bucket keeps versions that were replaced or deleted, and parts of uploads that nobody
    finished. Both cost as much as other objects and are shown by no listing.
  - Other rules of the bucket are left as they are.
options:
  state:
    description:
      - Whether the rule should exist.
    type: str
    choices: [present, absent]
    default: present
  bucket:
    description:
      - Name of the bucket.
    type: str
    required: true
  rule_id:
    description:
      - ID of the rule, by which it is found again.
    type: str
    required: true
  prefix:
    description:
      - Prefix of the objects that the rule is about. Left out, it is about all.
    type: str
    default: ""
  noncurrent_days:
    description:
      - Days after which a version is removed that was replaced or deleted, and then the mark of the deletion.
      - Left out, this rule removes no version.
    type: int
  upload_days:
    description:
      - Days after its beginning after which an unfinished upload is removed. Left out, this rule removes none.
    type: int
requirements:
  - python >= 3.12
author:
  - llmfleet contributors (@llmfleet)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Predicts the rule, also of a bucket that is yet to be made.
    support: full
  diff_mode:
    description: Shows the rule before and after.
    support: full
"""

EXAMPLES = r"""
- name: Keep what was deleted for a month, and unfinished uploads for a week
  llmfleet.eks.s3_bucket_lifecycle:
    region: eu-west-3
    bucket: eu-west-3-123456789012-example-weights
    rule_id: llmfleet
    noncurrent_days: 30
    upload_days: 7

- name: Keep everything
  llmfleet.eks.s3_bucket_lifecycle:
    region: eu-west-3
    bucket: eu-west-3-123456789012-example-weights
    rule_id: llmfleet
    state: absent
"""

RETURN = r"""
rule:
  description: The rule as S3 has it, or in check mode as it would be. Empty when it is absent.
  returned: success
  type: dict
  contains:
    ID:
      description: Its ID.
      type: str
      returned: when it exists
      sample: llmfleet
    Status:
      description: Whether it is in force, C(Enabled) or C(Disabled).
      type: str
      returned: when it exists
      sample: Enabled
    Filter:
      description: Which objects it is about.
      type: dict
      returned: when it exists
      sample: {"Prefix": ""}
    NoncurrentVersionExpiration:
      description: When versions are removed.
      type: dict
      returned: when O(noncurrent_days) is given
      sample: {"NoncurrentDays": 30}
    Expiration:
      description: That the mark of a deletion goes with the last version.
      type: dict
      returned: when O(noncurrent_days) is given
      sample: {"ExpiredObjectDeleteMarker": true}
    AbortIncompleteMultipartUpload:
      description: When unfinished uploads are removed.
      type: dict
      returned: when O(upload_days) is given
      sample: {"DaysAfterInitiation": 7}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.lifecycle import (
    Lifecycle,
    ensure_absent,
    ensure_present,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run

FIELDS = ("bucket", "rule_id", "prefix", "noncurrent_days", "upload_days")


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "bucket": {"type": "str", "required": True},
            "rule_id": {"type": "str", "required": True},
            "prefix": {"type": "str", "default": ""},
            "noncurrent_days": {"type": "int"},
            "upload_days": {"type": "int"},
        },
        required_if=[("state", "present", ("noncurrent_days", "upload_days"), True)],
        supports_check_mode=True,
    )
    options = module.params
    wanted = Lifecycle(**{field: options[field] for field in FIELDS})
    ensure = ensure_present if options["state"] == "present" else ensure_absent
    try:
        for option in ("noncurrent_days", "upload_days"):
            if options[option] is not None and options[option] < 1:
                raise AwsError(f"{option}: got {options[option]}; accepted: days, 1 or more")
        result = ensure(common.make_client(module, "s3"), wanted, Run(check=module.check_mode))
    except AwsError as error:
        common.fail(module, error)
    common.finish(module, result, rule=result.after)


if __name__ == "__main__":
    main()
