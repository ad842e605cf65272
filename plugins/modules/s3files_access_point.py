# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that manages access points of an S3 file system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3files_access_point
version_added: 1.0.0
short_description: Manage access points of Amazon S3 Files
description:
  - Creates, tags and deletes an access point of a file system of Amazon S3 Files.
  - The service cannot change O(posix_user) and O(root_directory) of an existing access point.
    A difference in one of them fails the task and names the field, its current and its wanted value.
options:
  state:
    description:
      - Whether the access point should exist.
    type: str
    choices: [present, absent]
    default: present
  file_system_id:
    description:
      - ID of the file system. Required together with O(name).
    type: str
  name:
    description:
      - Name of the access point, kept in its tag C(Name), by which it is found again in its file system.
      - One of O(name) and O(access_point_id) is required.
    type: str
  access_point_id:
    description:
      - ID of an existing access point.
    type: str
  posix_user:
    description:
      - The user as whom everything is done that goes through the access point.
      - Left out, a new access point keeps the users of its clients, and that of an existing one is not compared.
    type: dict
    suboptions:
      uid:
        description: Number of the user.
        type: int
        required: true
      gid:
        description: Number of the group.
        type: int
        required: true
      secondary_gids:
        description: Numbers of further groups.
        type: list
        elements: int
  root_directory:
    description:
      - The directory that clients see as the root.
      - Left out, it is the root of the file system for a new access point and is not compared for an existing one.
    type: dict
    suboptions:
      path:
        description: The path, at most four directories deep.
        type: str
        default: /
      creation_permissions:
        description: Owner and mode with which the directory is made when it does not exist.
        type: dict
        suboptions:
          owner_uid:
            description: Number of the owner.
            type: int
            required: true
          owner_gid:
            description: Number of the owning group.
            type: int
            required: true
          permissions:
            description: The mode in octal, quoted, such as V("0775").
            type: str
            required: true
author:
  - llmfleet contributors (@llmfleet)
extends_documentation_fragment:
  - llmfleet.eks.s3files
  - llmfleet.eks.aws_wait
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
attributes:
  check_mode:
    description: Predicts the access point; the ID of one that is yet to be made is C(fsap-00000000000000000).
    support: full
  diff_mode:
    description: Shows the access point before and after.
    support: full
"""

EXAMPLES = r"""
- name: Give the weights a directory and an owner
  llmfleet.eks.s3files_access_point:
    region: eu-west-3
    file_system_id: fs-0123456789abcdef0
    name: example-weights
    posix_user:
      uid: 1001
      gid: 1001
    root_directory:
      path: /models
      creation_permissions:
        owner_uid: 1001
        owner_gid: 1001
        permissions: "0775"

- name: Remove it
  llmfleet.eks.s3files_access_point:
    region: eu-west-3
    file_system_id: fs-0123456789abcdef0
    name: example-weights
    state: absent
"""

RETURN = r"""
access_point:
  description: The access point, or in check mode what it would be. Empty when it is absent.
  returned: success
  type: dict
  contains:
    access_point_id:
      description: Its ID.
      type: str
      returned: when it exists
      sample: fsap-0123456789abcdef0
    access_point_arn:
      description: Its ARN.
      type: str
      returned: when it exists
      sample: arn:aws:s3files:eu-west-3:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcde
    file_system_id:
      description: The file system.
      type: str
      returned: when it exists
      sample: fs-0123456789abcdef0
    name:
      description: The value of its tag C(Name).
      type: str
      returned: when it exists
      sample: example-weights
    posix_user:
      description: The user as whom everything is done, with C(uid), C(gid) and C(secondary_gids).
      type: dict
      returned: when it has one
      sample: {"uid": 1001, "gid": 1001}
    root_directory:
      description: The directory that clients see as the root.
      type: dict
      returned: when it exists
      sample: {"path": "/models"}
    client_token:
      description: The token by which a repeated request to make it is recognised.
      type: str
      returned: when it exists
      sample: 0f1e2d3c
    owner_id:
      description: The account that owns it.
      type: str
      returned: when it exists
      sample: "123456789012"
    status:
      description: Its state, such as C(creating), C(available) or C(error).
      type: str
      returned: when it exists
      sample: available
    tags:
      description: Its tags.
      type: dict
      returned: when it exists
      sample: {"Name": "example-weights"}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.access_point import (
    AccessPoint,
    ensure_absent,
    ensure_present,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError

FIELDS = ("file_system_id", "name", "access_point_id", "posix_user", "root_directory", "tags", "purge_tags")
POSIX_USER = {
    "uid": {"type": "int", "required": True},
    "gid": {"type": "int", "required": True},
    "secondary_gids": {"type": "list", "elements": "int"},
}
CREATION_PERMISSIONS = {
    "owner_uid": {"type": "int", "required": True},
    "owner_gid": {"type": "int", "required": True},
    "permissions": {"type": "str", "required": True},
}
ROOT_DIRECTORY = {
    "path": {"type": "str", "default": "/"},
    "creation_permissions": {"type": "dict", "options": CREATION_PERMISSIONS},
}


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "file_system_id": {"type": "str"},
            "name": {"type": "str"},
            "access_point_id": {"type": "str"},
            "posix_user": {"type": "dict", "options": POSIX_USER},
            "root_directory": {"type": "dict", "options": ROOT_DIRECTORY},
            **common.TAG_ARGUMENTS,
            **common.WAIT_ARGUMENTS,
        },
        required_one_of=[("name", "access_point_id"), ("file_system_id", "access_point_id")],
        supports_check_mode=True,
    )
    options = module.params
    wanted = AccessPoint(**{field: options[field] for field in FIELDS})
    ensure = ensure_present if options["state"] == "present" else ensure_absent
    try:
        result = ensure(common.make_client(module, "s3files"), wanted, common.run_options(module))
    except AwsError as error:
        common.fail(module, error)
    common.finish(module, result, access_point=result.after)


if __name__ == "__main__":
    main()
