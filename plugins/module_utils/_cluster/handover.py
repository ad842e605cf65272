# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A number of replicas that we set so far and that a scaler sets from now on.

A field that its only owner applies no more goes back to its default, which is one replica: those that serve would be
cut down to one until the scaler has looked. So the number is first applied as it is by another manager, which then owns
it too, until the scaler writes another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import FIELD_MANAGER, Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.fields import owned_fields

MANAGER = f"{FIELD_MANAGER}-handover"


def given_up(live: Mapping[str, Any], desired: Mapping[str, Any]) -> int | None:
    """Return the replicas that we have set in a live object and want to set no more, None when there are none."""
    owned = (owned_fields(live, FIELD_MANAGER) or {}).get("f:spec") or {}
    if "f:replicas" not in owned or "replicas" in (desired.get("spec") or {}):
        return None
    found = (live.get("spec") or {}).get("replicas")
    return None if found is None else int(found)


def hand_over(client: Client, path: str, desired: Mapping[str, Any], replicas: int) -> None:
    """Have the other manager own a number of replicas. path: of the object. Raises ApiError."""
    metadata = {key: desired["metadata"][key] for key in ("name", "namespace") if key in desired["metadata"]}
    body = {"apiVersion": desired["apiVersion"], "kind": desired["kind"], "metadata": metadata}
    client.apply(path, {**body, "spec": {"replicas": replicas}}, force=True, manager=MANAGER)
