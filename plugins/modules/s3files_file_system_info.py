# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that reads S3 file systems."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3files_file_system_info
version_added: 1.0.0
short_description: Read file systems of Amazon S3 Files
description:
  - Answers the file systems of a region with tags and resource policy.
options:
  file_system_id:
    description:
      - Only the file system with this ID.
    type: str
  name:
    description:
      - Only file systems with this name.
    type: str
  bucket:
    description:
      - Only file systems of the bucket with this ARN.
    type: str
  tags:
    description:
      - Only file systems that have all these tags.
    type: dict
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
- name: Read the file systems of a cluster
  llmfleet.eks.s3files_file_system_info:
    region: eu-west-3
    tags:
      llmfleet.io/cluster: example
  register: found
"""

RETURN = r"""
file_systems:
  description: The file systems, each as M(llmfleet.eks.s3files_file_system) returns it.
  returned: success
  type: list
  elements: dict
  sample:
    - file_system_id: fs-0123456789abcdef0
      name: example-weights
      bucket: arn:aws:s3:::eu-west-3-123456789012-example-weights
      status: available
      tags:
        Name: example-weights
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import file_system, s3files
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.tags import normalise


def matching(client: Any, options: dict[str, Any]) -> list[dict[str, Any]]:
    """The file systems that pass every given option, in order of their ids."""
    if options["file_system_id"]:
        ids = [options["file_system_id"]]
    else:
        listed = s3files.list_file_systems(client, options["bucket"])
        ids = sorted(item["fileSystemId"] for item in listed if options["name"] in (None, item.get("name")))
    found = [item for item in (file_system.read(client, one) for one in ids) if item]
    tags = normalise(options["tags"] or {})
    return [
        item
        for item in found
        if options["name"] in (None, item.get("name"))
        and options["bucket"] in (None, item["bucket"])
        and tags.items() <= item["tags"].items()
    ]


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "file_system_id": {"type": "str"},
            "name": {"type": "str"},
            "bucket": {"type": "str"},
            "tags": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    try:
        found = matching(common.make_client(module, "s3files"), module.params)
    except AwsError as error:
        common.fail(module, error)
    module.exit_json(changed=False, file_systems=found)


if __name__ == "__main__":
    main()
