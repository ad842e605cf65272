# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount targets: network interfaces in subnets, one an Availability Zone for each file system."""

from __future__ import annotations

import ipaddress
from typing import Any

from llmfleet_lab.aws.pagination import page
from llmfleet_lab.aws.s3files.resources import MountTarget, Store, conflict, invalid, new_id, not_found
from llmfleet_lab.aws.world import Subnet, World


class MountTargets:
    """Create, get, list, update and delete mount targets."""

    def __init__(self, store: Store, world: World) -> None:
        self._store = store
        self._world = world

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateMountTarget."""
        file_system = self._store.ready_file_system(request["fileSystemId"]).identifier
        subnet = self._world.subnet(request["subnetId"])
        if subnet is None:
            raise not_found("SubnetNotFound", f"Subnet '{request['subnetId']}' does not exist.")
        for other in self._store.mount_targets.values():
            if other.file_system != file_system:
                continue
            if other.zone_id == subnet.zone_id:
                message = f"Mount target '{other.identifier}' is in the Availability Zone '{subnet.zone_id}' already."
                raise conflict("MountTargetConflict", message, other.identifier, "MOUNT_TARGET")
            if other.vpc != subnet.vpc:
                message = f"The mount targets of '{file_system}' are in the VPC '{other.vpc}', not in '{subnet.vpc}'."
                raise conflict("MountTargetConflict", message, other.identifier, "MOUNT_TARGET")
        if request.get("ipAddressType", "IPV4_ONLY") != "IPV4_ONLY" or "ipv6Address" in request:
            raise invalid(f"Subnet '{subnet.identifier}' has no IPv6 addresses.")
        address = self._free_address(subnet, request.get("ipv4Address"))
        groups = self._groups(request.get("securityGroups"), subnet.vpc)
        identifier = new_id("fsmt")
        description = f"S3 Files mount target for {file_system} ({identifier})"
        interface, address = self._world.add_interface(subnet.identifier, address, groups, description)
        target = MountTarget(
            identifier=identifier,
            file_system=file_system,
            subnet=subnet.identifier,
            vpc=subnet.vpc,
            zone_id=subnet.zone_id,
            interface=interface,
            address=address,
            groups=groups,
            life=self._store.life(),
        )
        self._store.mount_targets[identifier] = target
        return self._described(target)

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetMountTarget."""
        return self._described(self._store.mount_target(request["mountTargetId"]))

    def listing(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListMountTargets, of one file system, or of that of an access point, when given."""
        wanted = None
        if "fileSystemId" in request:
            wanted = self._store.file_system(request["fileSystemId"]).identifier
        elif "accessPointId" in request:
            wanted = self._store.access_point(request["accessPointId"]).file_system
        found = [
            item for item in self._store.listed_mount_targets(self._world.lag) if wanted in (None, item.file_system)
        ]
        items, token = page(found, request.get("maxResults", 100), request.get("nextToken"), invalid)
        described = [self._described(item) for item in items]
        for item in described:
            # The list does not tell them; GetMountTarget does.
            del item["securityGroups"]
        return {"mountTargets": described, "nextToken": token}

    def update(self, request: dict[str, Any]) -> dict[str, Any]:
        """UpdateMountTarget: replace its security groups."""
        target = self._store.mount_target(request["mountTargetId"])
        state = target.life.state()
        if state != "available":
            # The operation has no ConflictException in the model.
            raise invalid(f"Mount target '{target.identifier}' is in the life cycle state '{state}'.")
        target.groups = self._groups(request["securityGroups"], target.vpc)
        self._world.set_interface_groups(target.interface, target.groups)
        target.life.enter("updating")
        return self._described(target)

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteMountTarget; its network interface goes when it is gone."""
        target = self._store.mount_target(request["mountTargetId"])
        if target.life.state() != "deleting":
            target.life.enter("deleting")
        return {}

    def _groups(self, wanted: list[str] | None, vpc: str) -> list[str]:
        if not wanted:
            return [self._world.default_group(vpc)]
        for group in wanted:
            home = self._world.group_vpc(group)
            if home is None:
                raise not_found("SecurityGroupNotFound", f"Security group '{group}' does not exist.")
            if home != vpc:
                raise invalid(f"Security group '{group}' is in the VPC '{home}', not in '{vpc}'.")
        return list(wanted)

    def _free_address(self, subnet: Subnet, wanted: str | None) -> str | None:
        if wanted is None:
            return None
        try:
            inside = ipaddress.ip_address(wanted) in ipaddress.ip_network(subnet.cidr)
        except ValueError:
            inside = False
        if not inside:
            raise invalid(f"ipv4Address: {wanted!r} is not in the subnet's range {subnet.cidr}")
        taken = [item.identifier for item in self._store.mount_targets.values() if item.address == wanted]
        if taken:
            raise conflict("IpAddressInUse", f"The address '{wanted}' is in use.", taken[0], "MOUNT_TARGET")
        return wanted

    def _described(self, item: MountTarget) -> dict[str, Any]:
        return {
            "availabilityZoneId": item.zone_id,
            "ownerId": self._world.account,
            "mountTargetId": item.identifier,
            "fileSystemId": item.file_system,
            "subnetId": item.subnet,
            "ipv4Address": item.address,
            "networkInterfaceId": item.interface,
            "vpcId": item.vpc,
            "securityGroups": item.groups,
            "status": item.life.state(),
        }
