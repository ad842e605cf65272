# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at random moments of site.yml and destroy.yml: the next run ends with the same objects, or the same nothing.

LLMFLEET_TEST_SEED repeats the moments of an earlier run; the seed in use is in each failure.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import revisions
from llmfleet_lab.paths import Paths

from tests.lab.conftest import ROOT, Playbook
from tests.lab.faults import Killed
from tests.lab.snapshot import differences, lab_client, owned

pytestmark = pytest.mark.full
CONFIRM = ["-e", "llmfleet_destroy_confirm=lab"]
SEED = int(os.environ.get("LLMFLEET_TEST_SEED") or time.time())


@dataclass
class Uninterrupted:
    """The platform as a run that nobody disturbs makes it, and how many seconds its playbooks take."""

    objects: dict[str, str]
    site: float
    destroy: float


@dataclass
class Runs:
    """site.yml and destroy.yml, whole or killed."""

    playbook: Playbook
    stand_in: list[str]
    paths: Paths
    output: Path

    def whole(self, name: str) -> float:
        """Run a playbook to its end; return the seconds."""
        began = time.monotonic()
        done = self.playbook(name, *(self.stand_in if name == "site" else CONFIRM))
        assert done.returncode == 0, f"seed {SEED}\n{done.stdout[-6000:]}"
        return time.monotonic() - began

    def killed(self, name: str, moment: Callable[[float], bool], everything: bool) -> Killed:
        """Run a playbook and kill it at a moment."""
        arguments = self.stand_in if name == "site" else CONFIRM
        command = ["ansible-playbook", f"playbooks/{name}.yml", *arguments]
        run = Killed(command, cwd=ROOT, output=self.output, everything=everything)
        return run.at(moment, within=600)

    def nothing_is_owned(self) -> None:
        """Fail when anything owned is left."""
        assert owned(self.paths) == {}, f"seed {SEED}"

    def same_as(self, wanted: Uninterrupted) -> None:
        """Fail when the platform differs from the one that nobody disturbed."""
        assert differences(wanted.objects, owned(self.paths)) == [], f"seed {SEED}"


@pytest.fixture
def runs(playbook: Playbook, stand_in: list[str], paths: Paths, tmp_path: Path) -> Runs:
    """Runs, from a cluster where nothing is owned."""
    found = Runs(playbook, stand_in, paths, tmp_path / "killed.log")
    if owned(paths):
        found.whole("destroy")
    return found


_REFERENCE: list[Uninterrupted] = []


@pytest.fixture
def uninterrupted(runs: Runs) -> Uninterrupted:
    """Made once."""
    if not _REFERENCE:
        site = runs.whole("site")
        objects = owned(runs.paths)
        _REFERENCE.append(Uninterrupted(objects, site, runs.whole("destroy")))
        runs.nothing_is_owned()
    return _REFERENCE[0]


@pytest.mark.parametrize("number", range(20))
def test_killed_at_a_random_moment(runs: Runs, uninterrupted: Uninterrupted, number: int) -> None:
    """Every second time all that the run has started is killed, too; else what it has started goes on for a while."""
    chance = random.Random(f"{SEED}/{number}")
    at = chance.uniform(0.02, 0.98) * uninterrupted.site
    killed = runs.killed("site", lambda seconds: seconds >= at, everything=number % 2 == 0)
    runs.whole("site")
    killed.wait_for_orphans(120)
    runs.same_as(uninterrupted)
    if number < 10:
        at = chance.uniform(0.02, 0.98) * uninterrupted.destroy
        killed = runs.killed("destroy", lambda seconds: seconds >= at, everything=number % 2 == 0)
    runs.whole("destroy")
    killed.wait_for_orphans(120)
    runs.nothing_is_owned()


@pytest.mark.parametrize("everything", [True, False])
def test_killed_inside_a_helm_installation(runs: Runs, uninterrupted: Uninterrupted, everything: bool) -> None:
    client = lab_client(runs.paths)

    def installing(seconds: float) -> bool:
        return any(found.status == "pending-install" for found in revisions(client, "llm-gateway", "envoy-gateway"))

    killed = runs.killed("site", installing, everything)
    assert killed.ended is None
    runs.whole("site")
    killed.wait_for_orphans(120)
    runs.same_as(uninterrupted)


def test_a_destroy_right_after_a_killed_helm_installation(runs: Runs) -> None:
    client = lab_client(runs.paths)

    def installing(seconds: float) -> bool:
        return any(found.status == "pending-install" for found in revisions(client, "llm-gateway", "envoy-gateway"))

    assert runs.killed("site", installing, everything=True).ended is None
    runs.whole("destroy")
    runs.nothing_is_owned()
