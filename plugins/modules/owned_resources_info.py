# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.owned_resources_info; the action plugin of this name does the work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: owned_resources_info
version_added: 1.0.0
short_description: List what the platform of a cluster owns in AWS
description:
  - Reads from ownership tags which S3 Files file systems, mount targets, access points, EKS add-ons, pod identity
    associations, security groups and IAM roles belong to the platform of one cluster.
  - A list that cannot be read is an error, as it would read as "nothing left" otherwise.
options: {}
extends_documentation_fragment:
  - llmfleet.eks.cluster
  - llmfleet.eks.reads
"""

EXAMPLES = r"""
- name: List what is left of a platform
  llmfleet.eks.owned_resources_info:
  register: left
"""

RETURN = r"""
resources:
  description: What is owned, in the order of removal.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      type: str
      returned: always
      sample: access_point
    identifier:
      description: What its API calls it by.
      type: str
      returned: always
      sample: fsap-0123456789abcdef0
    name:
      description: Its name.
      type: str
      returned: always
      sample: example-weights
    status:
      description: Its state, empty where it has none.
      type: str
      returned: always
      sample: available
    parent:
      description: The file system it belongs to, if any.
      type: str
      returned: always
      sample: fs-0123456789abcdef0
    layer:
      description: The layer in its tags.
      type: str
      returned: always
      sample: storage
kept:
  description: Buckets of the platform. They are not among C(resources), because no teardown removes them.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The bucket's name.
      type: str
      returned: always
      sample: eu-west-3-123456789012-example-weights
    unreadable:
      description: Why it cannot be told whose the bucket is, empty for one of the platform.
      type: str
      returned: always
      sample: ""
"""
