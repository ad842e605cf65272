# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an S3 file system copies from its bucket, and how long it keeps it. Written behind the service's own lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call

# How often a change is asked for again when somebody else changed the rules in between.
ATTEMPTS = 3
LOCKED = "ConflictException"

Rules = dict[str, Any]


def read(client: Any, file_system_id: str) -> tuple[Rules, int]:
    """The rules in the form of `normal`, and their version, which a change has to name."""
    with doing(f"read the synchronization configuration of file system {file_system_id}"):
        answer = call(client.get_synchronization_configuration, fileSystemId=file_system_id)
    rules = [
        {"prefix": rule["prefix"], "trigger": rule["trigger"], "size_less_than": rule["sizeLessThan"]}
        for rule in answer.get("importDataRules") or []
    ]
    days = [rule["daysAfterLastAccess"] for rule in answer.get("expirationDataRules") or []]
    found = {"import_data_rules": rules, "days_after_last_access": days[0] if days else None}
    return normal(found), int(answer.get("latestVersionNumber") or 0)


def normal(rules: Mapping[str, Any]) -> Rules:
    """The rules in one form: import_data_rules in order of their prefixes, and days_after_last_access."""
    ordered = sorted((dict(rule) for rule in rules["import_data_rules"]), key=lambda rule: str(rule["prefix"]))
    return {"import_data_rules": ordered, "days_after_last_access": rules["days_after_last_access"]}


def write(client: Any, file_system_id: str, wanted: Rules, version: int) -> None:
    """Replace the rules of that version. When they are of another by now, they are read and replaced again.

    Raises AwsError.
    """
    for attempt in range(1, ATTEMPTS + 1):
        request: dict[str, Any] = {
            "fileSystemId": file_system_id,
            "importDataRules": [
                {"prefix": rule["prefix"], "trigger": rule["trigger"], "sizeLessThan": rule["size_less_than"]}
                for rule in wanted["import_data_rules"]
            ],
            "expirationDataRules": [{"daysAfterLastAccess": wanted["days_after_last_access"]}],
            "latestVersionNumber": version,
        }
        try:
            with doing(f"write the synchronization configuration of file system {file_system_id}"):
                call(client.put_synchronization_configuration, **request)
            return
        except AwsError as error:
            if error.code != LOCKED or attempt == ATTEMPTS:
                raise
        found, version = read(client, file_system_id)
        if found == wanted:  # our own call, whose reply was lost
            return
