# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.delete_unused_weights; the work is done by the plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: delete_unused_weights
version_added: 1.0.0
short_description: Tell which revisions in the bucket nothing needs, and delete them
description:
  - Finds the revisions of models and adapters in the bucket of weights that the described fleet does not need and that
    nothing in the models' namespace uses or may go back to, and tells their sizes and what they cost a month.
  - Deletes them when the cluster's name was given; without it, nothing is changed.
  - Deletes only what a fetch has written, which the ledger or the object's metadata tells. Folders of compiled code and
    everything that is not laid out as the fetcher does it are not touched.
  - Runs on the controller with the credentials of C(llmfleet_aws), because the role of the fetcher may write to the
    revisions of the description only. They need C(s3:GetBucketTagging), C(s3:GetBucketVersioning),
    C(s3:GetLifecycleConfiguration), C(s3:ListBucket), C(s3:ListBucketMultipartUploads), C(s3:GetObject), and to
    delete C(s3:DeleteObject) and C(s3:AbortMultipartUpload).
  - With C(llmfleet_only), looks at the folders of these models only.
options:
  confirm:
    description:
      - The name of the cluster, to delete what is told. Any other name is refused.
    type: str
    default: ""
  price:
    description:
      - USD for a GB and month, in place of the list price of S3 Standard.
    type: float
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: Tells what would be deleted.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Tell what nothing needs
  llmfleet.eks.delete_unused_weights:

- name: Delete what nothing needs
  llmfleet.eks.delete_unused_weights:
    confirm: my-cluster
"""

RETURN = r"""
unused:
  description: The revisions that nothing needs.
  returned: success
  type: list
  elements: dict
  contains:
    prefix:
      description: Where it is in the bucket.
      type: str
    objects:
      description: How many objects of it a fetch has written.
      type: int
    unfinished_uploads:
      description: How many uploads of it were cut off.
      type: int
    bytes:
      description: Size of the objects.
      type: int
    usd_a_month:
      description: What they cost a month; null where no price is known.
      type: float
deleted:
  description: Whether they were deleted.
  returned: success
  type: bool
price:
  description: The price that was used, with its source and date; null where none is known.
  returned: success
  type: str
"""
