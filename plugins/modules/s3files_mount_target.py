# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that manages mount targets of an S3 file system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3files_mount_target
version_added: 1.0.0
short_description: Manage mount targets of Amazon S3 Files
description:
  - Creates and deletes mount targets of a file system, one in each given subnet, and sets their security groups.
  - All mount targets are made first and then waited for together, because each takes minutes.
options:
  state:
    description:
      - Whether the mount targets should exist.
    type: str
    choices: [present, absent]
    default: present
  file_system_id:
    description:
      - ID of the file system.
    type: str
    required: true
  subnet_ids:
    description:
      - The subnets. A file system has at most one mount target in an availability zone.
    type: list
    elements: str
    required: true
    aliases: [subnet_id]
  security_groups:
    description:
      - IDs of the security groups, which are changed in place.
      - Left out, new mount targets get the default group of the VPC and those of existing ones are not touched.
    type: list
    elements: str
  ip_address_type:
    description:
      - Kind of addresses, which cannot be changed later. Left out, new mount targets get V(IPV4_ONLY).
    type: str
    choices: [IPV4_ONLY, IPV6_ONLY, DUAL_STACK]
  purge:
    description:
      - Whether O(state=present) deletes mount targets of the file system in other subnets.
    type: bool
    default: false
author:
  - llmfleet contributors (@llmfleet)
extends_documentation_fragment:
  - llmfleet.eks.s3files
  - llmfleet.eks.aws_wait
  - amazon.aws.common.modules
  - amazon.aws.region.modules
attributes:
  check_mode:
    description: Predicts the mount targets; those that are yet to be made have no ID.
    support: full
  diff_mode:
    description: Shows the mount targets before and after.
    support: full
"""

EXAMPLES = r"""
- name: Make the file system reachable from every zone
  llmfleet.eks.s3files_mount_target:
    region: eu-west-3
    file_system_id: fs-0123456789abcdef0
    subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    security_groups: [sg-0123456789abcdef0]

- name: Remove it from one zone
  llmfleet.eks.s3files_mount_target:
    region: eu-west-3
    file_system_id: fs-0123456789abcdef0
    subnet_ids: [subnet-0123456789abcdef1]
    state: absent
"""

RETURN = r"""
mount_targets:
  description: All mount targets of the file system in order of their subnets, or in check mode what they would be.
  returned: success
  type: list
  elements: dict
  contains:
    mount_target_id:
      description: Its ID.
      type: str
      returned: when it exists
      sample: fsmt-0123456789abcdef0
    file_system_id:
      description: The file system.
      type: str
      returned: always
      sample: fs-0123456789abcdef0
    subnet_id:
      description: The subnet.
      type: str
      returned: always
      sample: subnet-0123456789abcdef0
    owner_id:
      description: The account that owns it.
      type: str
      returned: when it exists
      sample: "123456789012"
    vpc_id:
      description: The VPC.
      type: str
      returned: when it exists
      sample: vpc-0123456789abcdef0
    availability_zone_id:
      description: The availability zone.
      type: str
      returned: when it exists
      sample: euw3-az1
    network_interface_id:
      description: Its network interface.
      type: str
      returned: when it exists
      sample: eni-0123456789abcdef0
    ipv4_address:
      description: Its IPv4 address.
      type: str
      returned: when it has one
      sample: 10.0.1.17
    ipv6_address:
      description: Its IPv6 address.
      type: str
      returned: when it has one
      sample: "2001:db8::17"
    security_groups:
      description: IDs of its security groups, sorted.
      type: list
      elements: str
      returned: always
      sample: [sg-0123456789abcdef0]
    status:
      description: Its state, such as C(creating), C(available) or C(error).
      type: str
      returned: always
      sample: available
    status_message:
      description: What the service says about the state.
      type: str
      returned: when the service says something
      sample: no free address in the subnet
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.mount_target import (
    MountTargets,
    ensure_absent,
    ensure_present,
)


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "file_system_id": {"type": "str", "required": True},
            "subnet_ids": {"type": "list", "elements": "str", "required": True, "aliases": ["subnet_id"]},
            "security_groups": {"type": "list", "elements": "str"},
            "ip_address_type": {"type": "str", "choices": ["IPV4_ONLY", "IPV6_ONLY", "DUAL_STACK"]},
            "purge": {"type": "bool", "default": False},
            **common.WAIT_ARGUMENTS,
        },
        supports_check_mode=True,
    )
    options = module.params
    groups = options["security_groups"]
    wanted = MountTargets(
        file_system_id=options["file_system_id"],
        subnet_ids=tuple(dict.fromkeys(options["subnet_ids"])),
        security_groups=None if groups is None else tuple(dict.fromkeys(groups)),
        ip_address_type=options["ip_address_type"],
        purge=options["purge"],
    )
    ensure = ensure_present if options["state"] == "present" else ensure_absent
    try:
        result = ensure(common.make_client(module, "s3files"), wanted, common.run_options(module))
    except AwsError as error:
        common.fail(module, error)
    common.finish(module, result, mount_targets=result.after["mount_targets"])


if __name__ == "__main__":
    main()
