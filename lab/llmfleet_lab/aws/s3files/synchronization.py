# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file system imports from its bucket and how long it keeps it, behind an optimistic lock."""

from __future__ import annotations

from typing import Any

from llmfleet_lab.aws.s3files.resources import Store, conflict, invalid


def default(prefix: str) -> dict[str, Any]:
    """The rules that a new file system has: files below 128 KiB on first listing, kept for 30 days."""
    return {
        "latestVersionNumber": 0,
        "importDataRules": [{"prefix": prefix, "trigger": "ON_DIRECTORY_FIRST_ACCESS", "sizeLessThan": 131072}],
        "expirationDataRules": [{"daysAfterLastAccess": 30}],
    }


class Synchronization:
    """GetSynchronizationConfiguration and PutSynchronizationConfiguration."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """The rules and their version."""
        return self._store.file_system(request["fileSystemId"]).synchronization

    def put(self, request: dict[str, Any]) -> dict[str, Any]:
        """Replace the rules, when latestVersionNumber is that of the present ones.

        It may be left out for the first change of a file system only.
        """
        file_system = self._store.ready_file_system(request["fileSystemId"])
        present = file_system.synchronization["latestVersionNumber"]
        if request.get("latestVersionNumber", 0) != present:
            message = (
                f"The synchronization configuration of '{file_system.identifier}' has version {present}, "
                f"not {request.get('latestVersionNumber', 'none')}."
            )
            raise conflict("VersionMismatch", message, file_system.identifier, "SYNCHRONIZATION_CONFIGURATION")
        prefixes = [rule["prefix"] for rule in request["importDataRules"]]
        if len(set(prefixes)) != len(prefixes):
            raise invalid("Invalid importDataRules. A prefix is given twice.")
        if not all(prefix.startswith(file_system.prefix) for prefix in prefixes):
            raise invalid(
                f"Invalid importDataRules. Prefix must start with the file system prefix '{file_system.prefix}' "
                "for each rule."
            )
        file_system.synchronization = {
            "latestVersionNumber": present + 1,
            "importDataRules": request["importDataRules"],
            "expirationDataRules": request["expirationDataRules"],
        }
        return {}
