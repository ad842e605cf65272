# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every address, port and name of the lab, in one place. All are on loopback or on the lab's own bridge."""

from __future__ import annotations

LINK = "labnode0"
NODE_NAME = "lab-node"
NODE_IP = "10.245.0.1"
POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
FIRST_SERVICE_IP = "10.96.0.1"
DNS_IP = "10.96.0.10"
# The address of the EKS pod identity agent on every node.
POD_IDENTITY_IP = "169.254.170.23"

ETCD_CLIENT_PORT = 12379
ETCD_PEER_PORT = 12380
API_SERVER_PORT = 6443
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
KUBELET_PORT = 10250
KUBELET_HEALTH_PORT = 10248
KUBE_PROXY_METRICS_PORT = 10249
KUBE_PROXY_HEALTH_PORT = 10256
AWS_PORT = 4566
AWS_WEBHOOK_PORT = 4567
HUB_PORT = 4580
S3_PORT = 17070

API_SERVER = f"https://{NODE_IP}:{API_SERVER_PORT}"
AWS_ENDPOINT = f"http://{NODE_IP}:{AWS_PORT}"
HUB_ENDPOINT = f"http://{NODE_IP}:{HUB_PORT}"
S3_ENDPOINT = f"http://127.0.0.1:{S3_PORT}"

# What the emulated cloud says of itself; inventories/lab names the same.
CLUSTER = "lab"
REGION = "eu-west-3"
ACCOUNT = "123456789012"

LOOPBACK_PORTS = {
    "etcd": ETCD_CLIENT_PORT,
    "etcd peers": ETCD_PEER_PORT,
    "controller-manager": CONTROLLER_MANAGER_PORT,
    "scheduler": SCHEDULER_PORT,
    "kubelet health": KUBELET_HEALTH_PORT,
    "kube-proxy metrics": KUBE_PROXY_METRICS_PORT,
    "kube-proxy health": KUBE_PROXY_HEALTH_PORT,
    "versitygw": S3_PORT,
}
