# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine needs before the lab can run on it, each thing told with how to get it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from llmfleet_lab import addresses
from llmfleet_lab.errors import LabError
from llmfleet_lab.paths import LAB_SOURCE, Paths
from llmfleet_lab.progress import Progress

# Program -> Debian package that has it.
PROGRAMS = {
    "runc": "runc",
    "iptables-save": "iptables",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "mount": "mount",
    "ldd": "libc-bin",
}
CNI_PLUGINS = Path("/usr/lib/cni")
# Seen: 30 GB while everything is built from nothing, 12 GB at rest.
DISK_TO_BUILD_GB = 30
DISK_TO_RUN_GB = 3
MEMORY_GB = 7


def install_packages(progress: Progress) -> None:
    """Install the Debian packages whose programs are missing; refused with the list where apt-get is not there."""
    search = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program, path=search) is None]
    if not (CNI_PLUGINS / "ptp").exists():
        missing.append("containernetworking-plugins")
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get", path=search) is None:
        raise LabError(f"missing: {names}. There is no apt-get here: install these packages by your own means")
    progress.say(f"installing Debian packages: {names}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *missing]):
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise LabError(f"{' '.join(command)} ended with {done.returncode}: {(done.stderr or done.stdout)[-2000:]}")


def check(paths: Paths, to_build: bool, running: bool) -> None:
    """Raise one LabError that lists everything that is missing.

    ``to_build``: parts have to be built, so Go and more disk are needed. ``running``: the lab's own processes hold
    its ports already.
    """
    checks: list[Callable[[], str | None]] = [_root, _kernel, _memory]
    if to_build:
        checks.append(_go)
    problems = [problem for one in checks if (problem := one())]
    problems += _disk(paths, DISK_TO_BUILD_GB if to_build else DISK_TO_RUN_GB)
    if not running:
        problems += _ports()
    if problems:
        raise LabError("this machine cannot run the lab yet:\n" + "\n".join(f"- {problem}" for problem in problems))


def check_go() -> None:
    """Raise a LabError unless there is a Go that builds the parts."""
    problem = _go()
    if problem:
        raise LabError(problem)


def _root() -> str | None:
    if os.geteuid() != 0:
        return "not root: the lab makes links, mounts and containers; run it as root (sudo -E make ...)"
    return None


def _kernel() -> str | None:
    filesystems = Path("/proc/filesystems").read_text()
    if "overlay" not in filesystems:
        subprocess.run(["modprobe", "overlay"], capture_output=True)
        if "overlay" not in Path("/proc/filesystems").read_text():
            return "the kernel has no overlayfs: load the module 'overlay'"
    if not Path("/sys/fs/cgroup").is_dir() or not any(Path("/sys/fs/cgroup").iterdir()):
        return "no control groups are mounted at /sys/fs/cgroup"
    return None


def _memory() -> str | None:
    match = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    gigabytes = int(match.group(1)) / 1e6 if match else 0
    if gigabytes < MEMORY_GB:
        return f"{gigabytes:.0f} GB of memory, {MEMORY_GB} GB needed (vLLM takes most of it)"
    return None


def _go() -> str | None:
    wanted = re.search(r"^go (\S+)$", (LAB_SOURCE / "modules/kubernetes/go.mod").read_text(), re.MULTILINE)
    floor = wanted.group(1) if wanted else "1.26.0"
    how = f"install Go {floor} or newer and put it on PATH"
    if shutil.which("go") is None:
        return f"no Go toolchain: {how}"
    found = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, cwd="/").stdout.strip()
    if _version(found.removeprefix("go")) < _version(floor):
        return f"Go is {found}: {how}"
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])


def _disk(paths: Paths, gigabytes: int) -> list[str]:
    problems = []
    for folder, needed in ((paths.cache, gigabytes), (paths.state, DISK_TO_RUN_GB)):
        existing = folder
        while not existing.exists():
            existing = existing.parent
        free = shutil.disk_usage(existing).free / 1e9
        if free < needed:
            problems.append(f"{free:.1f} GB free for {folder}, {needed} GB needed")
    return problems


def _ports() -> list[str]:
    problems = []
    for name, port in addresses.LOOPBACK_PORTS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                problems.append(
                    f"port 127.0.0.1:{port} ({name}) cannot be had: {error.strerror}; end what listens there"
                )
    return problems
