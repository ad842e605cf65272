# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine shows while the lab is up: where it listens, what it mounts, links, filters and keeps to itself."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from pathlib import Path

import pytest
from llmfleet_lab import addresses as at
from llmfleet_lab.network import TABLES
from llmfleet_lab.node import pod_network_namespaces
from llmfleet_lab.paths import Paths
from llmfleet_lab.processes import Processes
from testinfra.host import Host

PODS = ipaddress.ip_network(at.POD_CIDR)
# Loopback, the lab's bridge, and the pod identity agent's address on it.
ALLOWED = [
    ipaddress.ip_network(text) for text in ("127.0.0.0/8", "::1/128", f"{at.NODE_IP}/32", f"{at.POD_IDENTITY_IP}/32")
]
LISTENERS = {
    **{name: ("127.0.0.1", port) for name, port in at.LOOPBACK_PORTS.items()},
    "API server": (at.NODE_IP, at.API_SERVER_PORT),
    "kubelet": (at.NODE_IP, at.KUBELET_PORT),
    "AWS": (at.NODE_IP, at.AWS_PORT),
    "pod identity webhook": (at.NODE_IP, at.AWS_WEBHOOK_PORT),
    "hub": (at.NODE_IP, at.HUB_PORT),
    "pod identity agent": (at.POD_IDENTITY_IP, 80),
}


@pytest.fixture(scope="module")
def ours(paths: Paths) -> dict[str, int]:
    """Processes of the lab: {name: pid}."""
    processes = Processes(paths)
    return {name: pid for name in processes.names() if (pid := processes.pid(name)) is not None}


def test_every_process_runs_the_labs_own_program(host: Host, paths: Paths, ours: dict[str, int]) -> None:
    assert len(ours) > 9
    programs = {os.path.realpath(sys.executable)}
    for name, pid in ours.items():
        process = host.process.get(pid=pid)
        # A session of its own: the end of a terminal is not its end.
        assert process.sid == pid, name
        program = host.check_output("readlink %s", f"/proc/{pid}/exe")
        assert program in programs or program.startswith(f"{paths.store}/"), f"{name} runs {program}"


@pytest.mark.parametrize("name", LISTENERS)
def test_each_service_listens_where_it_says_and_nowhere_else(host: Host, name: str) -> None:
    address, port = LISTENERS[name]
    found = [socket for socket in host.socket.get_listening_sockets() if socket.endswith(f":{port}")]
    assert found == [f"tcp://{address}:{port}"]


def test_nothing_listens_on_outer_addresses(host: Host, ours: dict[str, int]) -> None:
    checked = 0
    for line in host.check_output("ss -Hltnup").splitlines():
        if not any(f"pid={pid}," in line for pid in ours.values()):
            continue
        shown = line.split()[4].rpartition(":")[0].strip("[]").partition("%")[0].replace("*", "::")
        address = ipaddress.ip_address(shown)
        assert any(address in network for network in ALLOWED if network.version == address.version), line
        checked += 1
    assert checked >= len(LISTENERS)


def test_credentials_are_for_their_owner_only(host: Host, paths: Paths) -> None:
    assert host.file(str(paths.secrets)).mode == 0o700
    assert host.file(str(paths.state / "env")).mode == 0o600
    files = [file for file in paths.secrets.rglob("*") if file.is_file() and file.name != "complete"]
    assert len(files) > 10
    assert {host.file(str(file)).mode for file in files} == {0o600}


def test_the_bridge_has_the_labs_addresses_and_leads_nowhere(host: Host, paths: Paths) -> None:
    bridge = host.interface(at.LINK, family="inet")
    assert bridge.exists
    assert set(bridge.addresses) == {at.NODE_IP, at.POD_IDENTITY_IP}
    assert host.file(f"/sys/class/net/{at.LINK}/bridge").is_directory
    assert host.file(f"/sys/class/net/{at.LINK}/brif").listdir() == []
    assert at.LINK not in host.check_output("ip route show default")


def test_what_the_lab_mounts_lies_in_its_own_folder(host: Host, paths: Paths) -> None:
    mounts = host.mount_point.get_mountpoints()
    assert host.mount_point(str(paths.state / "kubelet")).exists
    own = (f"{paths.state}/", f"{paths.cache}/")
    images = [mount for mount in mounts if any(folder in ",".join(mount.options) for folder in own)]
    assert images
    assert [mount.path for mount in images if not mount.path.startswith(f"{paths.run}/containerd/")] == []
    # Network namespaces of pods are mounts too, where every runtime has them.
    spaces = {Path(mount.path).name for mount in mounts if mount.filesystem == "nsfs"}
    pods = pod_network_namespaces(paths)
    assert pods
    # The record of a pod that has just ended outlives its namespace for a while.
    assert pods & spaces


def test_rules_lead_to_pods_and_to_the_bridge_only(host: Host) -> None:
    rules = [rule for table in TABLES for rule in host.iptables.rules(table)]
    targets = [match.group(1) for rule in rules if (match := re.search(r" --to-destination ([\d.]+):", rule))]
    assert at.NODE_IP in targets
    assert any(ipaddress.ip_address(target) in PODS for target in targets)
    assert [target for target in targets if target != at.NODE_IP and ipaddress.ip_address(target) not in PODS] == []
    # The API server's own service; node ports answer on the bridge and on no address of the machine.
    services = host.iptables.rules("nat", "KUBE-SERVICES")
    assert any(f" -d {at.FIRST_SERVICE_IP}/32 " in rule for rule in services)
    node_ports = [rule for rule in services if rule.endswith(" -j KUBE-NODEPORTS")]
    assert node_ports
    assert [rule for rule in node_ports if f" -d {at.NODE_IP}/32 " not in rule] == []
    # What a pod sends out is masqueraded, by a chain of the CNI plugin for each.
    chains = {rule.split()[1] for rule in rules if rule.startswith("-N CNI-")}
    sources = {
        rule.split()[3] for rule in rules if rule.startswith("-A POSTROUTING -s ") and rule.split()[-1] in chains
    }
    assert sources
    assert [source for source in sources if not ipaddress.ip_network(source).subnet_of(PODS)] == []
