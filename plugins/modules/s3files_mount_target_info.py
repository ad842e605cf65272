# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that reads the mount targets of an S3 file system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3files_mount_target_info
version_added: 1.0.0
short_description: Read mount targets of Amazon S3 Files
description:
  - Answers the mount targets of a file system with their security groups.
options:
  file_system_id:
    description:
      - ID of the file system. One that does not exist has no mount targets.
    type: str
    required: true
author:
  - llmfleet contributors (@llmfleet)
extends_documentation_fragment:
  - llmfleet.eks.s3files
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    description: Changes nothing.
    support: full
"""

EXAMPLES = r"""
- name: Read the mount targets of a file system
  llmfleet.eks.s3files_mount_target_info:
    region: eu-west-3
    file_system_id: fs-0123456789abcdef0
  register: found
"""

RETURN = r"""
mount_targets:
  description: The mount targets in order of their subnets, each as M(llmfleet.eks.s3files_mount_target) returns it.
  returned: success
  type: list
  elements: dict
  sample:
    - mount_target_id: fsmt-0123456789abcdef0
      file_system_id: fs-0123456789abcdef0
      subnet_id: subnet-0123456789abcdef0
      security_groups: [sg-0123456789abcdef0]
      status: available
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.mount_target import read_all


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"file_system_id": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    try:
        found = read_all(common.make_client(module, "s3files"), module.params["file_system_id"]) or {}
    except AwsError as error:
        common.fail(module, error)
    module.exit_json(changed=False, mount_targets=[found[subnet] for subnet in sorted(found)])


if __name__ == "__main__":
    main()
