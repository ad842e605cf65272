# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of what is made for a cluster."""

from __future__ import annotations

from dataclasses import dataclass

FETCHER_ACCOUNT = "weights-fetcher"
CLIENT_ID_HEADER = "x-llm-client-id"
MODEL_HEADER = "X-Gateway-Model-Name"
# By which one listener of the gateway proves to the other that a request has been through it.
HOP_HEADER = "x-llm-hop-key"
# By which an endpoint picker tells the proxy which replica takes a request.
PICKED_HEADER = "x-gateway-destination-endpoint"
GATEWAY = "llm-gateway"
BODY_ROUTER = "body-router"
GATEWAY_CLASS = "llmfleet"
# Labels that Envoy Gateway gives to the proxies that it makes.
ENVOY_PODS = {"app.kubernetes.io/managed-by": "envoy-gateway", "app.kubernetes.io/component": "proxy"}
STORAGE_CLASS = "weights"
# Below a model's folder, beside its revisions.
ADAPTERS_FOLDER = "adapters"
# Beside the folders of the models, none of which can have this name: compiled code, by model.
CACHE_FOLDER = ".cache"
MODEL_PORT = 8000
GATEWAY_PORT = 8080
# The listeners of the gateway: clients ask the first, which asks the second, where the models' routes are.
CLIENTS_LISTENER = "http"
MODELS_LISTENER = "models"
MODELS_LISTENER_PORT = 8081
PICKER_PORT = 9002
PICKER_HEALTH_PORT = 9003
PICKER_METRICS_PORT = 9090
# On an object that is applied only when a Deployment of its namespace is ready: its name.
AFTER = "llmfleet.io/after"
UID = 1001
GID = 1001


@dataclass(frozen=True)
class Names:
    """Names that depend on the inventory. cluster: the EKS cluster's own name, account: 12 digits."""

    cluster: str
    region: str
    account: str
    bucket: str
    models_namespace: str
    gateway_namespace: str
    claim: str
    gateway_service: str
    api_keys_secret: str
    node_role: str

    @property
    def slug(self) -> str:
        """The cluster's name as names of Kubernetes objects and buckets take it."""
        return slug(self.cluster)

    @property
    def partition(self) -> str:
        """The partition of AWS that the region is in."""
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    @property
    def hop_secret(self) -> str:
        """The Secret of the key that one listener of the gateway shows to the other."""
        return f"{GATEWAY}-hop"

    @property
    def volume(self) -> str:
        """The persistent volume."""
        return f"{self.slug}-weights"

    @property
    def file_system(self) -> str:
        """The S3 Files file system and its access point."""
        return f"{self.cluster}-weights"

    @property
    def security_group(self) -> str:
        """The security group of the mount targets."""
        return f"{self.cluster}-weights-mount-targets"

    @property
    def file_system_role(self) -> str:
        """The role by which S3 Files reads and writes the bucket."""
        return f"{self.cluster}-weights-fs"

    @property
    def csi_node_role(self) -> str:
        """The role of the storage driver on nodes."""
        return f"{self.cluster}-efs-csi-node"

    @property
    def csi_controller_role(self) -> str:
        """The role of the storage driver's controller."""
        return f"{self.cluster}-efs-csi-controller"

    @property
    def fetcher_role(self) -> str:
        """The role of the weights fetcher."""
        return f"{self.cluster}-weights-fetcher"

    def role_arn(self, role: str) -> str:
        """ARN of a role of the account."""
        return f"arn:{self.partition}:iam::{self.account}:role/{role}"

    @property
    def bucket_arn(self) -> str:
        """ARN of the bucket."""
        return f"arn:{self.partition}:s3:::{self.bucket}"


def slug(cluster: str) -> str:
    """Return a cluster's name in lower case with dashes."""
    return cluster.lower().replace("_", "-").strip("-")


def default_bucket(region: str, account: str, cluster: str) -> str:
    """Return the name of the bucket when none is given."""
    return f"{region}-{account}-{slug(cluster)}-weights"
