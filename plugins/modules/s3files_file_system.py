# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module that manages S3 file systems."""

from __future__ import annotations

DOCUMENTATION = r"""
module: s3files_file_system
version_added: 1.0.0
short_description: Manage file systems of Amazon S3 Files
description:
  - Creates, tags and deletes a file system of Amazon S3 Files, and sets its resource policy and what it copies from
    the bucket.
  - The service cannot change O(bucket), O(prefix), O(kms_key_id) and O(role_arn) of an existing file system.
    A difference in one of them fails the task and names the field, its current and its wanted value.
options:
  state:
    description:
      - Whether the file system should exist.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - Name of the file system, kept in its tag C(Name), by which it is found again.
      - One of O(name) and O(file_system_id) is required.
    type: str
  file_system_id:
    description:
      - ID of an existing file system.
    type: str
  bucket:
    description:
      - ARN of the bucket, which must exist in the same region and have versioning enabled.
      - Required to create a file system.
    type: str
  prefix:
    description:
      - Prefix of the objects that the file system presents. It ends with a slash.
      - Left out, a new file system presents the whole bucket, and that of an existing one is not compared.
    type: str
  kms_key_id:
    description:
      - ID, ARN or alias of the KMS key that encrypts the file system. Left out, the service uses a key of its own.
      - An alias is not resolved when it is compared with the key of an existing file system.
    type: str
  role_arn:
    description:
      - ARN of the IAM role by which the service reads and writes the bucket.
      - Required to create a file system.
    type: str
  accept_bucket_warning:
    description:
      - Whether to create the file system in spite of warnings about the configuration of the bucket.
    type: bool
    default: false
  policy:
    description:
      - Resource policy of the file system. It is compared by meaning.
      - Statements without C(Resource) get the ARN of the file system.
      - Left out, the policy is not touched. V({}) removes it.
    type: json
  synchronization:
    description:
      - What the file system copies from the bucket when it is read, and how long it keeps that. What is not copied is
        read from the bucket each time.
      - It is written only over the version that was read; when somebody else changed it in between, it is read again.
      - Left out, it is not touched, not compared and not answered.
    type: dict
    suboptions:
      import_data_rules:
        description: Which objects are copied, by prefix. At most ten rules.
        type: list
        elements: dict
        required: true
        suboptions:
          prefix:
            description: Prefix of the objects, empty for all; otherwise it ends with a slash.
            type: str
            default: ""
          trigger:
            description: Whether the objects of a directory are copied when it is first listed, or each when it is read.
            type: str
            choices: [ON_DIRECTORY_FIRST_ACCESS, ON_FILE_ACCESS]
            default: ON_DIRECTORY_FIRST_ACCESS
          size_less_than:
            description: Only objects of fewer bytes are copied.
            type: int
            default: 131072
      days_after_last_access:
        description: Days without a reading after which a copy is dropped, 1 to 365.
        type: int
        required: true
  force:
    description:
      - Whether O(state=absent) also deletes the access points and mount targets of the file system, and waits until
        they are gone. Otherwise they fail the task.
    type: bool
    default: false
  discard_pending_exports:
    description:
      - Whether O(state=absent) also deletes a file system with writes that have not reached the bucket yet.
        These writes are lost.
      - Otherwise the task waits for them for up to three minutes.
    type: bool
    default: false
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
    description: Predicts the file system; the ID of one that is yet to be made is C(fs-00000000000000000).
    support: full
  diff_mode:
    description: Shows the file system before and after.
    support: full
"""

EXAMPLES = r"""
- name: Present the bucket of the weights as a file system
  llmfleet.eks.s3files_file_system:
    region: eu-west-3
    name: example-weights
    bucket: arn:aws:s3:::eu-west-3-123456789012-example-weights
    role_arn: arn:aws:iam::123456789012:role/example-weights-fs
    accept_bucket_warning: true
    tags:
      app.kubernetes.io/managed-by: llmfleet
      llmfleet.io/cluster: example
      llmfleet.io/layer: storage

- name: Let one role mount it
  llmfleet.eks.s3files_file_system:
    region: eu-west-3
    name: example-weights
    policy:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Principal:
            AWS: arn:aws:iam::123456789012:role/example-efs-csi-node
          Action: [s3files:ClientMount, s3files:ClientWrite]

- name: Keep small files for a week, and read the others from the bucket
  llmfleet.eks.s3files_file_system:
    region: eu-west-3
    name: example-weights
    synchronization:
      import_data_rules:
        - size_less_than: 131072
      days_after_last_access: 7

- name: Remove it with its access points and mount targets
  llmfleet.eks.s3files_file_system:
    region: eu-west-3
    name: example-weights
    state: absent
    force: true
"""

