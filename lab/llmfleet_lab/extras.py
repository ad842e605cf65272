# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is added to a lab that runs when a command asks for it, built at the first need."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from llmfleet_lab import definitions, lifecycle, ownership, prerequisites
from llmfleet_lab.build import Plan, build
from llmfleet_lab.errors import LabError
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.parts import EXTRA_IMAGES
from llmfleet_lab.paths import Paths
from llmfleet_lab.processes import Processes
from llmfleet_lab.progress import Progress

# One that the webhooks of LeaderWorkerSet's controller take.
_SMALLEST_SET = {
    "apiVersion": "leaderworkerset.x-k8s.io/v1",
    "kind": "LeaderWorkerSet",
    "metadata": {"name": "smallest", "namespace": "default"},
    "spec": {
        "leaderWorkerTemplate": {"workerTemplate": {"spec": {"containers": [{"name": "smallest", "image": "none"}]}}}
    },
}
# Seconds. The kubelet shows a pod new content of a Secret within a minute and a half, certificates too.
_WEBHOOKS_WITHIN = 180.0


def add_definitions(paths: Paths, progress: Progress) -> None:
    """Make the running lab serve the kinds whose definitions it does not start with."""
    with ownership.locked(paths):
        plan = _built(paths, progress, definitions.PART)
        new, found = definitions.load(Kubectl(paths), plan.folder(definitions.PART))
        progress.say(f"{len(new)} definitions loaded, {len(found)} left as they were found")


def add_leader_worker_set(paths: Paths, progress: Progress) -> None:
    """Install LeaderWorkerSet's controller from its own chart; it makes the certificates of its webhooks itself."""
    with ownership.locked(paths):
        plan = _built(paths, progress, *EXTRA_IMAGES, "leader-worker-set")
        lifecycle.import_images(paths, plan, progress, EXTRA_IMAGES)
        image, _, tag = EXTRA_IMAGES["image-leader-worker-set"][0].rpartition(":")
        values = {
            "image": {"manager": {"repository": image, "tag": tag, "pullPolicy": "IfNotPresent"}},
            "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}},
        }
        chart = plan.folder("leader-worker-set") / "chart"
        kubectl = Kubectl(paths)
        with progress.step("LeaderWorkerSet's controller"):
            # Helm refuses fields of definitions that are others': those of the command crds may be there.
            definitions.load(kubectl, chart / "crds")
            _install(paths, "lws", chart, "lws-system", values)
            _wait_until_taken(kubectl, _SMALLEST_SET)


def _install(paths: Paths, release: str, chart: Path, namespace: str, values: dict[str, Any]) -> None:
    command = [
        *(str(paths.state / "bin/helm"), f"--kubeconfig={paths.kubeconfig}", "upgrade", "--install", release),
        *(str(chart), "--namespace", namespace, "--create-namespace", "--skip-crds"),
        *("--wait", "--timeout=180s", "--values=-"),
    ]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"helm upgrade --install {release} ended with {done.returncode}: {done.stderr.strip()[-3000:]}")


def _wait_until_taken(kubectl: Kubectl, obj: dict[str, Any]) -> None:
    """Repeat a dry run until the webhooks answer: a controller is ready before its certificates are."""
    deadline = time.monotonic() + _WEBHOOKS_WITHIN
    while True:
        try:
            kubectl.run("create", "--dry-run=server", "-f", "-", text=json.dumps(obj))
            return
        except LabError as error:
            if time.monotonic() > deadline:
                raise LabError(f"its webhooks did not answer within {_WEBHOOKS_WITHIN:.0f} s: {error}") from None
            time.sleep(1)


def _built(paths: Paths, progress: Progress, *names: str) -> Plan:
    if Processes(paths).pid("kube-apiserver") is None:
        raise LabError("no lab runs on this machine: make lab-up")
    plan = lifecycle.make_plan(paths)
    if plan.missing(*names):
        prerequisites.check_go()
        build(plan, paths, progress, bool(os.environ.get("LLMFLEET_LAB_KEEP_GO_CACHE")), names)
    return plan
