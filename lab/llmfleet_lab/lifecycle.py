# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing the lab up and down. Both can be repeated at any point, also after something was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from llmfleet_lab import addresses as at
from llmfleet_lab import cloud, control_plane, definitions, kubernetes, network, node, ownership, prerequisites, secrets
from llmfleet_lab.aws.profile import write_profile
from llmfleet_lab.aws.webhook import webhook_manifest
from llmfleet_lab.build import Plan, build
from llmfleet_lab.certificates import write_secret
from llmfleet_lab.parts import IMAGES, PROGRAMS, all_parts
from llmfleet_lab.paths import LAB_SOURCE, Paths
from llmfleet_lab.processes import Processes, start_time
from llmfleet_lab.progress import Progress
from llmfleet_lab.store import Store

# The order of stopping: who makes new containers and rules first, who the others need last.
STOP_ORDER = (
    *("kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager", "csi"),
    *("kube-apiserver", "aws", "hub", "versitygw", "etcd"),
)


def make_plan(paths: Paths) -> Plan:
    """All parts of the lab with their keys."""
    return Plan(all_parts(), Store(paths.store))


def build_all(paths: Paths, progress: Progress) -> Plan:
    """Check what building needs and build what is missing."""
    prerequisites.install_packages(progress)
    plan = make_plan(paths)
    if plan.missing():
        prerequisites.check(paths, to_build=True, running=True)
        build(plan, paths, progress, keep_go_cache=bool(os.environ.get("LLMFLEET_LAB_KEEP_GO_CACHE")))
    return plan


def up(paths: Paths, progress: Progress) -> None:
    """Build what is missing, start what does not run, wait until the cluster serves."""
    with ownership.locked(paths):
        ownership.claim(paths)
        processes = Processes(paths)
        if cloud_was_lost(paths, processes):
            progress.say("the emulated AWS has ended and forgotten what the cluster stands on: the lab starts anew")
            _remove(paths, processes, progress)
            ownership.claim(paths)
        prerequisites.check(paths, to_build=False, running=bool(processes.memory()))
        plan = build_all(paths, progress)
        progress.say("starting the lab")
        _link_programs(paths, plan)
        network.bring_up(paths)
        with progress.step("certificates and keys"):
            credentials = secrets.ensure(paths)
            _write_profile(paths, credentials)
            write_environment(paths)
        with progress.step("processes, images and cluster objects"):
            _start(paths, processes, credentials, plan, progress)
        progress.say(f"the lab is up: KUBECONFIG={paths.kubeconfig}")


def cloud_was_lost(paths: Paths, processes: Processes) -> bool:
    """Tell whether objects in etcd or S3 outlived the emulated AWS, which keeps what it knows in memory only."""
    outlived = control_plane.etcd_data(paths).exists() or cloud.buckets(paths).exists()
    return outlived and processes.pid("aws") is None


def _link_programs(paths: Paths, plan: Plan) -> None:
    target = paths.state / "bin"
    target.mkdir(parents=True, exist_ok=True)
    for part, programs in PROGRAMS.items():
        for program in programs:
            _link(target / program, plan.folder(part) / program)
    (paths.state / "charts").mkdir(exist_ok=True)
    _link(paths.state / "charts/gateway-helm", plan.folder("chart-envoy-gateway") / "chart")
    script, stand_in = LAB_SOURCE / "llmfleet_lab/nvidia_runtime.py", LAB_SOURCE / "stand-in-engine"
    node.write_nvidia_runtime(paths, script, plan.folder("vllm"), stand_in)


def _link(link: Path, to: Path) -> None:
    if not (link.is_symlink() and link.readlink() == to):
        link.unlink(missing_ok=True)
        link.symlink_to(to)


def _write_profile(paths: Paths, credentials: secrets.Credentials) -> None:
    access, secret = credentials.text("aws-operator").splitlines()
    write_profile(paths.secrets / "aws", at.REGION, at.AWS_ENDPOINT, access, secret)


def _start(
    paths: Paths, processes: Processes, credentials: secrets.Credentials, plan: Plan, progress: Progress
) -> None:
    kubectl = kubernetes.Kubectl(paths)
    with ThreadPoolExecutor(max_workers=4) as pool:
        early = [
            pool.submit(processes.ensure, cloud.s3(paths, credentials)),
            pool.submit(processes.ensure, cloud.hub(paths, credentials, plan.folder("hub-repositories"))),
            pool.submit(processes.ensure, cloud.aws(paths, credentials)),
        ]
        processes.ensure(node.containerd(paths))
        images = pool.submit(import_images, paths, plan, progress)
        processes.ensure(control_plane.etcd(paths))
        processes.ensure(control_plane.api_server(paths, credentials))
        progress.say("the API server is ready")
        late = [
            pool.submit(processes.ensure, control_plane.controller_manager(paths, credentials)),
            pool.submit(processes.ensure, control_plane.scheduler(paths, credentials)),
            pool.submit(processes.ensure, node.kube_proxy(paths, credentials)),
        ]
        processes.ensure(node.kubelet(paths, credentials))
        for future in early:
            future.result()
        processes.ensure(cloud.storage_driver(paths, credentials))
        kubernetes.add_objects(kubectl, [webhook_manifest(credentials.file("ca.crt").read_bytes())])
        kubernetes.apply_manifest(kubectl, "csidriver.yaml", {})
        kubernetes.wait_for_node(kubectl)
        images.result()
        for future in late:
            future.result()
    kubernetes.add_dns(kubectl)
    # The kinds of the endpoint picker have no chart: a cluster is expected to have them.
    definitions.load(kubectl, plan.folder("inference-extension") / "crds")
    count = kubernetes.add_extra_crds(kubectl)
    if count:
        progress.say(f"loaded CRDs from {count} files")
    kubernetes.wait_for_dns(kubectl)


