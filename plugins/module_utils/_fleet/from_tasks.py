# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share: the variables of a host as values, and what the controller has on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import PACKAGE_KEY
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.versions import versions

FETCHER = Path(__file__).resolve().parents[3] / "roles" / "weights" / "files" / "fetcher"
PREFIX = "llmfleet_"


def describe_host(variables: Mapping[str, Any], template: Callable[[Any], Any]) -> Fleet:
    """Describe a host from its variables as a task sees them; template resolves expressions in a value.

    Raises DescriptionErrors, also for variables whose expressions cannot be resolved.
    """
    resolved: dict[str, Any] = {}
    unresolved: list[str] = []
    for name in sorted(key for key in variables if key.startswith(PREFIX)):
        try:
            resolved[name] = template(variables[name])
        except Exception as error:  # whatever a template runs into, it belongs to its variable
            reason = " ".join(str(error).split())
            unresolved.append(f"{name}: got an expression: {reason}; accepted: expressions that can be resolved")
    if not unresolved:
        return describe(resolved)
    try:
        describe({**dict.fromkeys(resolved), **resolved})
    except DescriptionErrors as errors:
        lines = [line for line in errors.lines if not line.startswith(tuple(f"{n.split(':')[0]}:" for n in unresolved))]
        raise DescriptionErrors([*unresolved, *lines]) from None
    raise DescriptionErrors(unresolved)


def known_on_disk() -> dict[str, str]:
    """Return the part of `known` that comes with the collection. Raises OSError when some of it cannot be read."""
    versions()
    package = sorted(path for path in FETCHER.iterdir() if path.suffix == ".py")
    return {PACKAGE_KEY + path.name: path.read_text(encoding="utf-8") for path in package}
