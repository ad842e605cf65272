# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The helm program, for what no module of kubernetes.core does: definitions of a chart, rollback, clearing away."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import (
    PENDING,
    Revision,
    last_good,
    revisions,
)

# Connection options of kubernetes.core's modules -> the variables in which helm takes them: never as arguments, which
# every user of the machine can read.
_VARIABLES = {
    "kubeconfig": "KUBECONFIG",
    "context": "HELM_KUBECONTEXT",
    "host": "HELM_KUBEAPISERVER",
    "api_key": "HELM_KUBETOKEN",
    "ca_cert": "HELM_KUBECAFILE",
}
# Seconds that helm is given beyond its own timeout.
_MARGIN = 30


@dataclass(frozen=True)
class Helm:
    """A helm program and the cluster that it speaks to. access: as llmfleet.eks.cluster_access answers it."""

    binary: str = "helm"
    access: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, timeout: float) -> str:
        """Run helm and return what it printed. timeout: seconds. Raises ClusterError with the end of its errors."""
        environment = {**os.environ, **{_VARIABLES[key]: value for key, value in self.access.items() if value}}
        shown = " ".join(["helm", *arguments])
        try:
            done = subprocess.run(
                [self.binary, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        except OSError:
            raise ClusterError(
                f"llmfleet_helm_binary: got {self.binary!r}: no such program; accepted: Helm 4"
            ) from None
        except subprocess.TimeoutExpired:
            raise ClusterError(f"{shown} did not end within {timeout:.0f} s") from None
        if done.returncode:
            raise ClusterError(f"{shown} ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
        return done.stdout

    def uninstall(self, namespace: str, name: str, timeout: float) -> None:
        """Uninstall a release, whatever its state, and wait until its objects are gone. Raises ClusterError."""
        limits = ("--wait", "--timeout", f"{timeout:.0f}s")
        self.run("uninstall", name, "--namespace", namespace, "--ignore-not-found", *limits, timeout=timeout + _MARGIN)

    def rollback(self, namespace: str, name: str, revision: int, timeout: float) -> None:
        """Roll a release back to a revision and wait until it is ready. Raises ClusterError."""
        limits = ("--wait", "--timeout", f"{timeout:.0f}s")
        self.run("rollback", name, str(revision), "--namespace", namespace, *limits, timeout=timeout + _MARGIN)


def recover(
    client: Client,
    helm: Helm,
    namespace: str,
    name: str,
    *,
    grace: float,
    timeout: float,
    check: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> str:
    """Bring a release out of a pending state in which a killed run left it; return what was done, "" for nothing.

    Helm may still be at work, here or elsewhere: nothing is touched before the record is `grace` seconds old.
    With a good revision the release is rolled back to it, without one it is uninstalled. Raises ClusterError.
    """
    found = _settled(client, namespace, name, grace, check, progress)
    if not found or found[-1].status not in PENDING:
        return ""
    state, good = found[-1].status, last_good(found)
    if good is None or state == "uninstalling":
        if not check:
            helm.uninstall(namespace, name, timeout)
        return f"Helm release {namespace}/{name} was left {state}: uninstalled, to be installed anew"
    if not check:
        helm.rollback(namespace, name, good, timeout)
    return f"Helm release {namespace}/{name} was left {state}: rolled back to revision {good}"


def _settled(
    client: Client, namespace: str, name: str, grace: float, check: bool, progress: Callable[[str], None]
) -> list[Revision]:
    told = False
    while True:
        found = revisions(client, namespace, name)
        if check or not found or found[-1].status not in PENDING or time.time() - found[-1].changed >= grace:
            return found
        if not told:
            progress(f"Helm release {namespace}/{name} is {found[-1].status}: waiting up to {grace:.0f} s for its helm")
            told = True
        time.sleep(2.0)