def import_images(paths: Paths, plan: Plan, progress: Progress, images: Mapping[str, tuple[str, ...]] = IMAGES) -> None:
    """Import the images that containerd does not have from these very parts yet."""
    marks = paths.containerd_root / "imported"
    marks.mkdir(parents=True, exist_ok=True)
    present = set(node.ctr(paths, "images", "list", "--quiet").split())
    for part, names in images.items():
        mark = marks / plan.folder(part).name
        if mark.exists() and present.issuperset(names):
            continue
        with progress.step(f"imported {part}"):
            node.ctr(paths, "images", "import", "--local", str(plan.folder(part) / "image.tar"))
        mark.touch()


def down(paths: Paths, progress: Progress) -> None:
    """End the lab and remove what it made on this machine; images and built parts stay in the cache."""
    with ownership.locked(paths):
        if not paths.state.exists() and not network.link_exists():
            progress.say("there is no lab")
            return
        _remove(paths, Processes(paths), progress)
        progress.say("the lab is down")


def _remove(paths: Paths, processes: Processes, progress: Progress) -> None:
    with progress.step("stopped processes"):
        _stop(paths, processes)
    with progress.step("removed mounts, links, rules and files"):
        _unmount(paths.state)
        network.take_down(paths)
        network.remove_cgroups()
        _save_logs(paths)
        shutil.rmtree(paths.state, ignore_errors=False)


def _stop(paths: Paths, processes: Processes) -> None:
    for name in ("kubelet", "kube-scheduler", "kube-controller-manager"):
        processes.stop(name, within=5)
    _remove_containers(paths, processes)
    names = processes.names()
    for name in [*STOP_ORDER, *(name for name in names if name not in STOP_ORDER)]:
        if name != "containerd":
            processes.stop(name, within=2 if name == "kube-apiserver" else 10)
    processes.stop("containerd")
    _end_shims(paths)


def _remove_containers(paths: Paths, processes: Processes) -> None:
    """End and remove every container, with containerd started again for it when it was killed."""
    if not (paths.state / "bin/containerd").exists():
        return
    processes.ensure(node.containerd(paths))
    namespaces = node.pod_network_namespaces(paths)
    _remove_all_containers(paths)
    network.remove_pod_networks(namespaces)


def _remove_all_containers(paths: Paths) -> None:
    for line in node.ctr(paths, "tasks", "list").splitlines()[1:]:
        with contextlib.suppress(Exception):
            node.ctr(paths, "tasks", "kill", "--signal", "SIGKILL", line.split()[0])
    deadline = time.monotonic() + 15
    while "RUNNING" in node.ctr(paths, "tasks", "list") and time.monotonic() < deadline:
        time.sleep(0.2)
    for line in node.ctr(paths, "tasks", "list").splitlines()[1:]:
        with contextlib.suppress(Exception):
            node.ctr(paths, "tasks", "delete", "--force", line.split()[0])
    for name in node.ctr(paths, "containers", "list", "--quiet").split():
        with contextlib.suppress(Exception):
            node.ctr(paths, "containers", "delete", name)


def _end_shims(paths: Paths) -> None:
    """Kill container shims that serve our containerd's socket and outlived it."""
    socket = str(node.containerd_socket(paths)).encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and start_time(int(entry.name)) is not None:
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"containerd-shim-runc-v2") and socket in words:
                    os.kill(int(entry.name), signal.SIGKILL)


def _unmount(below: Path) -> None:
    """Unmount everything below a folder, deepest first."""
    prefix = f"{below}/"
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(prefix)), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", mount.encode().decode("unicode_escape")], capture_output=True)


def _save_logs(paths: Paths) -> None:
    """Keep the logs of the last lab in the cache: they are wanted most after something failed."""
    kept = paths.cache / "last-logs"
    shutil.rmtree(kept, ignore_errors=True)
    if paths.logs.is_dir():
        shutil.copytree(paths.logs, kept, symlinks=True, ignore_dangling_symlinks=True)


def write_environment(paths: Paths) -> None:
    """Write what a shell needs to talk to the lab's cloud and cluster."""
    lines = [
        f"export KUBECONFIG={paths.kubeconfig}",
        f"export PATH={paths.state / 'bin'}:$PATH",
        f"export AWS_CONFIG_FILE={paths.secrets / 'aws/config'}",
        f"export AWS_SHARED_CREDENTIALS_FILE={paths.secrets / 'aws/credentials'}",
        "export AWS_PROFILE=llmfleet-lab",
    ]
    write_secret(paths.state / "env", "\n".join(lines) + "\n")
