# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that reads the access points of an S3 file system."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3files_access_point_info
version_added: 1.0.0
short_description: Read access points of Amazon S3 Files
description:
  - Answers the access points of a file system with their tags.
options:
  file_system_id:
    description:
      - ID of the file system. One that does not exist has no access points.
    type: str
    required: true
  name:
    description:
      - Only access points with this name.
    type: str
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
- name: Read the access points of a file system
  llmfleet.eks.s3files_access_point_info:
    region: eu-west-3
    file_system_id: fs-0123456789abcdef0
  register: found
"""

RETURN = r"""
access_points:
  description: The access points, each as M(llmfleet.eks.s3files_access_point) returns it.
  returned: success
  type: list
  elements: dict
  sample:
    - access_point_id: fsap-0123456789abcdef0
      file_system_id: fs-0123456789abcdef0
      name: example-weights
      status: available
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import access_point, s3files
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError


def matching(client: Any, file_system_id: str, name: str | None) -> list[dict[str, Any]]:
    """The access points of a file system (with this name, where one is given), in order of their ids."""
    listed = s3files.list_access_points(client, file_system_id) or []
    ids = sorted(item["accessPointId"] for item in listed if name in (None, item.get("name")))
    return [item for item in (access_point.read(client, one) for one in ids) if item]


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"file_system_id": {"type": "str", "required": True}, "name": {"type": "str"}},
        supports_check_mode=True,
    )
    options = module.params
    try:
        found = matching(common.make_client(module, "s3files"), options["file_system_id"], options["name"])
    except AwsError as error:
        common.fail(module, error)
    module.exit_json(changed=False, access_points=found)


if __name__ == "__main__":
    main()
