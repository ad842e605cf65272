# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configuration the emulated EKS add-ons take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# The lab's own, and like that of EKS closed: the resources of the driver's part on nodes are not in it.
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2019-09/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "controller": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"resources": {"type": "object"}, "nodeSelector": {"type": "object"}},
        },
        "node": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"nodeSelector": {"type": "object"}, "logLevel": {"type": "integer"}},
        },
    },
}


def wrong(text: str) -> str:
    """What is wrong with configuration values; "" for nothing."""
    try:
        values = json.loads(text)
    except ValueError:
        return "it is not JSON"
    return _unknown(values, SCHEMA, "$")


def _unknown(values: Any, schema: Mapping[str, Any], path: str) -> str:
    """What a closed schema does not have, or is not of its type; "" for nothing."""
    expected = {"object": dict, "integer": int}[schema["type"]]
    if not isinstance(values, expected) or isinstance(values, bool):
        return f"{path}: {type(values).__name__} found, {schema['type']} expected"
    for key, value in values.items() if isinstance(values, dict) and "properties" in schema else ():
        if key not in schema["properties"]:
            return f"{path}.{key}: is not defined in the schema"
        found = _unknown(value, schema["properties"][key], f"{path}.{key}")
        if found:
            return found
    return ""
