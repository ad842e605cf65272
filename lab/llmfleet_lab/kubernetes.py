# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab itself puts into its cluster; everything else is the collection's work."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmfleet_lab import addresses as at
from llmfleet_lab.errors import LabError
from llmfleet_lab.paths import LAB_SOURCE, Paths
from llmfleet_lab.versions import COREDNS

GPUS = 4


class Kubectl:
    """The lab's own kubectl as its administrator."""

    def __init__(self, paths: Paths) -> None:
        self._command = [str(paths.state / "bin/kubectl"), f"--kubeconfig={paths.kubeconfig}"]
        self._cache = str(paths.state / "kubectl-cache")

    def run(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl; returns what it prints, raises LabError with its message."""
        command = [*self._command, f"--cache-dir={self._cache}", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"kubectl {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()[-3000:]}")
        return done.stdout

    def apply(self, text: str) -> None:
        """Server-side apply of a YAML or JSON text."""
        self.run("apply", "--server-side", "--force-conflicts", "--field-manager=llmfleet-lab", "-f", "-", text=text)

    def wait_for(self, what: str, within: float, *arguments: str, until: str) -> None:
        """Repeat ``kubectl get ARGUMENTS`` until its output equals ``until``."""
        deadline = time.monotonic() + within
        while True:
            try:
                found = self.run("get", *arguments)
            except LabError as error:
                found = str(error)
            if found == until:
                return
            if time.monotonic() > deadline:
                raise LabError(f"{what}: expected {until!r} within {within:.0f} s, found {found!r}")
            time.sleep(0.25)


def apply_manifest(kubectl: Kubectl, name: str, values: Mapping[str, str]) -> None:
    """Apply ``lab/manifests/<name>`` with each ``@KEY@`` replaced."""
    text = (LAB_SOURCE / "manifests" / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    kubectl.apply(text)


def wait_for_node(kubectl: Kubectl) -> None:
    """Wait until the node is there, then give it GPUs to count and wait until it is ready."""
    kubectl.wait_for("node", 30, "node", at.NODE_NAME, "-o", "jsonpath={.metadata.name}", until=at.NODE_NAME)
    patch = json.dumps({"status": {"capacity": {"nvidia.com/gpu": str(GPUS)}}})
    kubectl.run("patch", "node", at.NODE_NAME, "--subresource=status", "--type=merge", "-p", patch)
    ready = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    kubectl.wait_for("node ready", 60, "node", at.NODE_NAME, "-o", ready, until="True")


def add_dns(kubectl: Kubectl) -> None:
    """CoreDNS, as on EKS in kube-system with the label k8s-app: kube-dns."""
    apply_manifest(kubectl, "coredns.yaml", {"VERSION": COREDNS, "DNS_IP": at.DNS_IP})


def wait_for_dns(kubectl: Kubectl) -> None:
    """Wait until cluster DNS answers."""
    ready = "jsonpath={.status.readyReplicas}"
    kubectl.wait_for("CoreDNS", 60, "deployment", "coredns", "-n", "kube-system", "-o", ready, until="1")


def add_objects(kubectl: Kubectl, objects: list[dict[str, Any]]) -> None:
    """Apply objects given as data."""
    kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def extra_crds() -> list[Path]:
    """Files of the folder that LLMFLEET_LAB_EXTRA_CRDS names: more CRDs, which the lab loads when it starts."""
    configured = os.environ.get("LLMFLEET_LAB_EXTRA_CRDS")
    if not configured:
        return []
    folder = Path(configured)
    if not folder.is_dir():
        raise LabError(f"LLMFLEET_LAB_EXTRA_CRDS: got '{configured}': no such folder; accepted: a folder of YAML files")
    return sorted(file for pattern in ("*.yaml", "*.yml") for file in folder.rglob(pattern))


def add_extra_crds(kubectl: Kubectl) -> int:
    """Load the extra CRDs; returns how many files."""
    files = extra_crds()
    for file in files:
        kubectl.apply(file.read_text())
    return len(files)
