# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a model serving while nodes go: disruption budget, spread over zones and nodes, the pods' annotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Manifest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Model

DO_NOT_DISRUPT = "karpenter.sh/do-not-disrupt"


def budget(model: Model, metadata: Mapping[str, str], pods: Mapping[str, str]) -> list[Manifest]:
    """The budget by which one pod may go at a time, where two replicas serve at least. pods: labels of all pods."""
    if not model.get("availability.do_not_disrupt") or model.get("scaling.min") < 2:
        return []
    return [
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": dict(metadata),
            "spec": {
                "maxUnavailable": 1,
                # A pod that does not serve may always go: it would keep the node of a broken model for ever.
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
                "selector": {"matchLabels": dict(pods)},
            },
        }
    ]


def spread(model: Model, pods: Mapping[str, str]) -> dict[str, Any]:
    """The part of a pod that spreads replicas. pods: labels that the replicas have, and nothing else.

    A replica that has no other place shares one: GPUs are scarce.
    """
    return {"topologySpreadConstraints": spread_constraints(pods)} if model.may_have_replicas else {}


def spread_constraints(pods: Mapping[str, str]) -> list[dict[str, Any]]:
    """Constraints that spread pods with these labels over zones and nodes, where there is a choice."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(pods)},
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def pod_annotations(model: Model) -> dict[str, str]:
    """Annotations of the pods: the user's, and that Karpenter leaves them alone."""
    own = {DO_NOT_DISRUPT: "true"} if model.get("availability.do_not_disrupt") else {}
    return {**model.get("annotations"), **own}
