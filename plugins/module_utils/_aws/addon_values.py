# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration values of EKS add-ons: their text, and which of them a schema has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def text_of(values: Mapping[str, Any]) -> str:
    """The text that is sent, the same for the same values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def data_of(text: Any) -> Any:
    """What EKS answers, as data; as it is when it is no JSON, which differs from all that is ours."""
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text


def known(values: Mapping[str, Any], schema: Any) -> tuple[dict[str, Any], list[str]]:
    """The values whose keys a JSON schema allows, and the paths of the others, such as node.resources."""
    dropped: list[str] = []
    return _known(values, schema, "", dropped), dropped


def _known(values: Mapping[str, Any], schema: Any, path: str, dropped: list[str]) -> dict[str, Any]:
    """The values whose keys a closed JSON schema has. dropped: gets the paths of the others."""
    schema = schema if isinstance(schema, Mapping) else {}
    properties = schema.get("properties") or {}
    known: dict[str, Any] = {}
    for key, value in values.items():
        if key not in properties and schema.get("additionalProperties") is False:
            dropped.append(f"{path}{key}")
        elif isinstance(value, Mapping) and key in properties:
            inner = _known(value, properties[key], f"{path}{key}.", dropped)
            if inner or not value:
                known[key] = inner
        else:
            known[key] = value
    return known
