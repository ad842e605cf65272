# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""etcd and the Kubernetes control plane as processes of this machine."""

from __future__ import annotations

import functools
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from llmfleet_lab import addresses as at
from llmfleet_lab.paths import LAB_SOURCE, Paths
from llmfleet_lab.processes import Daemon
from llmfleet_lab.secrets import Credentials


def answers(url: str, credentials: Credentials | None = None) -> None:
    """Raise unless ``url`` answers 2xx; with ``credentials`` as the lab's administrator."""
    context = None
    if url.startswith("https:"):
        if credentials is None:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context = ssl.create_default_context(cafile=str(credentials.file("ca.crt")))
            context.load_cert_chain(credentials.file("admin.crt"), credentials.file("admin.key"))
    with urllib.request.urlopen(url, timeout=5, context=context) as answer:
        answer.read()


def etcd_data(paths: Paths) -> Path:
    """etcd's folder: it holds every object of the cluster."""
    return paths.state / "etcd"


def etcd(paths: Paths) -> Daemon:
    """etcd without fsync: the cluster lives no longer than the machine is up."""
    client = f"http://127.0.0.1:{at.ETCD_CLIENT_PORT}"
    peer = f"http://127.0.0.1:{at.ETCD_PEER_PORT}"
    return Daemon(
        name="etcd",
        command=[
            str(paths.state / "bin/etcd"),
            f"--data-dir={etcd_data(paths)}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
        ready=functools.partial(answers, f"{client}/health"),
    )


def api_server(paths: Paths, credentials: Credentials) -> Daemon:
    """The API server on the node's address, which this machine and the pods reach and nobody else."""
    secret = credentials.file
    audit = paths.logs / "audit.jsonl"
    flags = {
        "etcd-servers": f"http://127.0.0.1:{at.ETCD_CLIENT_PORT}",
        "bind-address": at.NODE_IP,
        "advertise-address": at.NODE_IP,
        "secure-port": at.API_SERVER_PORT,
        "tls-cert-file": secret("kube-apiserver.crt"),
        "tls-private-key-file": secret("kube-apiserver.key"),
        "client-ca-file": secret("ca.crt"),
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": secret("service-account.pub"),
        "service-account-signing-key-file": secret("service-account.key"),
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-cluster-ip-range": at.SERVICE_CIDR,
        "allow-privileged": "true",
        "kubelet-preferred-address-types": "InternalIP",
        "kubelet-certificate-authority": secret("ca.crt"),
        "kubelet-client-certificate": secret("kube-apiserver-kubelet-client.crt"),
        "kubelet-client-key": secret("kube-apiserver-kubelet-client.key"),
        "requestheader-client-ca-file": secret("ca.crt"),
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": secret("front-proxy-client.crt"),
        "proxy-client-key-file": secret("front-proxy-client.key"),
        "enable-aggregator-routing": "true",
        "audit-policy-file": LAB_SOURCE / "manifests/audit-policy.yaml",
        "audit-log-path": audit,
        "audit-log-format": "json",
        "audit-log-maxsize": 200,
        "profiling": "false",
    }
    return Daemon(
        name="kube-apiserver",
        command=[str(paths.state / "bin/kube-apiserver"), *(f"--{name}={value}" for name, value in flags.items())],
        ready=functools.partial(answers, f"{at.API_SERVER}/readyz", credentials),
        ready_within=90,
        # It waits a minute for open watches when asked kindly.
        stop_within=2,
    )


def controller_manager(paths: Paths, credentials: Credentials) -> Daemon:
    """The controller manager, which also signs certificates."""
    secret = credentials.file
    flags: dict[str, str | Path] = {
        "kubeconfig": secret("controller-manager.kubeconfig"),
        "service-account-private-key-file": secret("service-account.key"),
        "use-service-account-credentials": "true",
        "root-ca-file": secret("ca.crt"),
        "cluster-signing-cert-file": secret("ca.crt"),
        "cluster-signing-key-file": secret("ca.key"),
        "leader-elect": "false",
        "bind-address": "127.0.0.1",
        "profiling": "false",
    }
    return _loopback_component(paths, "kube-controller-manager", flags, at.CONTROLLER_MANAGER_PORT)


def scheduler(paths: Paths, credentials: Credentials) -> Daemon:
    """The scheduler."""
    flags: dict[str, str | Path] = {
        "kubeconfig": credentials.file("scheduler.kubeconfig"),
        "leader-elect": "false",
        "bind-address": "127.0.0.1",
        "profiling": "false",
    }
    return _loopback_component(paths, "kube-scheduler", flags, at.SCHEDULER_PORT)


def _loopback_component(paths: Paths, program: str, flags: Mapping[str, str | Path], port: int) -> Daemon:
    return Daemon(
        name=program,
        command=[str(paths.state / "bin" / program), *(f"--{name}={value}" for name, value in flags.items())],
        ready=functools.partial(answers, f"https://127.0.0.1:{port}/healthz"),
        stop_within=3,
    )
