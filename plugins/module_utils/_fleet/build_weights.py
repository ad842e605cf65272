# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings weights into the bucket and proves them complete: one Job a model, and one an adapter."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fetches import Fetch, fetches
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import FETCHER_ACCOUNT
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.weights_pod import PACKAGE, fetch_pod

PACKAGE_KEY = f"weights/{PACKAGE}/"
MAIN = "__main__.py"
# On every object of a model, and on no other.
MODEL_LABEL = "app.kubernetes.io/name"
# Exit statuses of the fetcher: its configuration is wrong; there is no such repository, revision or file.
HOPELESS = (2, 4)


def model_labels(model: Model, component: str) -> dict[str, str]:
    """Labels of the objects of a model; component: inference or weights."""
    return {
        MODEL_LABEL: model.name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "llmfleet",
    }


def add_weights(build: Builder) -> None:
    """Add the fetcher's account and package, and every model's Jobs."""
    config = add_package(build)
    for model in build.fleet.models:
        for fetch in fetches(model):
            build.add("models", "weights", _job(build, model, fetch, config), model_labels(model, "weights"))


def add_package(build: Builder) -> str:
    """Add what every pod of the fetcher needs, its account and its package; the name of the package's ConfigMap."""
    names = build.fleet.names
    build.add(
        "models",
        "weights",
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": FETCHER_ACCOUNT, "namespace": names.models_namespace},
            # EKS Pod Identity injects a token of its own; the API server is nothing to the fetcher.
            "automountServiceAccountToken": False,
        },
    )
    package = _package(build)
    config = f"weights-fetcher-{_digest(package)}"
    build.add(
        "models",
        "weights",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            # Named by its content: a running Job keeps the package that it was made with.
            "metadata": {"name": config, "namespace": names.models_namespace},
            "immutable": True,
            "data": package,
        },
    )
    return config


def _package(build: Builder) -> dict[str, str]:
    """The text of every file of the package by its name."""
    found = {key.removeprefix(PACKAGE_KEY): text for key, text in build.known.items() if key.startswith(PACKAGE_KEY)}
    # Whoever read a file may have cut its last line end: the name of the ConfigMap must not depend on that.
    return {name: text.rstrip("\n") + "\n" for name, text in (found or {MAIN: f"pending:{PACKAGE_KEY}{MAIN}"}).items()}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:10]


def _job(build: Builder, model: Model, fetch: Fetch, config: str) -> Manifest:
    """The Job, named by everything in it: its template is immutable, so that a change is another Job."""
    # Both verbs go on where they stopped; what is tried again has outlasted the fetcher's own patience.
    spec = job_spec(build, model, fetch_pod(build, model, fetch, config), 4, HOPELESS)
    name = job_name(fetch, "weights" if fetch.cache else "adapter", _digest(spec))
    return job(build, name, spec)


def job_spec(
    build: Builder, model: Model, pod: dict[str, Any], tries_again: int, hopeless: tuple[int, ...]
) -> dict[str, Any]:
    """Spec of a Job of the fetcher. hopeless: exit statuses after which it is not tried again."""
    owned = ownership_labels(build.fleet.names.cluster, "models")
    return {
        "backoffLimit": tries_again,
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                # Trying again does not help. (A refusal may: permissions take a while to be known everywhere.)
                {"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(hopeless)}},
            ]
        },
        "template": {"metadata": {"labels": model_labels(model, "weights") | owned}, "spec": pod},
    }


def job(build: Builder, name: str, spec: dict[str, Any]) -> Manifest:
    """A Job in the namespace of the models."""
    metadata = {"name": name, "namespace": build.fleet.names.models_namespace}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def job_name(fetch: Fetch, kind: str, digest: str) -> str:
    """At most 63 characters, as a Job's name is a label of its pods; the digest tells long names apart."""
    room = 63 - len(kind) - len(digest) - 2
    return f"{fetch.name[:room].rstrip('-')}-{kind}-{digest}"
