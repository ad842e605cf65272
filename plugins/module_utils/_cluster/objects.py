# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an object matters to people: its name, its comparable part, a diff without noise and without secrets."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster import sdk

HIDDEN = "<hidden>"
CHANGED = "<hidden, changed>"
_NOISE = (
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def describe(obj: Mapping[str, Any]) -> str:
    """Return "Kind namespace/name", or "Kind name" for what is in no namespace."""
    metadata = obj.get("metadata") or {}
    name, namespace = metadata.get("name", "?"), metadata.get("namespace")
    return f"{obj.get('kind', '?')} {namespace}/{name}" if namespace else f"{obj.get('kind', '?')} {name}"


def without_nulls(value: Any) -> Any:
    """Return a copy without mapping entries that are null: in an applied object they say nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def encoded_secret(obj: dict[str, Any]) -> dict[str, Any]:
    """Return a Secret whose stringData has become data: the server stores data only, and so it can be compared."""
    text = obj.get("stringData")
    if obj.get("kind") != "Secret" or obj.get("apiVersion") != "v1" or text is None:
        return obj
    found = {key: value for key, value in obj.items() if key != "stringData"}
    found["data"] = {**(obj.get("data") or {})}
    for key, value in text.items():
        found["data"][key] = base64.b64encode(str(value).encode()).decode()
    return found


def comparable(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy without status and what the server keeps by itself: equal before and after means unchanged."""
    found = {key: copy.deepcopy(value) for key, value in obj.items() if key != "status"}
    metadata = {key: value for key, value in (found.get("metadata") or {}).items() if key not in _NOISE}
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict) and _LAST_APPLIED in annotations:
        del annotations[_LAST_APPLIED]  # repeats the whole object, a Secret's values included
    if not annotations:
        metadata.pop("annotations", None)
    found["metadata"] = metadata
    return found


def is_secret(obj: Mapping[str, Any] | None) -> bool:
    """Tell whether this is a core Secret."""
    return bool(obj) and obj is not None and obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


def secret_values(obj: Mapping[str, Any]) -> list[str]:
    """Return a Secret's values as they could turn up in a message: encoded, and as text. Empty values are left out."""
    found = []
    for value in (obj.get("data") or {}).values():
        found.append(str(value))
        try:
            found.append(base64.b64decode(str(value)).decode())
        except ValueError:  # not text, or not base64: only the encoded form can turn up
            continue
    return [value for value in found if value]


def diff_entry(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, str]:
    """Return an Ansible diff entry {before_header, after_header, before, after} of one object as YAML.

    None means that the object does not exist (yet, any more). Of a Secret's values, and of those in the environment of
    containers, only the names show, and whether each one changes.
    """
    old, new = (comparable(before) if before else None), (comparable(after) if after else None)
    if is_secret(before) or is_secret(after):
        _hide(old, new)
    _hide_environment(old, new)
    title = describe(before or after or {})
    return {
        "before_header": title,
        "after_header": title,
        "before": _yaml(old),
        "after": _yaml(new),
    }


def _hide(old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
    for part in ("data", "stringData"):
        earlier = (old or {}).get(part) or {}
        later = (new or {}).get(part) or {}
        if old is not None and earlier:
            old[part] = dict.fromkeys(earlier, HIDDEN)
        if new is not None and later:
            new[part] = {
                key: CHANGED if key in earlier and earlier[key] != value else HIDDEN for key, value in later.items()
            }


def _hide_environment(old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
    """Hide the values of environment variables: people put keys there, whatever they are told."""
    earlier = {(container, entry["name"]): entry["value"] for container, entry in _environment(old)}
    for container, entry in _environment(new):
        changed = earlier.get((container, entry["name"]), entry["value"]) != entry["value"]
        entry["value"] = CHANGED if changed else HIDDEN
    for _container, entry in _environment(old):
        entry["value"] = HIDDEN


def _environment(value: Any, container: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name of the container, entry of its environment) for each entry with a value, at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "env" and isinstance(item, list):
                named = (entry for entry in item if isinstance(entry, dict) and "name" in entry and "value" in entry)
                yield from ((container, entry) for entry in named)
            else:
                yield from _environment(item, container)
    elif isinstance(value, list):
        for item in value:
            name = str(item.get("name") or "") if isinstance(item, dict) else ""
            yield from _environment(item, name)


def _yaml(obj: dict[str, Any] | None) -> str:
    return "" if obj is None else str(sdk.yaml.safe_dump(obj, sort_keys=True, default_flow_style=False, width=120))
