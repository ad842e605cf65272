# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions card, meta/versions.yml, read once."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from pathlib import Path

CARD = Path(__file__).resolve().parents[3] / "meta" / "versions.yml"


@dataclass(frozen=True)
class Chart:
    """A Helm chart. repository: URL of a classic repository, '' when chart is an OCI reference."""

    chart: str
    version: str
    repository: str = ""


@dataclass(frozen=True)
class Versions:
    """What the card says. addons, vllm: versions. images: references by what they are for."""

    charts: dict[str, Chart]
    addons: dict[str, str]
    images: dict[str, str]
    vllm: str


@functools.cache
def versions() -> Versions:
    """Read the card. Raises OSError, yaml.YAMLError, KeyError or TypeError when it is damaged."""
    # Imported here: where there is no PyYAML, nothing else of this package is lost.
    card = importlib.import_module("yaml").safe_load(CARD.read_text(encoding="utf-8"))
    return Versions(
        charts={name: Chart(**entry) for name, entry in card["charts"].items()},
        addons=dict(card["addons"]),
        images=dict(card["images"]),
        vllm=str(card["engine"]["vllm"]),
    )
