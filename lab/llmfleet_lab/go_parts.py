# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Go programs of the lab: which modules, which programs, stamped with which versions."""

from __future__ import annotations

from llmfleet_lab.golang import MODULES, GoPrograms
from llmfleet_lab.versions import CONTAINERD, HELM, KUBERNETES


def _kubernetes_stamp() -> str:
    """Charts with a kubeVersion refuse a server that does not say which version it is."""
    major, minor, _ = KUBERNETES.split(".")
    names = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in names.items())


def _commands(prefix: str, *names: str) -> dict[str, str]:
    return {name: f"{prefix}/{name}" for name in names}


KUBERNETES_PROGRAMS = GoPrograms(
    module=MODULES / "kubernetes",
    programs={
        "etcd": "go.etcd.io/etcd/server/v3",
        **_commands(
            "k8s.io/kubernetes/cmd",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubectl",
            "kubelet",
            "kube-proxy",
        ),
    },
    ldflags=_kubernetes_stamp(),
)

CONTAINERD_PROGRAMS = GoPrograms(
    module=MODULES / "containerd",
    programs=_commands("github.com/containerd/containerd/v2/cmd", "containerd", "ctr", "containerd-shim-runc-v2"),
    ldflags=f"-X github.com/containerd/containerd/v2/version.Version={CONTAINERD}",
    tags="no_btrfs no_zfs no_devmapper",
)

COREDNS_PROGRAM = GoPrograms(module=MODULES / "coredns", programs={"coredns": "github.com/coredns/coredns"})

HELM_PROGRAM = GoPrograms(
    module=MODULES / "helm",
    programs={"helm": "helm.sh/helm/v4/cmd/helm"},
    ldflags=f"-X helm.sh/helm/v4/internal/version.version=v{HELM}",
)

ENVOY_GATEWAY_PROGRAM = GoPrograms(
    module=MODULES / "envoy-gateway",
    programs={"envoy-gateway": "github.com/envoyproxy/gateway/cmd/envoy-gateway"},
    copies={
        "charts/gateway-helm": "github.com/envoyproxy/gateway:charts/gateway-helm",
        "charts/gateway-crds-helm": "github.com/envoyproxy/gateway:charts/gateway-crds-helm",
    },
)

VERSITYGW_PROGRAM = GoPrograms(
    module=MODULES / "versitygw", programs={"versitygw": "github.com/versity/versitygw/cmd/versitygw"}
)

INFERENCE_EXTENSION_PROGRAMS = GoPrograms(
    module=MODULES / "inference-extension",
    programs=_commands("sigs.k8s.io/gateway-api-inference-extension/cmd", "bbr", "epp"),
    copies={"crds": "sigs.k8s.io/gateway-api-inference-extension:config/crd/bases"},
)

LEADER_WORKER_SET_PROGRAM = GoPrograms(
    module=MODULES / "leader-worker-set",
    programs={"manager": "sigs.k8s.io/lws/cmd"},
    copies={"chart": "sigs.k8s.io/lws:charts/lws"},
)
