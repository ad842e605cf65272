# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet wants, as files for people and for review. Pure: texts by path, nothing is written here."""

from __future__ import annotations

import functools
import importlib
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Desired

REDACTED = "REDACTED"


@functools.cache
def _dumper() -> Any:
    """A dumper of PyYAML: multi-line strings as blocks; no anchors, as each file and each value stands alone."""
    yaml = importlib.import_module("yaml")

    def represent(dumper: Any, value: str) -> Any:
        style = "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    # libyaml's emitter writes the same four times as fast.
    base = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    dumper: Any = type("Dumper", (base,), {"ignore_aliases": lambda self, data: True})
    dumper.add_representer(str, represent)
    return dumper


def to_yaml(value: Any) -> str:
    """Return a document in YAML, keys in order of the alphabet."""
    dump = importlib.import_module("yaml").dump
    text = dump(value, Dumper=_dumper(), sort_keys=True, default_flow_style=False, width=120, allow_unicode=True)
    return f"---\n{text}"


def _redacted(manifest: dict[str, Any]) -> dict[str, Any]:
    """A Secret without its values; one whose content comes from elsewhere has a single entry that says so."""
    if manifest.get("kind") != "Secret":
        return manifest
    hidden: dict[str, Any] = {
        part: dict.fromkeys(manifest[part], REDACTED) for part in ("data", "stringData") if part in manifest
    }
    return {**manifest, **(hidden or {"stringData": {"pending": REDACTED}})}


def object_path(layer: str, manifest: dict[str, Any]) -> str:
    """Return the path of an object's file."""
    metadata = manifest["metadata"]
    parts = [manifest["kind"], metadata.get("namespace", ""), metadata["name"]]
    return f"{layer}/{'-'.join(part for part in parts if part).lower()}.yaml"


def files(wanted: Desired) -> dict[str, str]:
    """Return the text of every file by its path. Raises ValueError when two things would be one file."""
    result: dict[str, str] = {}

    def put(path: str, document: Any) -> None:
        if path in result:
            raise ValueError(f"two files of the name {path}")
        result[path] = to_yaml(document)

    for entry in wanted.objects:
        put(object_path(entry["layer"], entry["object"]), _redacted(entry["object"]))
    for entry in wanted.aws:
        document = {key: entry[key] for key in ("name", "resource", "properties")}
        put(f"aws/{entry['resource']}-{entry['name']}.yaml".lower(), document)
    for entry in wanted.charts:
        put(f"charts/{entry['name']}.yaml", {key: value for key, value in entry.items() if key != "layer"})
    return dict(sorted(result.items()))
