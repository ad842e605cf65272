# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that reads who we are to AWS and where an EKS cluster is."""

from __future__ import annotations

DOCUMENTATION = r"""
module: eks_cluster_access_info
version_added: 1.0.0
short_description: Read the AWS identity in use and the access data of an EKS cluster
description:
  - Answers the account and identity of the credentials in use, and of an EKS cluster its state, API server and network.
  - No token is returned.
  - Fails when the credentials are missing, invalid or expired, or when there is no such cluster, and says which.
options:
  cluster:
    description:
      - Name of the EKS cluster.
    type: str
    required: true
    aliases: [cluster_name]
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
    description: Changes nothing.
    support: full
"""

EXAMPLES = r"""
- name: Read where the cluster is
  llmfleet.eks.eks_cluster_access_info:
    region: eu-west-3
    cluster: example
  register: found
"""

RETURN = r"""
identity:
  description: The identity in use.
  returned: success
  type: dict
  contains:
    account:
      description: The account.
      type: str
      returned: always
      sample: "123456789012"
    arn:
      description: ARN of the user or of the assumed role.
      type: str
      returned: always
      sample: arn:aws:sts::123456789012:assumed-role/operator/session
    partition:
      description: The partition of AWS.
      type: str
      returned: always
      sample: aws
cluster:
  description: The cluster.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: example
    arn:
      description: Its ARN.
      type: str
      returned: always
      sample: arn:aws:eks:eu-west-3:123456789012:cluster/example
    status:
      description: Its state, such as C(ACTIVE).
      type: str
      returned: always
      sample: ACTIVE
    version:
      description: Its Kubernetes version.
      type: str
      returned: always
      sample: "1.36"
    endpoint:
      description: URL of its API server, empty while it is being created.
      type: str
      returned: always
      sample: https://0123456789ABCDEF.gr7.eu-west-3.eks.amazonaws.com
    ca_data:
      description: The certificate of its authority as base64, as in a kubeconfig.
      type: str
      returned: always
      sample: LS0tLS1CRUdJTi…
    vpc_id:
      description: Its VPC.
      type: str
      returned: always
      sample: vpc-0123456789abcdef0
    subnet_ids:
      description: The subnets of its control plane.
      type: list
      elements: str
      returned: always
      sample: [subnet-0123456789abcdef0]
    security_group_ids:
      description: Further security groups of its control plane.
      type: list
      elements: str
      returned: always
      sample: []
    cluster_security_group_id:
      description: The security group that EKS made for the cluster, empty when there is none.
      type: str
      returned: always
      sample: sg-0123456789abcdef0
"""

from dataclasses import asdict

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.eks_token import describe_cluster
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.identity import caller


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"cluster": {"type": "str", "required": True, "aliases": ["cluster_name"]}},
        supports_check_mode=True,
    )
    try:
        identity = caller(common.make_client(module, "sts"))
        cluster = describe_cluster(common.make_client(module, "eks"), module.params["cluster"])
    except AwsError as error:
        common.fail(module, error)
    lists = {
        "subnet_ids": list(cluster.subnet_ids),
        "security_group_ids": list(cluster.security_group_ids),
    }
    module.exit_json(changed=False, identity=asdict(identity), cluster={**asdict(cluster), **lists})


if __name__ == "__main__":
    main()
