# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The volume of the weights: storage class, persistent volume and claim."""

from __future__ import annotations

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import STORAGE_CLASS

DRIVER = "efs.csi.aws.com"


def volume_handle(build: Builder) -> str:
    """The handle by which the driver finds file system and access point."""
    name = build.fleet.names.file_system
    return f"s3files:{build.id_of('file_system', name)}::{build.id_of('access_point', name)}"


def add_volume(build: Builder) -> None:
    """Add the class (which provisions nothing), the volume and its claim, bound to each other by name."""
    names = build.fleet.names
    capacity = build.fleet.platform["storage_capacity"]
    build.add(
        "storage",
        "efs_csi_driver",
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": STORAGE_CLASS},
            "provisioner": DRIVER,
            "reclaimPolicy": "Retain",
            "volumeBindingMode": "Immediate",
        },
    )
    build.add(
        "storage",
        "efs_csi_driver",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": names.volume},
            "spec": {
                "capacity": {"storage": capacity},
                "accessModes": ["ReadWriteMany"],
                "volumeMode": "Filesystem",
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": STORAGE_CLASS,
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "namespace": names.models_namespace,
                    "name": names.claim,
                },
                "csi": {"driver": DRIVER, "volumeHandle": volume_handle(build)},
            },
        },
    )
    build.add(
        "storage",
        "efs_csi_driver",
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": names.claim, "namespace": names.models_namespace},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "volumeMode": "Filesystem",
                "storageClassName": STORAGE_CLASS,
                "volumeName": names.volume,
                "resources": {"requests": {"storage": capacity}},
            },
        },
    )
