# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab makes up once for each cluster: certificates, kubeconfigs, tokens and keys, all of mode 0600."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from llmfleet_lab import addresses
from llmfleet_lab.certificates import Authority, service_account_keys, write_secret
from llmfleet_lab.paths import Paths


@dataclass(frozen=True)
class Credentials:
    """Files below ``secrets/``; see the properties' names."""

    folder: Path

    def file(self, name: str) -> Path:
        """A file by its name."""
        return self.folder / name

    def text(self, name: str) -> str:
        """The content of a file, stripped."""
        return self.file(name).read_text().strip()


def ensure(paths: Paths) -> Credentials:
    """Make everything unless a whole set is there already."""
    folder = paths.secrets
    whole = folder / "complete"
    if not whole.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        _make(folder)
        whole.touch()
    return Credentials(folder)


def _make(folder: Path) -> None:
    authority = Authority(folder)
    service = "kubernetes.default.svc"
    authority.issue(
        "kube-apiserver",
        names=[
            *("kubernetes", "kubernetes.default", service, f"{service}.cluster.local", "localhost"),
            *("127.0.0.1", addresses.NODE_IP, addresses.FIRST_SERVICE_IP),
        ],
    )
    authority.issue("kube-apiserver-kubelet-client", ["system:masters"])
    authority.issue("front-proxy-client")
    authority.issue("kubelet-server", names=[addresses.NODE_NAME, addresses.NODE_IP])
    authority.issue("pod-identity-webhook", names=[addresses.NODE_IP])
    service_account_keys(folder)
    node = f"system:node:{addresses.NODE_NAME}"
    for file, user, groups in (
        ("admin", "lab-admin", ["system:masters"]),
        ("controller-manager", "system:kube-controller-manager", []),
        ("scheduler", "system:kube-scheduler", []),
        ("kubelet", node, ["system:nodes"]),
        ("kube-proxy", "system:kube-proxy", []),
        ("pod-identity", "lab-pod-identity", ["system:masters"]),
    ):
        authority.kubeconfig(folder / f"{file}.kubeconfig", addresses.API_SERVER, user, groups)
    write_secret(folder / "s3-root", f"lab-s3-root\n{secrets.token_hex(20)}\n")
    write_secret(folder / "aws-operator", f"AKIALAB{secrets.token_hex(6).upper()}0\n{secrets.token_hex(20)}\n")
    write_secret(folder / "gateway-key", f"sk-{secrets.token_hex(24)}\n")
    write_secret(folder / "hub-token", f"hf_{secrets.token_hex(17)}\n")
