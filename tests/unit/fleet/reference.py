# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference fleet: four models and two adapters, and what they become."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired

Object = dict[str, Any]
Variables = dict[str, Any]
FILE = Path(__file__).parent / "data" / "reference_fleet.yml"
NAMES = ("qwen-coder", "qwen3-8b", "qwen-coder-fim", "llamaguard3-1b")
ADAPTERS = ("qwen-coder-sql-dpo", "qwen-coder-securecode")
MODEL_LABEL, COMPONENT_LABEL = "app.kubernetes.io/name", "app.kubernetes.io/component"


def description() -> Variables:
    """The variables as they are written, each place its own object: a change changes nothing else."""
    loaded = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    # Anchors are one object in several places.
    return yaml.safe_load(yaml.dump(loaded, Dumper=_Plain))  # type: ignore[no-any-return]


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def entries(variables: Variables) -> list[Object]:
    """What a description becomes: {layer, component, object}, in the order in which it is applied."""
    return desired(describe(variables), {"weights/fetcher/__main__.py": "print()\n"}).objects


def manifests(variables: Variables, kind: str, model: str | None = None) -> list[Object]:
    """The objects of a kind, of one model or of all."""
    found = [entry["object"] for entry in entries(variables) if entry["object"]["kind"] == kind]
    return [item for item in found if model in (None, item["metadata"]["labels"].get(MODEL_LABEL))]


def engines(variables: Variables) -> list[Object]:
    """The Deployment of every model's engine."""
    found = manifests(variables, "Deployment")
    return [item for item in found if item["metadata"]["labels"].get(COMPONENT_LABEL) == "inference"]


def without_digest(name: str) -> str:
    """A name without the digest of its content at its end."""
    return re.sub(r"-[0-9a-f]{10}$", "-<digest>", name)


def pod_of(workload: Object) -> Object:
    """The pod of a Deployment or a Job."""
    return workload["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def engine(variables: Variables, model: str) -> Object:
    """The container that serves a model."""
    (deployment,) = manifests(variables, "Deployment", model)
    (container,) = pod_of(deployment)["containers"]
    return container  # type: ignore[no-any-return]


def containers(variables: Variables) -> list[Object]:
    """Every container of every workload of the models."""
    pods = [pod_of(item) for item in (*engines(variables), *manifests(variables, "Job"))]
    return [each for pod in pods for each in (*pod.get("initContainers", []), *pod["containers"])]
