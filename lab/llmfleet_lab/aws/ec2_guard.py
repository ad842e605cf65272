# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 checks and moto does not: security groups that are in use, and dry runs of every operation."""

from __future__ import annotations

from urllib.parse import parse_qsl

from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.world import World


def check(request: Request, call: Call, world: World) -> None:
    """Answer dry runs, and refuse to delete a security group that an interface or another group refers to.

    Raises AwsFault: DryRunOperation or DependencyViolation.
    """
    if call.dry_run:
        # moto carries out some operations in spite of it.
        raise AwsFault("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    if call.operation != "DeleteSecurityGroup":
        return
    group = dict(parse_qsl(request.body.decode("latin-1"))).get("GroupId", "")
    if group in world.groups_in_use() or world.referring_group(group):
        raise AwsFault("DependencyViolation", f"resource {group} has a dependent object", 400)
