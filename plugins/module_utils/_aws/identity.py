# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who we are to AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call


@dataclass(frozen=True)
class Identity:
    """account: 12 digits. arn: of the user or assumed role. partition: aws, aws-cn, aws-us-gov, …"""

    account: str
    arn: str
    partition: str


def caller(sts: Any) -> Identity:
    """The identity behind the client's credentials. sts: a client of "sts".

    Raises AwsError that tells expired, invalid, missing and unobtainable credentials apart.
    """
    with doing("find out the AWS identity"):
        answer = call(sts.get_caller_identity)
    arn = str(answer["Arn"])
    return Identity(account=str(answer["Account"]), arn=arn, partition=arn.split(":")[1])
