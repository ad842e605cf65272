# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that manages EKS Pod Identity associations."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_pod_identity_association
version_added: 1.0.0
short_description: Manage EKS Pod Identity associations
description:
  - Gives the pods of a Kubernetes service account an IAM role, through EKS Pod Identity.
  - The role of an existing association is changed in place.
  - Neither the service account nor its namespace needs to exist.
options:
  state:
    description:
      - Whether the association should exist.
    type: str
    choices: [present, absent]
    default: present
  cluster:
    description:
      - Name of the EKS cluster.
    type: str
    required: true
    aliases: [cluster_name]
  namespace:
    description:
      - Namespace of the service account.
    type: str
    required: true
  service_account:
    description:
      - Name of the service account.
    type: str
    required: true
  role_arn:
    description:
      - ARN of the IAM role. Its trust policy allows C(pods.eks.amazonaws.com) to assume it and to tag sessions.
      - Required when O(state=present).
    type: str
requirements:
  - python >= 3.12
author:
  - llmfleet contributors (@llmfleet)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Predicts the association.
    support: full
  diff_mode:
    description: Shows the association before and after.
    support: full
"""

EXAMPLES = r"""
- name: Let the fetcher of the weights write the bucket
  llmfleet.eks.eks_pod_identity_association:
    region: eu-west-3
    cluster: example
    namespace: llm
    service_account: weights-fetcher
    role_arn: arn:aws:iam::123456789012:role/example-weights-fetcher

- name: Take the role away
  llmfleet.eks.eks_pod_identity_association:
    region: eu-west-3
    cluster: example
    namespace: llm
    service_account: weights-fetcher
    state: absent
"""

RETURN = r"""
association:
  description: The association, or in check mode what it would be. Empty when it is absent.
  returned: success
  type: dict
  contains:
    association_id:
      description: Its ID.
      type: str
      returned: when it exists
      sample: a-0123456789abcdef0
    association_arn:
      description: Its ARN.
      type: str
      returned: when it exists
      sample: arn:aws:eks:eu-west-3:123456789012:podidentityassociation/example/a-0123456789abcdef0
    cluster_name:
      description: The EKS cluster.
      type: str
      returned: when it exists
      sample: example
    namespace:
      description: The namespace.
      type: str
      returned: when it exists
      sample: llm
    service_account:
      description: The service account.
      type: str
      returned: when it exists
      sample: weights-fetcher
    role_arn:
      description: The IAM role.
      type: str
      returned: when it exists
      sample: arn:aws:iam::123456789012:role/example-weights-fetcher
    created_at:
      description: When it was created.
      type: str
      returned: when it exists
      sample: "2026-11-24T09:30:00+00:00"
    modified_at:
      description: When it was last changed.
      type: str
      returned: when it exists
      sample: "2026-11-24T09:30:00+00:00"
    disable_session_tags:
      description: Whether the credentials come without the tags that EKS adds to the session.
      type: bool
      returned: when it exists
      sample: false
    tags:
      description: Its tags.
      type: dict
      returned: when it exists
      sample: {"llmfleet.io/cluster": "example"}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.pod_identity import (
    Association,
    ensure_absent,
    ensure_present,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run

FIELDS = ("cluster", "namespace", "service_account", "role_arn", "tags", "purge_tags")


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "cluster": {"type": "str", "required": True, "aliases": ["cluster_name"]},
            "namespace": {"type": "str", "required": True},
            "service_account": {"type": "str", "required": True},
            "role_arn": {"type": "str"},
            **common.TAG_ARGUMENTS,
        },
        required_if=[("state", "present", ("role_arn",))],
        supports_check_mode=True,
    )
    options = module.params
    wanted = Association(**{field: options[field] for field in FIELDS})
    ensure = ensure_present if options["state"] == "present" else ensure_absent
    try:
        result = ensure(common.make_client(module, "eks"), wanted, Run(check=module.check_mode))
    except AwsError as error:
        common.fail(module, error)
    common.finish(module, result, association=result.after)


if __name__ == "__main__":
    main()
