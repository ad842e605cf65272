# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replicas that go over to a scaler: what is sent to the API server, and in which order."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.desired import Item
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.discovery import Resource
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.handover import MANAGER, given_up
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.settle import Settler
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels

DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", True)


class Server:
    """Stands for an API server: keeps what is applied, and answers as it would with the only owner's field gone."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bool, Any]] = []

    def apply(
        self,
        path: str,
        body: Any,
        *,
        dry_run: bool = False,
        force: bool = False,
        manager: str = "llmfleet",
        metadata_only: bool = False,
    ) -> Any:
        self.sent.append((manager, dry_run, body["spec"].get("replicas")))
        kept = any(who == MANAGER for who, dry, _count in self.sent if not dry)
        return {**body, "spec": {**body["spec"], "replicas": 3 if kept else 1}}


def manifest(replicas: int | None, strategy: str = "Recreate") -> dict[str, Any]:
    spec: dict[str, Any] = {"strategy": {"type": strategy}, **({} if replicas is None else {"replicas": replicas})}
    metadata = {"name": "qwen", "namespace": "llm", "labels": ownership_labels("prod", "models")}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def live(owned: bool = True) -> dict[str, Any]:
    """A Deployment of three replicas; owned: whether we have set their number."""
    fields = {"f:spec": {"f:strategy": {"f:type": {}}, **({"f:replicas": {}} if owned else {})}}
    found = manifest(3)
    found["metadata"] |= {
        "uid": "u",
        "managedFields": [{"manager": "llmfleet", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": fields}],
    }
    return found


def settle(item: Item, check: bool = False) -> Server:
    server = Server()
    Settler(cast(Client, server), "prod", time.monotonic() + 5, check=check).settle(item)
    return server


def test_the_number_is_owned_by_another_before_we_let_go_of_it() -> None:
    item = Item(manifest(None), DEPLOYMENTS, live())
    server = settle(item)
    assert server.sent == [("llmfleet", True, None), (MANAGER, False, 3), ("llmfleet", False, None)]
    assert item.action == "configured" and item.after is not None and item.after["spec"]["replicas"] == 3


def test_check_mode_shows_the_number_that_stays_and_writes_nothing() -> None:
    item = Item(manifest(None), DEPLOYMENTS, live())
    server = settle(item, check=True)
    assert server.sent == [("llmfleet", True, None)]
    assert item.action == "configured" and item.after is not None and item.after["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    ("before", "wanted", "replicas"),
    [
        (live(), manifest(None), 3),
        (live(), manifest(2), None),
        (live(owned=False), manifest(None), None),
        ({**live(), "metadata": {"name": "qwen"}}, manifest(None), None),
    ],
)
def test_when_a_number_is_given_up(before: dict[str, Any], wanted: dict[str, Any], replicas: int | None) -> None:
    assert given_up(before, wanted) == replicas


def test_what_has_no_number_is_sent_once() -> None:
    server = settle(Item(manifest(None, "RollingUpdate"), DEPLOYMENTS, live(owned=False)))
    assert [(who, dry) for who, dry, _count in server.sent] == [("llmfleet", True), ("llmfleet", False)]
