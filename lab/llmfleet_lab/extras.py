# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is added to a lab that runs when a command asks for it, built at the first need."""

from __future__ import annotations

import os

from llmfleet_lab import definitions, ownership, prerequisites
from llmfleet_lab.build import Plan, build
from llmfleet_lab.errors import LabError
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.lifecycle import make_plan
from llmfleet_lab.paths import Paths
from llmfleet_lab.processes import Processes
from llmfleet_lab.progress import Progress


def add_definitions(paths: Paths, progress: Progress) -> None:
    """Make the running lab serve the kinds whose definitions it does not start with."""
    with ownership.locked(paths):
        plan = _built(paths, progress, definitions.PART)
        new, found = definitions.load(Kubectl(paths), plan.folder(definitions.PART))
        progress.say(f"{len(new)} definitions loaded, {len(found)} left as they were found")


def _built(paths: Paths, progress: Progress, *names: str) -> Plan:
    if Processes(paths).pid("kube-apiserver") is None:
        raise LabError("no lab runs on this machine: make lab-up")
    plan = make_plan(paths)
    if plan.missing(*names):
        prerequisites.check_go()
        build(plan, paths, progress, bool(os.environ.get("LLMFLEET_LAB_KEEP_GO_CACHE")), names)
    return plan
