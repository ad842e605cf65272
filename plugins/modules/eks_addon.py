# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that manages EKS add-ons."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_addon
version_added: 1.0.0
short_description: Manage EKS add-ons
description:
  - Installs an add-on of EKS in a cluster, at a version and with a configuration, and waits until it is ACTIVE.
  - A change that failed is asked for again. An add-on that is DEGRADED, or that failed, ends the module with what EKS
    says about its health.
  - When O(tags) name an owner, by C(app.kubernetes.io/managed-by) and C(llmfleet.io/cluster), an existing add-on that
    does not carry these is refused. When its version and configuration are as wanted, it is left as it is.
  - Pod identity associations of an add-on are not touched; M(llmfleet.eks.eks_pod_identity_association) makes them.
options:
  state:
    description:
      - Whether the add-on should exist. When it is deleted, what it installed goes with it.
    type: str
    choices: [present, absent]
    default: present
  cluster_name:
    description:
      - Name of the EKS cluster.
    type: str
    required: true
    aliases: [cluster]
  name:
    description:
      - Name of the add-on.
    type: str
    required: true
  version:
    description:
      - Its version, as EKS names it.
      - When left out, a new add-on gets the default of EKS, and an existing one keeps its version.
    type: str
  configuration_values:
    description:
      - Its configuration. An empty map means the add-on's own.
      - When left out, the configuration of an existing add-on is kept.
    type: dict
  drop_unknown_values:
    description:
      - Whether values that the schema of this version does not have are left out, with a warning. EKS refuses them.
      - Needs O(version).
    type: bool
    default: false
  resolve_conflicts:
    description:
      - What becomes of fields in the cluster that somebody else has set.
    type: str
    choices: [OVERWRITE, NONE, PRESERVE]
    default: OVERWRITE
requirements:
  - python >= 3.12
author:
  - llmfleet contributors (@llmfleet)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - llmfleet.eks.aws_wait
attributes:
  check_mode:
    description: Predicts the add-on, and does not wait.
    support: full
  diff_mode:
    description: Shows the add-on before and after.
    support: full
"""

EXAMPLES = r"""
- name: Install the storage driver
  llmfleet.eks.eks_addon:
    region: eu-west-3
    cluster_name: example
    name: aws-efs-csi-driver
    version: v3.4.1-eksbuild.1
    configuration_values:
      controller:
        resources:
          limits:
            memory: 512Mi

- name: Take it away, with everything that it installed
  llmfleet.eks.eks_addon:
    region: eu-west-3
    cluster_name: example
    name: aws-efs-csi-driver
    state: absent
"""

RETURN = r"""
addon:
  description: The add-on, or in check mode what it would be. Empty when it is absent.
  returned: success
  type: dict
  contains:
    addon_name:
      description: Its name.
      type: str
      returned: when it exists
      sample: aws-efs-csi-driver
    addon_arn:
      description: Its ARN.
      type: str
      returned: when it exists
      sample: arn:aws:eks:eu-west-3:123456789012:addon/example/aws-efs-csi-driver/a0c5d3f2-0123-4567-89ab-0123456789ab
    cluster_name:
      description: The EKS cluster.
      type: str
      returned: when it exists
      sample: example
    addon_version:
      description: Its version.
      type: str
      returned: when it exists
      sample: v3.4.1-eksbuild.1
    status:
      description: Its state.
      type: str
      returned: when it exists
      sample: ACTIVE
    configuration_values:
      description: Its configuration, as the text that EKS keeps.
      type: str
      returned: when it has one
      sample: '{"controller":{"resources":{"limits":{"memory":"512Mi"}}}}'
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
    health:
      description: What EKS says is wrong, below C(issues).
      type: dict
      returned: when it exists
      sample: {"issues": []}
    owner:
      description: Who owns the add-on.
      type: str
      returned: when it exists
      sample: aws
    publisher:
      description: Who publishes it.
      type: str
      returned: when it exists
      sample: eks
    service_account_role_arn:
      description: The IAM role of its service account.
      type: str
      returned: when it has one
      sample: arn:aws:iam::123456789012:role/example-efs-csi-controller
    tags:
      description: Its tags.
      type: dict
      returned: when it exists
      sample: {"llmfleet.io/cluster": "example"}
dropped_values:
  description: Paths of the values that were left out.
  returned: success
  type: list
  elements: str
  sample: [node.resources]
"""

from ansible.module_utils.common.warnings import warn
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.addon import (
    Addon,
    ensure_absent,
    ensure_present,
    fitted,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError

FIELDS = (
    "cluster_name",
    "name",
    "version",
    "configuration_values",
    "drop_unknown_values",
    "resolve_conflicts",
    "tags",
    "purge_tags",
)


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "cluster_name": {"type": "str", "required": True, "aliases": ["cluster"]},
            "name": {"type": "str", "required": True},
            "version": {"type": "str"},
            "configuration_values": {"type": "dict"},
            "drop_unknown_values": {"type": "bool", "default": False},
            "resolve_conflicts": {"choices": ["OVERWRITE", "NONE", "PRESERVE"], "default": "OVERWRITE"},
            **common.TAG_ARGUMENTS,
            **common.WAIT_ARGUMENTS,
        },
        required_if=[("drop_unknown_values", True, ("version",))],
        supports_check_mode=True,
    )
    options = module.params
    wanted = Addon(**{field: options[field] for field in FIELDS})
    dropped: list[str] = []
    try:
        client = common.make_client(module, "eks")
        if options["state"] == "present":
            wanted, dropped = fitted(client, wanted)
            result = ensure_present(client, wanted, common.run_options(module))
        else:
            result = ensure_absent(client, wanted, common.run_options(module))
    except AwsError as error:
        common.fail(module, error)
    if dropped:
        warn(f"{wanted.label} {wanted.version} does not take {', '.join(dropped)}: left out")
    common.finish(module, result, addon=result.after, dropped_values=dropped)


if __name__ == "__main__":
    main()
