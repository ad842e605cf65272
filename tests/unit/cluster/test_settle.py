# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What needs no request, and what is kept of objects that were dealt with."""

from __future__ import annotations

import copy
import time
from typing import Any, cast

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import Item, prepare
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.settle import Settler
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
LABELS = {f"f:{label}": {} for label in ownership_labels("prod", "models")}
OWNED = {
    "manager": "llmfleet",
    "operation": "Apply",
    "apiVersion": "v1",
    "fieldsV1": {"f:metadata": {"f:labels": LABELS}, "f:data": {"f:a": {}}},
}


class Server:
    """Stands for an API server: keeps what it was asked, answers with what is stored."""

    def __init__(self) -> None:
        self.sent: list[tuple[bool, bool]] = []

    def apply(self, path: str, body: Any, *, dry_run: bool, force: bool, metadata_only: bool) -> Any:
        self.sent.append((dry_run, metadata_only))
        return {**body, "metadata": {**body["metadata"], "managedFields": [OWNED]}}


def item(value: str = "1") -> Item:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "llm"}, "data": {"a": value}}
    (found,) = prepare([obj], "prod", "models")
    found.resource = MAPS
    return found


def live(**changes: Any) -> dict[str, Any]:
    found = copy.deepcopy(item().desired)
    found["metadata"] |= {"uid": "u", "managedFields": [OWNED], **changes}
    return found


def settler(server: Server, keep: bool) -> Settler:
    return Settler(cast(Client, server), "prod", time.monotonic() + 5, keep=keep)


def test_what_is_as_desired_needs_no_request() -> None:
    server = Server()
    assert settler(server, keep=False).as_desired(item(), live())
    assert server.sent == []


@pytest.mark.parametrize(
    "seen",
    [
        live(deletionTimestamp="2026-01-01T00:00:00Z"),
        live(labels={}),
        live(labels=ownership_labels("other", "models")),
        live(managedFields=[]),
        {**live(), "data": {"a": "2"}},
        {**live(), "data": {}},
    ],
    ids=["being deleted", "not ours", "of another cluster", "not applied", "other value", "no value"],
)
def test_anything_else_is_looked_at(seen: dict[str, Any]) -> None:
    assert not settler(Server(), keep=False).as_desired(item(), seen)


@pytest.mark.parametrize("keep", [True, False])
def test_answers_are_asked_for_and_kept_only_for_diffs(keep: bool) -> None:
    server, new, changed = Server(), item(), item("2")
    changed.live = live()
    for one in (new, changed):
        settler(server, keep).settle(one)
    # One write for the new one; a dry run, which must be whole to be compared, and a write for the other.
    assert server.sent == [(False, not keep), (True, False), (False, not keep)]
    assert (new.action, changed.action) == ("created", "configured")
    assert (new.after is not None, changed.after is not None, changed.live is not None) == (keep,) * 3


def test_a_parent_keeps_what_it_named_before() -> None:
    parent = item("2")
    parent.desired["metadata"]["labels"]["applyset.kubernetes.io/id"] = "applyset-x-v1"
    parent.live = live()
    settler(Server(), keep=False).settle(parent)
    assert parent.live is not None


def test_a_deployment_keeps_the_release_that_it_had() -> None:
    deployment = item("2")
    deployment.desired["kind"] = "Deployment"
    deployment.live = {**live(), "kind": "Deployment"}
    settler(Server(), keep=False).settle(deployment)
    assert deployment.action == "configured" and deployment.live is not None
