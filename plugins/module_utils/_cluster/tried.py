# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what two pod templates differ, in words: image, arguments, names of the environment, resources, and the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.fields import same
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.pods import masked

# Of a container, what has words of its own; the rest is told by the names of its fields.
_TOLD = frozenset({"name", "image", "command", "args", "env", "envFrom", "resources"})
_MOST = 8


def tried(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing in which a new pod template differs from an old one, both as the server has them.

    No value of an environment variable is in it, and what looks like a credential is masked.
    """
    before, after = _containers(old), _containers(new)
    lines = [f"container {name}: is new" for name in after if name not in before]
    lines += [f"container {name}: is gone" for name in before if name not in after]
    for name in after:
        if name in before:
            lines += [f"container {name}: {text}" for text in _container(before[name], after[name])]
    rest = [*_paths(_rest(old), _rest(new), "")]
    if rest:
        more = f" and {len(rest) - _MOST} more" if len(rest) > _MOST else ""
        lines.append(f"other fields of the pod: {', '.join(rest[:_MOST])}{more}")
    return [masked(line) for line in lines] or ["nothing of the pod differs"]


def _containers(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    spec = template.get("spec") or {}
    return {c["name"]: c for kind in ("initContainers", "containers") for c in spec.get(kind) or []}


def _rest(template: Mapping[str, Any]) -> dict[str, Any]:
    spec = template.get("spec") or {}
    return {**template, "spec": {key: value for key, value in spec.items() if not key.lower().endswith("containers")}}


def _container(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get("image") != new.get("image"):
        yield f"image {old.get('image')} -> {new.get('image')}"
    if old.get("command") != new.get("command"):
        yield f"command {_joined(old.get('command'))} -> {_joined(new.get('command'))}"
    earlier, later = _flags(old.get("args") or []), _flags(new.get("args") or [])
    gone = [flag for flag in earlier if flag not in later]
    added = [flag for flag in later if flag not in earlier]
    if gone or added:
        yield "arguments " + ", ".join([*(f"without {flag}" for flag in gone), *(f"with {flag}" for flag in added)])
    elif earlier != later:
        yield "arguments in another order"
    yield from _environment(old, new)
    amounts = _amounts(old), _amounts(new)
    changed = [key for key in sorted({*amounts[0], *amounts[1]}) if amounts[0].get(key) != amounts[1].get(key)]
    if changed:
        yield "resources " + ", ".join(
            f"{key} {amounts[0].get(key, 'none')} -> {amounts[1].get(key, 'none')}" for key in changed
        )
    rest = [{key: value for key, value in each.items() if key not in _TOLD} for each in (old, new)]
    paths = [*_paths(rest[0], rest[1], "")]
    if paths:
        more = f" and {len(paths) - _MOST} more" if len(paths) > _MOST else ""
        yield f"other fields: {', '.join(paths[:_MOST])}{more}"


def _joined(words: Any) -> str:
    return " ".join(words) if words else "none"


def _flags(args: list[str]) -> list[str]:
    """Return arguments with the values of flags beside their flags: ["--a", "1", "--b=2"] as ["--a 1", "--b=2"]."""
    found: list[str] = []
    for word in args:
        if found and not word.startswith("-") and found[-1].startswith("-"):
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def _environment(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Tell the names of variables and of what they come from, never a value."""
    earlier = {entry["name"]: entry for entry in old.get("env") or []}
    later = {entry["name"]: entry for entry in new.get("env") or []}
    words = [f"{name} is new" for name in later if name not in earlier]
    words += [f"{name} is gone" for name in earlier if name not in later]
    words += [f"{name} has another value" for name in later if name in earlier and not same(earlier[name], later[name])]
    if not same(old.get("envFrom") or [], new.get("envFrom") or []):
        words.append("it comes from other Secrets or ConfigMaps")
    if words:
        yield f"environment: {', '.join(words)}"


def _amounts(container: Mapping[str, Any]) -> dict[str, str]:
    resources = container.get("resources") or {}
    return {
        f"{part}.{key}": str(value)
        for part, map_ in resources.items()
        if isinstance(map_, Mapping)
        for key, value in map_.items()
    }


def _paths(old: Any, new: Any, path: str) -> Iterator[str]:
    """Yield the paths of what differs; the items of a list by their names, where they have names."""
    if same(old, new):
        return
    if isinstance(old, list) and isinstance(new, list):
        earlier, later = _named(old), _named(new)
        if earlier is None or later is None:
            yield path
            return
        for name in sorted({*earlier, *later}):
            yield from _paths(earlier.get(name), later.get(name), f"{path}[{name}]")
        if earlier == later:
            yield path
    elif isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _paths(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    else:
        yield path


def _named(items: list[Any]) -> dict[str, Any] | None:
    found = {str(item["name"]): item for item in items if isinstance(item, Mapping) and "name" in item}
    return found if len(found) == len(items) else None
