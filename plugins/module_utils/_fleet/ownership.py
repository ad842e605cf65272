# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The labels (and AWS tags) by which everything that we make is recognised as ours."""

from __future__ import annotations

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "llmfleet"
CLUSTER_LABEL = "llmfleet.io/cluster"
LAYER_LABEL = "llmfleet.io/layer"
LAYERS = ("storage", "nodes", "controllers", "gateway", "models", "apps", "observability")


def ownership_labels(cluster: str, layer: str) -> dict[str, str]:
    """Return the labels of an object of a cluster's layer. Raises ValueError for an unknown layer."""
    if layer not in LAYERS:
        raise ValueError(f"layer: got {layer!r}; accepted: {', '.join(LAYERS)}")
    return {MANAGED_BY_LABEL: MANAGED_BY, CLUSTER_LABEL: cluster, LAYER_LABEL: layer}
