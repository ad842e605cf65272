# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ApplySets: the standard labels that tell, also to kubectl, which objects were applied together.

A set has a parent, here a ConfigMap without data, which names the kinds that its members are of. (KEP 3659; the labels
and annotations are in Kubernetes' reference of well-known labels.)
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

ID_LABEL = "applyset.kubernetes.io/id"
MEMBER_LABEL = "applyset.kubernetes.io/part-of"
TOOLING = "applyset.kubernetes.io/tooling"
KINDS = "applyset.kubernetes.io/contains-group-kinds"
OTHER_NAMESPACES = "applyset.kubernetes.io/additional-namespaces"
# <name>/<version of the form that sets have>: other tools leave sets alone whose tooling has another name.
TOOL = "llmfleet/v1.0.0"


def parent_name(layer: str, component: str) -> str:
    """Return the name of the parent of what a role applies in a layer."""
    return f"llmfleet-{layer}-{component}".replace("_", "-")


def identifier(name: str, namespace: str) -> str:
    """Return the id of the set whose parent is the ConfigMap of that name: a label value of 55 characters."""
    digest = hashlib.sha256(f"{name}.{namespace}.ConfigMap.".encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"


def group_kind(obj: Mapping[str, Any]) -> str:
    """Return Kind.group of an object, Kind alone for the core group."""
    group = str(obj["apiVersion"]).rpartition("/")[0]
    return f"{obj['kind']}.{group}" if group else str(obj["kind"])


def kinds_text(kinds: Iterable[str]) -> str:
    """Return group kinds as the annotation has them."""
    return ",".join(sorted(set(kinds)))


def kinds_of(parent: Mapping[str, Any] | None) -> set[str]:
    """Return the group kinds that a parent names; none for no parent."""
    annotations = ((parent or {}).get("metadata") or {}).get("annotations") or {}
    return {kind for kind in str(annotations.get(KINDS) or "").split(",") if kind}


def is_parent(obj: Mapping[str, Any]) -> bool:
    """Tell whether an object is the parent of a set."""
    return ID_LABEL in ((obj.get("metadata") or {}).get("labels") or {})


def parent(name: str, namespace: str, members: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parent of a set of objects."""
    found = list(members)
    annotations = {TOOLING: TOOL, KINDS: kinds_text(map(group_kind, found))}
    others = {str(obj["metadata"]["namespace"]) for obj in found if obj["metadata"].get("namespace")} - {namespace}
    if others:
        annotations[OTHER_NAMESPACES] = ",".join(sorted(others))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {ID_LABEL: identifier(name, namespace)},
            "annotations": annotations,
        },
    }
