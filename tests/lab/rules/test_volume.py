# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume whose handle no longer fits the file system: refused with the way out named, replaced when told."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.paths import Paths

from tests.lab.conftest import Playbook
from tests.lab.kit import Writes
from tests.lab.snapshot import REGION, aws_settings, owned

pytestmark = pytest.mark.full
STORAGE = ("--tags", "storage")


@pytest.fixture(scope="module", autouse=True)
def only_storage(playbook: Playbook, paths: Paths) -> Iterator[None]:
    """The storage layer alone, from nothing to nothing: no pod uses the volume."""
    if owned(paths):
        assert playbook("destroy", "-e", "llmfleet_destroy_confirm=lab").returncode == 0
    done = playbook("site", *STORAGE)
    assert done.returncode == 0, done.stdout[-4000:]
    yield
    assert playbook("destroy", "-e", "llmfleet_destroy_confirm=lab").returncode == 0


def handle(kubectl: Kubectl) -> str:
    """The volume's handle."""
    return kubectl.run("get", "pv", "lab-weights", "-o", "jsonpath={.spec.csi.volumeHandle}")


def test_another_handle_is_refused_and_replaced_when_told(playbook: Playbook, kubectl: Kubectl, paths: Paths) -> None:
    before = handle(kubectl)
    point = before.rpartition("::")[2]
    service = session(aws_settings(paths), REGION).client("s3files")
    service.delete_access_point(accessPointId=point)
    until = time.monotonic() + 60
    listed = [{"status": "deleting"}]
    while listed and time.monotonic() < until:
        answer = service.list_access_points(fileSystemId=before.split(":")[1])
        listed = [item for item in answer["accessPoints"] if item["accessPointId"] == point]
        time.sleep(0.5)
    done = playbook("site", *STORAGE)
    told = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "PersistentVolume lab-weights" in told
    assert "llmfleet_storage_replace: got False; accepted: true" in told
    assert handle(kubectl) == before
    planned = Writes(paths)
    done = playbook("site", *STORAGE, "--check", "-e", "llmfleet_storage_replace=true")
    assert done.returncode == 0, done.stdout[-4000:]
    assert planned.kubernetes() == []
    done = playbook("site", *STORAGE, "-e", "llmfleet_storage_replace=true")
    assert done.returncode == 0, done.stdout[-4000:]
    after = handle(kubectl)
    assert after != before and after.startswith("s3files:")
    assert kubectl.run("get", "pvc", "weights", "-n", "llm", "-o", "jsonpath={.status.phase}") == "Bound"
    again = Writes(paths)
    assert playbook("site", *STORAGE).returncode == 0
    assert again.kubernetes() == []
