# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reads the weights of the chosen models in the bucket again: a Job for each revision, of one run only.

They are members of the ApplySet of the weights: what a killed run leaves goes with the next run that applies those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import (
    HOPELESS,
    add_package,
    job,
    job_name,
    job_spec,
    model_labels,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Desired, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fetches import Fetch, fetches
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.weights_pod import verify_pod

# It differs from the ledger: it will the next time, too.
CORRUPT = 5


@dataclass(frozen=True)
class Verification:
    """objects: what is to be applied, the Jobs among it. jobs: name of a Job -> what it reads."""

    objects: list[Manifest]
    jobs: dict[str, Fetch]


def verification(fleet: Fleet, known: Mapping[str, str], run: str) -> Verification:
    """Return the Jobs that verify the chosen models and their adapters. run: tells this run from all others."""
    build = Builder(fleet, known, Desired())
    config = add_package(build)
    jobs: dict[str, Fetch] = {}
    for model in fleet.chosen:
        for fetch in fetches(model):
            name = job_name(fetch, "verify", hashlib.sha256(f"{run} {fetch.folder}".encode()).hexdigest()[:10])
            spec = job_spec(build, model, verify_pod(build, model, fetch, config), 2, (*HOPELESS, CORRUPT))
            build.add("models", "weights", job(build, name, spec), model_labels(model, "weights"))
            jobs[name] = fetch
    return Verification([entry["object"] for entry in build.desired.objects], jobs)
