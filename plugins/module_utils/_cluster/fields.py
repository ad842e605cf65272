# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a live object already what we want? Answered from its managedFields, without asking the server.

The answer may be wrong in one direction only: "perhaps different" for what is the same costs a server dry run; "the
same" for what differs would lose a change. So anything that is not plainly equal counts as perhaps different.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

_MISSING: Any = object()
# Metadata that identifies an object is in no manager's field set.
_IDENTITY = frozenset(
    {"name", "namespace", "creationTimestamp", "uid", "resourceVersion", "generation", "managedFields"}
)
# Maps of quantities in the built-in kinds: the server rewrites 1000m as 1, 1024Mi as 1Gi.
_QUANTITIES = frozenset(
    {"requests", "limits", "capacity", "hard", "default", "defaultRequest", "max", "min", "sizeLimit"}
)
_QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|n|u))?$")
_SCALE = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** (index + 1) for index, unit in enumerate("kMGTPE")},
    **{unit: Decimal(1024) ** (index + 1) for index, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))},
}


def owned_fields(live: Mapping[str, Any], manager: str) -> dict[str, Any] | None:
    """Return the fieldsV1 tree that `manager` owns by server-side apply, None when it has applied nothing.

    An entry of another apiVersion than the object's is not returned: its paths may not fit.
    """
    for entry in (live.get("metadata") or {}).get("managedFields") or []:
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            return dict(entry.get("fieldsV1") or {}) if entry.get("apiVersion") == live.get("apiVersion") else None
    return None


def owned_paths(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the fields of a fieldsV1 tree, written as the server writes them in conflicts: .spec.ports[name="http"]."""
    for key, below in tree.items():
        if key == ".":
            yield prefix
            continue
        path = prefix + _element(key)
        if below:
            yield from owned_paths(below, path)
        else:
            yield path


def _element(key: str) -> str:
    mark, _sep, rest = key.partition(":")
    if mark == "f":
        return f".{rest}"
    if mark == "k":
        return "[" + ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(json.loads(rest).items())) + "]"
    if mark == "v":
        return f"[={rest}]"
    return f"[{rest}]"


def difference(owned: Mapping[str, Any], desired: Mapping[str, Any], live: Mapping[str, Any]) -> str | None:
    """Return the path of the first field that is perhaps different, None when the live object is surely as desired.

    owned: the fieldsV1 tree of our manager. It must name exactly the fields that desired has (more: we own what we no
    longer want; less: something is new or another manager took it), and the live values there must equal the desired
    ones, whatever else the live object holds (defaults, other managers' fields).
    """
    wanted = {key: value for key, value in desired.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    metadata = {key: value for key, value in (desired.get("metadata") or {}).items() if key not in _IDENTITY}
    if metadata:
        wanted["metadata"] = metadata
    return _node(owned, wanted, live, "", False if _built_in(str(live.get("apiVersion", ""))) else None)


def _built_in(api_version: str) -> bool:
    group = api_version.rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def _node(owned: Mapping[str, Any], desired: Any, live: Any, path: str, quantity: bool | None) -> str | None:
    """Compare one field. quantity: true inside a map of quantities, None where none can be (custom resources)."""
    children = {key: below for key, below in owned.items() if key != "."}
    if not children:
        return None if _equal(desired, live, quantity) else path or "."
    if isinstance(desired, dict) and isinstance(live, Mapping):
        return _mapping(children, desired, live, path, quantity)
    if isinstance(desired, list) and isinstance(live, list):
        return _list(children, desired, live, path, quantity)
    return path or "."


def _mapping(
    children: dict[str, Any], desired: dict[str, Any], live: Mapping[str, Any], path: str, quantity: bool | None
) -> str | None:
    for name in desired:
        if f"f:{name}" not in children:
            return f"{path}.{name}"
    for key, below in children.items():
        name = key[2:]
        if not key.startswith("f:") or name not in desired:
            return f"{path}.{name}"
        known = quantity if quantity is None else quantity or (name in _QUANTITIES and path.startswith(".spec"))
        found = _node(below, desired[name], live.get(name, _MISSING), f"{path}.{name}", known)
        if found:
            return found
    return None


def _list(
    children: dict[str, Any], desired: list[Any], live: list[Any], path: str, quantity: bool | None
) -> str | None:
    if len(children) != len(desired):
        return path
    places: list[tuple[int, int]] = []
    for key, below in children.items():
        mark, _sep, rest = key.partition(":")
        if mark not in ("k", "v"):
            return path
        value = json.loads(rest)
        ours, theirs = _places(desired, mark, value), _places(live, mark, value)
        if len(ours) != 1 or len(theirs) != 1:  # a key with a defaulted part can fit several: let the server decide
            return path + _element(key)
        places.append((ours[0], theirs[0]))
        if mark == "k":
            found = _node(below, desired[ours[0]], live[theirs[0]], path + _element(key), quantity)
            if found:
                return found
    places.sort()
    order = [place for _ours, place in places]
    return None if order == sorted(order) else path


def _places(items: list[Any], mark: str, value: Any) -> list[int]:
    if mark == "v":
        return [index for index, item in enumerate(items) if same(item, value)]
    return [
        index
        for index, item in enumerate(items)
        if isinstance(item, Mapping) and all(same(item[k], v) if k in item else True for k, v in value.items())
    ]


def _equal(desired: Any, live: Any, quantity: bool | None) -> bool:
    if live is _MISSING:  # ours and yet absent: the server leaves out empty and zero values
        return desired in ({}, [], "", 0)
    if same(desired, live):
        return True
    if quantity:
        wanted, present = parse_quantity(desired), parse_quantity(live)
        return wanted is not None and wanted == present
    return False


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: unlike in Python, 1, 1.0 and true are three things."""
    kind, other = type(left), type(right)
    if kind is not other:
        return _same_text(left, right)
    if kind is str or kind is int or kind is bool or left is None:
        return bool(left == right)
    if kind is dict:
        return len(left) == len(right) and all(key in right and same(left[key], right[key]) for key in left)
    if kind is list:
        return len(left) == len(right) and all(map(same, left, right))
    return _same_text(left, right)


def _same_text(left: Any, right: Any) -> bool:
    """Tell it by the JSON itself: slow, for what is rarely met (floats, subclasses of the plain types)."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def parse_quantity(value: Any) -> Decimal | None:
    """Return a Kubernetes quantity ("500m", "1.5Gi", 2) as a number, None when it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    match = _QUANTITY.match(str(value))
    if match is None:
        return None
    number, exponent, suffix = match.groups()
    return Decimal(number + (exponent or "")) * _SCALE[suffix or ""]