RETURN = r"""
file_system:
  description: The file system, or in check mode what it would be. Empty when it is absent.
  returned: success
  type: dict
  contains:
    file_system_id:
      description: Its ID.
      type: str
      returned: when it exists
      sample: fs-0123456789abcdef0
    file_system_arn:
      description: Its ARN.
      type: str
      returned: when it exists
      sample: arn:aws:s3files:eu-west-3:123456789012:file-system/fs-0123456789abcdef0
    name:
      description: The value of its tag C(Name).
      type: str
      returned: when it exists
      sample: example-weights
    bucket:
      description: ARN of its bucket.
      type: str
      returned: when it exists
      sample: arn:aws:s3:::eu-west-3-123456789012-example-weights
    prefix:
      description: Prefix of the objects that it presents.
      type: str
      returned: when it has one
      sample: shared/
    kms_key_id:
      description: ARN of the KMS key that encrypts it.
      type: str
      returned: when it has one
      sample: arn:aws:kms:eu-west-3:123456789012:key/01234567-89ab-cdef-0123-456789abcdef
    role_arn:
      description: ARN of the IAM role by which the service reaches the bucket.
      type: str
      returned: when it exists
      sample: arn:aws:iam::123456789012:role/example-weights-fs
    owner_id:
      description: The account that owns it.
      type: str
      returned: when it exists
      sample: "123456789012"
    status:
      description: Its state, such as C(creating), C(available), C(error) or C(misconfigured).
      type: str
      returned: when it exists
      sample: available
    status_message:
      description: What the service says about the state.
      type: str
      returned: when the service says something
      sample: "Access denied: the role cannot be assumed"
    creation_time:
      description: When it was created.
      type: str
      returned: when it exists
      sample: "2026-11-24T09:30:00+00:00"
    client_token:
      description: The token by which a repeated request to make it is recognised.
      type: str
      returned: when it exists
      sample: 0f1e2d3c
    policy:
      description: Its resource policy, empty when it has none.
      type: dict
      returned: when it exists
      sample: {}
    synchronization:
      description: What it copies from the bucket, with C(import_data_rules) and C(days_after_last_access).
      type: dict
      returned: when O(synchronization) is given
      sample: {"import_data_rules": [], "days_after_last_access": 30}
    tags:
      description: Its tags.
      type: dict
      returned: when it exists
      sample: {"Name": "example-weights"}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import module as common
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.file_system import FileSystem, ensure_present
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.file_system_removal import ensure_absent
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.policy import parse

IMPORT_RULE = {
    "prefix": {"type": "str", "default": ""},
    "trigger": {
        "choices": ["ON_DIRECTORY_FIRST_ACCESS", "ON_FILE_ACCESS"],
        "default": "ON_DIRECTORY_FIRST_ACCESS",
    },
    "size_less_than": {"type": "int", "default": 131072},
}
SYNCHRONIZATION = {
    "import_data_rules": {"type": "list", "elements": "dict", "required": True, "options": IMPORT_RULE},
    "days_after_last_access": {"type": "int", "required": True},
}
FIELDS = (
    "name",
    "file_system_id",
    "bucket",
    "prefix",
    "kms_key_id",
    "role_arn",
    "accept_bucket_warning",
    "synchronization",
    "tags",
    "purge_tags",
)


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "state": {"choices": ["present", "absent"], "default": "present"},
            "name": {"type": "str"},
            "file_system_id": {"type": "str"},
            "bucket": {"type": "str"},
            "prefix": {"type": "str"},
            "kms_key_id": {"type": "str", "no_log": False},
            "role_arn": {"type": "str"},
            "accept_bucket_warning": {"type": "bool", "default": False},
            "policy": {"type": "json"},
            "synchronization": {"type": "dict", "options": SYNCHRONIZATION},
            "force": {"type": "bool", "default": False},
            "discard_pending_exports": {"type": "bool", "default": False},
            **common.TAG_ARGUMENTS,
            **common.WAIT_ARGUMENTS,
        },
        required_one_of=[("name", "file_system_id")],
        supports_check_mode=True,
    )
    options = module.params
    try:
        policy = None if options["policy"] is None else parse(options["policy"])
        wanted = FileSystem(policy=policy, **{field: options[field] for field in FIELDS})
        client, run = common.make_client(module, "s3files"), common.run_options(module)
        if options["state"] == "present":
            result = ensure_present(client, wanted, run)
        else:
            discard = options["discard_pending_exports"]
            result = ensure_absent(client, wanted, run, force=options["force"], discard_exports=discard)
    except AwsError as error:
        common.fail(module, error)
    common.finish(module, result, file_system=result.after)


if __name__ == "__main__":
    main()
