# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's link, addresses, kernel settings and the removal of what its programs leave in iptables and cgroups."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from pathlib import Path

from llmfleet_lab.addresses import LINK, NODE_IP, POD_IDENTITY_IP
from llmfleet_lab.paths import Paths

# kube-proxy, the kubelet and the CNI plugins change these.
SETTINGS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
)
TABLES = ("nat", "filter", "mangle")
# Chains of kube-proxy and kubelet, and of the CNI plugins (masquerade and port mappings).
OUR_CHAINS = re.compile(r"^(KUBE-|CNI-)")
CGROUP_NAMES = ("k8s.io", "kubepods")


def _run(*command: str, check: bool = True, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    if check and done.returncode:
        raise OSError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def link_exists() -> bool:
    """Whether the lab's bridge is there."""
    return Path(f"/sys/class/net/{LINK}").exists()


def bring_up(paths: Paths) -> None:
    """Make the lab's bridge with its addresses; remember kernel settings and chains that were there before."""
    before = paths.state / "network-before.json"
    if not before.exists():
        settings = {name: value for name in SETTINGS if (value := _setting(name)) is not None}
        content = {"settings": settings, "chains": {table: sorted(_chains(table)) for table in TABLES}}
        before.write_text(json.dumps(content))
    if not link_exists():
        _run("ip", "link", "add", LINK, "type", "bridge")
    _run("ip", "link", "set", LINK, "up")
    for address in (NODE_IP, POD_IDENTITY_IP):
        _run("ip", "address", "replace", f"{address}/32", "dev", LINK)


def take_down(paths: Paths) -> None:
    """Remove the link, the chains that came since, and set kernel settings back. Fine when nothing is there."""
    before = paths.state / "network-before.json"
    if before.exists():
        content = json.loads(before.read_text())
        for table in TABLES:
            _remove_chains(table, keep=set(content["chains"].get(table, [])))
        for name, value in content["settings"].items():
            if _setting(name) != value:
                with contextlib.suppress(OSError):
                    Path("/proc/sys", name).write_text(value)
    if link_exists():
        _run("ip", "link", "delete", LINK)


def remove_pod_networks(namespaces: set[str]) -> None:
    """Delete the pods' network namespaces (their veth links go with them)."""
    for name in sorted(namespaces):
        _run("ip", "netns", "delete", name, check=False)


def remove_cgroups() -> None:
    """Remove the empty control groups that containerd and the kubelet made (v1 hierarchies and v2)."""
    root = Path("/sys/fs/cgroup")
    for base in {root, *(entry for entry in root.iterdir() if entry.is_dir())}:
        for name in CGROUP_NAMES:
            if (base / name).is_dir():
                _remove_tree(base / name)


def _remove_tree(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir():
            _remove_tree(child)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _setting(name: str) -> str | None:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return None


def _save(table: str) -> list[str]:
    return _run("iptables-save", "-t", table, check=False).splitlines()


def _chains(table: str) -> set[str]:
    chains = (line[1:].split()[0] for line in _save(table) if line.startswith(":"))
    return {chain for chain in chains if OUR_CHAINS.match(chain)}


def _remove_chains(table: str, keep: set[str]) -> None:
    """Delete our chains of one table, with the rules that jump to them, in one transaction."""
    gone = _chains(table) - keep
    if not gone:
        return
    lines = [f"*{table}"]
    for line in _save(table):
        target = re.search(r" -[jg] (\S+)", line)
        if line.startswith("-A ") and line.split()[1] not in gone and target and target.group(1) in gone:
            lines.append("-D " + line[3:])
    lines += [f"-F {chain}" for chain in sorted(gone)]
    lines += [f"-X {chain}" for chain in sorted(gone)]
    lines += ["COMMIT", ""]
    _run("iptables-restore", "--noflush", text="\n".join(lines))
