# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of an object that is not ready beside the reason: last words of its pods, events of it and of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import last_words, warnings

# (namespace, name); namespace is "" for kinds that live in none.
Place = tuple[str, str]


def details_of(
    client: Client, place: Place, pods: list[dict[str, Any]], events: Mapping[Place, list[str]]
) -> list[str]:
    """Return lines: the last words of the youngest pod that has left some, then the events of the object and its pods.

    place: the object. pods: its own.
    """
    lines = []
    for pod in sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp") or ""), reverse=True):
        words = last_words(client, pod)
        if words:
            lines.append(f"last words of pod {pod['metadata']['name']}:")
            lines.extend(f"  {line}" for line in words.splitlines())
            break
    for name in (place[1], *(pod["metadata"]["name"] for pod in pods[:3])):
        lines.extend(f"event of {name}: {text}" for text in events.get((place[0], name), []))
    return lines


def events_of(client: Client, objects: list[tuple[Place, list[dict[str, Any]]]]) -> dict[Place, list[str]]:
    """Return the last warning events of some objects and of their pods, by place. objects: with the pods of each."""
    names: dict[str, set[str]] = defaultdict(set)
    for (namespace, name), pods in objects:
        names[namespace] |= {name, *(pod["metadata"]["name"] for pod in pods)}
    found: dict[Place, list[str]] = {}
    for namespace, wanted in names.items():
        try:
            told = warnings(client, namespace or None, wanted)
        except ClusterError:  # the reason stands without them
            continue
        found.update({(namespace, name): lines for name, lines in told.items()})
    return found
