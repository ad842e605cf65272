# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests against a real API server: the lab's, or the cluster of the kubeconfig that LLMFLEET_TEST_KUBECONFIG names."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client, open_client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import read_owned
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.teardown import delete_all
from llmfleet_lab.paths import default_paths


@pytest.fixture(scope="session")
def kubeconfig() -> str:
    """Path of the kubeconfig; without a cluster these tests fail, they are not skipped."""
    path = os.environ.get("LLMFLEET_TEST_KUBECONFIG") or str(default_paths().kubeconfig)
    if not os.path.isfile(path):
        pytest.fail("no cluster to test against: make lab-up, or set LLMFLEET_TEST_KUBECONFIG", pytrace=False)
    return path


@pytest.fixture
def connect(kubeconfig: str) -> Callable[[], Client]:
    """Makes a client that has counted nothing yet."""
    return lambda: open_client({"name": "any", "kubeconfig": kubeconfig})


@pytest.fixture
def client(connect: Callable[[], Client]) -> Client:
    """A client."""
    return connect()


@pytest.fixture(scope="package")
def used(kubeconfig: str) -> Iterator[list[str]]:
    """The cluster names used so far; whatever carries one of them is deleted at the end of these tests, all at once.

    Others need the node's CPU.
    """
    names: list[str] = []
    yield names

    def clean(name: str) -> None:
        cleaner = open_client({"name": name, "kubeconfig": kubeconfig})
        delete_all(cleaner, name, read_owned(cleaner, name), timeout=120, foreign_content=True)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(clean, names))


@pytest.fixture
def cluster(used: list[str]) -> str:
    """A cluster name of this test alone."""
    used.append(f"t{uuid.uuid4().hex[:8]}")
    return used[-1]


@pytest.fixture
def objects(cluster: str) -> list[dict[str, Any]]:
    """Objects of many kinds, named after the test's cluster; the namespace is the cluster's name."""
    text = (Path(__file__).parent / "objects.yaml").read_text()
    return list(yaml.safe_load(text.replace("CLUSTER", cluster)))


@pytest.fixture
def namespace(cluster: str) -> dict[str, Any]:
    """The namespace of the test."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster}}
