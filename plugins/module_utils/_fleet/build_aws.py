# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS resources: the bucket, the file system over it, the roles of who touches them, and the driver as an add-on.

Properties are the parameters of the modules that make them (amazon.aws and ours).
"""

from __future__ import annotations

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import aws_policies as policies
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_charts import (
    CSI_CONTROLLER_ACCOUNT,
    CSI_NODE_ACCOUNT,
    CSI_RESOURCES,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_nodes import node_security_group, subnet_ids
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import FETCHER_ACCOUNT, GID, UID
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

NFS = 2049
CSI_ADDON = "aws-efs-csi-driver"
LIFECYCLE_RULE = "llmfleet"
# The fetcher takes up what it began long before.
UPLOAD_DAYS = 7
# The service's own: configurations and tokenizers are copied when their folder is listed, weights are read from the
# bucket. Stated, so that a change by hand is taken back.
SYNCHRONIZATION = {
    "import_data_rules": [{"prefix": "", "trigger": "ON_DIRECTORY_FIRST_ACCESS", "size_less_than": 131072}],
    "days_after_last_access": 30,
}


def add_aws(build: Builder) -> None:
    """Add everything in the order in which it can be made."""
    _add_bucket(build)
    _add_roles(build)
    _add_security_group(build)
    _add_file_system(build)
    _add_associations(build)
    if build.fleet.platform["efs_csi_driver"] == "addon":
        _add_addon(build)


def _add_bucket(build: Builder) -> None:
    names = build.fleet.names
    build.add_aws(
        "storage",
        "s3_files",
        "s3_bucket",
        names.bucket,
        {
            "name": names.bucket,
            "region": names.region,
            # S3 Files asks for it, and it keeps what somebody deletes by mistake.
            "versioning": True,
            "encryption": "AES256",
            "object_ownership": "BucketOwnerEnforced",
            "public_access": {
                "block_public_acls": True,
                "block_public_policy": True,
                "ignore_public_acls": True,
                "restrict_public_buckets": True,
            },
        },
    )
    build.add_aws(
        "storage",
        "s3_files",
        "s3_bucket_lifecycle",
        names.bucket,
        {
            "bucket": names.bucket,
            "rule_id": LIFECYCLE_RULE,
            "noncurrent_days": build.fleet.platform["bucket_noncurrent_days"],
            "upload_days": UPLOAD_DAYS,
        },
        tags=False,
    )


def _add_roles(build: Builder) -> None:
    names = build.fleet.names
    arn = f"arn:{names.partition}:iam::aws:policy"
    pods = policies.trust_pod_identity(names)
    client = f"{arn}/AmazonS3FilesClientFullAccess"
    drivers = [f"{arn}/service-role/AmazonEFSCSIDriverPolicy", f"{arn}/service-role/AmazonS3FilesCSIDriverPolicy"]
    rows = [
        (
            names.file_system_role,
            "S3 Files reads and writes the bucket of weights",
            policies.trust_file_system(names),
            [],
            {"bucket-access": policies.bucket_access(names), "bucket-events": policies.bucket_events(names)},
        ),
        (
            names.csi_node_role,
            "The storage driver mounts the weights",
            pods,
            [client, f"{arn}/AmazonElasticFileSystemsUtils"],
            {"direct-reads": policies.direct_reads(names)},
        ),
        (names.csi_controller_role, "Controller of the storage driver", pods, [*drivers, client], {}),
        (
            names.fetcher_role,
            "The fetcher writes weights to the bucket",
            pods,
            [],
            {"weights": policies.fetcher_access(build.fleet)},
        ),
    ]
    boundary = build.fleet.platform["permissions_boundary"]
    for name, description, trust, managed, inline in rows:
        build.add_aws(
            "storage",
            "s3_files",
            "iam_role",
            name,
            {
                "name": name,
                "description": description,
                "assume_role_policy_document": trust,
                "managed_policies": managed,
                "purge_policies": True,
                "create_instance_profile": False,
                "delete_instance_profile": False,
                **({"boundary": boundary} if boundary else {}),
            },
        )
        for policy, document in inline.items():
            properties = {"iam_type": "role", "iam_name": name, "policy_name": policy, "policy_json": document}
            build.add_aws("storage", "s3_files", "iam_policy", f"{name}-{policy}", properties, tags=False)


def _add_security_group(build: Builder) -> None:
    names = build.fleet.names
    build.add_aws(
        "storage",
        "s3_files",
        "ec2_security_group",
        names.security_group,
        {
            "name": names.security_group,
            "description": "NFS from the nodes to the mount targets of the weights",
            "vpc_id": build.fleet.cluster["vpc"] or build.id_of("vpc", names.cluster),
            "rules": [
                {
                    "proto": "tcp",
                    "from_port": NFS,
                    "to_port": NFS,
                    "group_id": node_security_group(build),
                    "rule_desc": "NFS from the nodes",
                }
            ],
            "rules_egress": [],
        },
    )


def _add_file_system(build: Builder) -> None:
    names = build.fleet.names
    file_system = build.id_of("file_system", names.file_system)
    build.add_aws(
        "storage",
        "s3_files",
        "s3files_file_system",
        names.file_system,
        {
            "name": names.file_system,
            "bucket": names.bucket_arn,
            "role_arn": names.role_arn(names.file_system_role),
            "accept_bucket_warning": True,
            "policy": policies.mounts(names),
            "synchronization": SYNCHRONIZATION,
        },
    )
    build.add_aws(
        "storage",
        "s3_files",
        "s3files_mount_target",
        names.file_system,
        {
            "file_system_id": file_system,
            "subnet_ids": subnet_ids(build),
            "security_groups": [build.id_of("security_group", names.security_group)],
        },
        tags=False,
    )
    build.add_aws(
        "storage",
        "s3_files",
        "s3files_access_point",
        names.file_system,
        {
            "name": names.file_system,
            "file_system_id": file_system,
            "posix_user": {"uid": UID, "gid": GID},
            # Below the root of the file system, which belongs to root: nobody else could make a folder there.
            "root_directory": {
                "path": "/models",
                "creation_permissions": {"owner_uid": UID, "owner_gid": GID, "permissions": "0775"},
            },
        },
    )


def _add_associations(build: Builder) -> None:
    names = build.fleet.names
    for namespace, account, role in (
        ("kube-system", CSI_CONTROLLER_ACCOUNT, names.csi_controller_role),
        ("kube-system", CSI_NODE_ACCOUNT, names.csi_node_role),
        (names.models_namespace, FETCHER_ACCOUNT, names.fetcher_role),
    ):
        build.add_aws(
            "models" if account == FETCHER_ACCOUNT else "storage",
            "pod_identity",
            "eks_pod_identity_association",
            f"{namespace}-{account}",
            {
                "cluster": names.cluster,
                "namespace": namespace,
                "service_account": account,
                "role_arn": names.role_arn(role),
            },
        )


def _add_addon(build: Builder) -> None:
    """Add the storage driver as an EKS add-on. Its service accounts get their roles by the associations above."""
    build.add_aws(
        "storage",
        "efs_csi_driver",
        "eks_addon",
        CSI_ADDON,
        {
            "cluster_name": build.fleet.names.cluster,
            "name": CSI_ADDON,
            "version": versions().addons[CSI_ADDON],
            "configuration_values": {part: {"resources": found} for part, found in CSI_RESOURCES.items()},
            # Not every version lets the resources of the nodes' part be set.
            "drop_unknown_values": True,
        },
    )
