# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""containerd, the kubelet and kube-proxy: this machine as the cluster's one node."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import yaml

from llmfleet_lab import addresses as at
from llmfleet_lab.control_plane import answers
from llmfleet_lab.errors import LabError
from llmfleet_lab.paths import Paths
from llmfleet_lab.processes import Daemon
from llmfleet_lab.secrets import Credentials

NVIDIA_RUNTIME = "nvidia-runtime"


def containerd_socket(paths: Paths) -> Path:
    """Where containerd listens."""
    return paths.run / "containerd.sock"


def containerd(paths: Paths) -> Daemon:
    """containerd with the runtimes ``runc`` and ``nvidia`` and the ptp network plugin."""
    _write_cni(paths)
    configuration = paths.state / "containerd.toml"
    configuration.write_text(_containerd_configuration(paths))
    return Daemon(
        name="containerd",
        command=[str(paths.state / "bin/containerd"), "--config", str(configuration)],
        ready=functools.partial(ctr, paths, "version"),
    )


def ctr(paths: Paths, *arguments: str) -> str:
    """Run containerd's own client in the namespace of the kubelet's images and containers; returns its output."""
    command = [str(paths.state / "bin/ctr"), "--address", str(containerd_socket(paths)), "-n", "k8s.io", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"ctr {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def pod_network_namespaces(paths: Paths) -> set[str]:
    """Names of the network namespaces of our pods, as the containers' own specifications tell them."""
    names = set()
    for container in ctr(paths, "containers", "list", "--quiet").split():
        specification = json.loads(ctr(paths, "containers", "info", container)).get("Spec") or {}
        for namespace in specification.get("linux", {}).get("namespaces", []):
            path = Path(namespace.get("path", ""))
            if namespace["type"] == "network" and path.parent in (Path("/run/netns"), Path("/var/run/netns")):
                names.add(path.name)
    return names


def _write_cni(paths: Paths) -> None:
    folder = paths.state / "cni"
    folder.mkdir(parents=True, exist_ok=True)
    pods = {"type": "host-local", "ranges": [[{"subnet": at.POD_CIDR}]], "routes": [{"dst": "0.0.0.0/0"}]}
    pods["dataDir"] = str(paths.state / "cni-addresses")
    content = {
        "cniVersion": "1.0.0",
        "name": "llmfleet-lab",
        "plugins": [
            {"type": "ptp", "ipMasq": True, "ipam": pods},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    (folder / "10-lab.conflist").write_text(json.dumps(content, indent=2))


def _containerd_configuration(paths: Paths) -> str:
    runtime = "plugins.'io.containerd.cri.v1.runtime'"
    images = "plugins.'io.containerd.cri.v1.images'"
    return f"""version = 3
root = "{paths.containerd_root}"
state = "{paths.run / "containerd"}"
[grpc]
  address = "{containerd_socket(paths)}"
[ttrpc]
  address = "{containerd_socket(paths)}.ttrpc"
[{images}]
  snapshotter = "overlayfs"
  [{images}.pinned_images]
    sandbox = "lab.local/pause:1"
[{runtime}]
  restrict_oom_score_adj = true
  [{runtime}.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{paths.state / "cni"}"
  [{runtime}.containerd]
    default_runtime_name = "runc"
    [{runtime}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [{runtime}.containerd.runtimes.runc.options]
        SystemdCgroup = false
    [{runtime}.containerd.runtimes.nvidia]
      runtime_type = "io.containerd.runc.v2"
      [{runtime}.containerd.runtimes.nvidia.options]
        SystemdCgroup = false
        BinaryName = "{paths.state / "bin" / NVIDIA_RUNTIME}"
"""


def kubelet(paths: Paths, credentials: Credentials) -> Daemon:
    """The kubelet, registered on the lab's bridge; its own cgroup tree is off (one machine, no other tenants)."""
    configuration = paths.state / "kubelet.yaml"
    content = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": at.NODE_IP,
        "port": at.KUBELET_PORT,
        "readOnlyPort": 0,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": at.KUBELET_HEALTH_PORT,
        "tlsCertFile": str(credentials.file("kubelet-server.crt")),
        "tlsPrivateKeyFile": str(credentials.file("kubelet-server.key")),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(credentials.file("ca.crt"))},
        },
        "authorization": {"mode": "Webhook"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        "containerRuntimeEndpoint": f"unix://{containerd_socket(paths)}",
        "clusterDNS": [at.DNS_IP],
        "clusterDomain": "cluster.local",
        # The disk is the machine's: the lab checks it at the start and does not evict pods for it.
        "evictionHard": {"imagefs.available": "0%", "nodefs.available": "0%", "memory.available": "50Mi"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "resolvConf": "/etc/resolv.conf",
        "podLogsDir": str(paths.logs / "pods"),
        "nodeStatusReportFrequency": "1m",
        "registerNode": True,
    }
    configuration.write_text(yaml.safe_dump(content, sort_keys=False))
    root = paths.state / "kubelet"
    (paths.logs / "pods").mkdir(parents=True, exist_ok=True)
    return Daemon(
        name="kubelet",
        command=[
            str(paths.state / "bin/kubelet"),
            f"--config={configuration}",
            f"--kubeconfig={credentials.file('kubelet.kubeconfig')}",
            f"--root-dir={root}",
            f"--cert-dir={paths.state / 'kubelet-certificates'}",
            f"--hostname-override={at.NODE_NAME}",
            f"--node-ip={at.NODE_IP}",
            "--node-labels=topology.kubernetes.io/region="
            + at.REGION
            + ",topology.kubernetes.io/zone="
            + at.REGION
            + "a",
        ],
        ready=functools.partial(answers, f"http://127.0.0.1:{at.KUBELET_HEALTH_PORT}/healthz"),
        stop_within=5,
    )


def kube_proxy(paths: Paths, credentials: Credentials) -> Daemon:
    """kube-proxy in iptables mode; nothing of it listens outside loopback and the bridge."""
    return Daemon(
        name="kube-proxy",
        command=[
            str(paths.state / "bin/kube-proxy"),
            f"--kubeconfig={credentials.file('kube-proxy.kubeconfig')}",
            "--proxy-mode=iptables",
            f"--hostname-override={at.NODE_NAME}",
            "--cluster-cidr=10.244.0.0/16",
            "--conntrack-max-per-core=0",
            f"--metrics-bind-address=127.0.0.1:{at.KUBE_PROXY_METRICS_PORT}",
            f"--healthz-bind-address=127.0.0.1:{at.KUBE_PROXY_HEALTH_PORT}",
            f"--nodeport-addresses={at.NODE_IP}/32",
        ],
        ready=functools.partial(answers, f"http://127.0.0.1:{at.KUBE_PROXY_HEALTH_PORT}/livez"),
        stop_within=3,
    )


def write_nvidia_runtime(paths: Paths, script: Path, tree: Path, stand_in: Path) -> None:
    """Write the program that containerd runs for the handler ``nvidia``, and a copy of the stand-in engine.

    A copy, since a checkout may lie where the engine's uid cannot read.
    """
    copy = paths.state / "stand-in-engine"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(stand_in, copy, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    target = paths.state / "bin" / NVIDIA_RUNTIME
    target.unlink(missing_ok=True)
    runc = shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin")
    target.write_text(
        "#!/bin/sh\n"
        f'export LLMFLEET_LAB_VLLM_TREE="{tree}" LLMFLEET_LAB_STAND_IN="{copy}" LLMFLEET_LAB_RUNC="{runc}"\n'
        f'exec /usr/bin/python3 -I -S "{script}" "$@"\n'
    )
    os.chmod(target, 0o755)
