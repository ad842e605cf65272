# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which revisions a bucket of weights holds, by the keys in it, and which of them the described fleet needs.

models/<model>/<revision>/… and models/<model>/adapters/<adapter>/<revision>/…; anything else is nothing of ours. A
revision is told by its ledger, or, where a fetch did not get that far, by being a commit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fetches import fetches
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import ADAPTERS_FOLDER

ROOT = "models/"
LEDGER = ".llmfleet/ledger.json"
_NAME = r"[a-z](?:[-a-z0-9]*[a-z0-9])?"
_PLACE = rf"models/(?P<model>{_NAME})/(?:{ADAPTERS_FOLDER}/(?P<adapter>{_NAME})/)?"
_WITH_LEDGER = re.compile(rf"(?P<prefix>{_PLACE}(?P<revision>[A-Za-z0-9][^\s]*?))/{re.escape(LEDGER)}")
_COMMIT = re.compile(rf"(?P<prefix>{_PLACE}(?P<revision>[0-9a-f]{{40}}))/")


@dataclass
class Revision:
    """One revision in the bucket. sizes: of its objects by key. uploads: (key, id) of those that were cut off.

    adapter: "" for the weights of the model itself. ledger: whether there is one.
    """

    prefix: str
    model: str
    adapter: str
    revision: str
    ledger: bool = False
    sizes: dict[str, int] = field(default_factory=dict)
    uploads: list[tuple[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The model or adapter that it is of."""
        return self.adapter or self.model

    @property
    def tail(self) -> str:
        """Where it is below the model's folder: an engine names its files like that."""
        return self.prefix.removeprefix(f"{ROOT}{self.model}/")

    def listed_by(self, ledger: bytes) -> set[str]:
        """Keys that its ledger lists. Raises ValueError when it is no ledger, or one of something else."""
        found = json.loads(ledger)
        if not isinstance(found, dict) or not isinstance(found.get("files"), list):
            raise ValueError("it is no ledger")
        if (found.get("model"), found.get("requested_revision")) != (self.name, self.revision):
            raise ValueError(f"it is of {found.get('model')} at {found.get('requested_revision')}")
        try:
            return {f"{self.prefix}/{file['path']}" for file in found["files"]}
        except (KeyError, TypeError):
            raise ValueError("it has files without a path") from None


def revisions(sizes: Mapping[str, int], uploads: Iterable[tuple[str, str]]) -> list[Revision]:
    """The revisions that keys below ROOT are of, by prefix. uploads: (key, id) of unfinished ones."""
    found: dict[str, Revision] = {}
    for key in sizes:
        match = _WITH_LEDGER.fullmatch(key)
        if match and match["revision"].split("/")[0] != ADAPTERS_FOLDER:
            _keep(found, match).ledger = True
    by_length = sorted(found, key=len, reverse=True)

    def of(key: str) -> Revision | None:
        for prefix in by_length:
            if key.startswith(f"{prefix}/"):
                return found[prefix]
        match = _COMMIT.match(key)
        return _keep(found, match) if match else None

    for key, size in sizes.items():
        if revision := of(key):
            revision.sizes[key] = size
    for key, upload in uploads:
        if revision := of(key):
            revision.uploads.append((key, upload))
    return [found[prefix] for prefix in sorted(found)]


def _keep(found: dict[str, Revision], match: re.Match[str]) -> Revision:
    prefix = match["prefix"]
    if prefix not in found:
        found[prefix] = Revision(prefix, match["model"], match["adapter"] or "", match["revision"])
    return found[prefix]


def needed(fleet: Fleet) -> set[str]:
    """The prefixes of everything that the described fleet needs, whatever is chosen of it."""
    return {f"{ROOT}{fetch.folder}" for model in fleet.models for fetch in fetches(model)}


def not_needed(found: Iterable[Revision], wanted: set[str]) -> list[Revision]:
    """Those of the revisions that are not wanted, nor around or below one that is."""
    return [
        revision
        for revision in found
        if not any(_within(revision.prefix, prefix) or _within(prefix, revision.prefix) for prefix in wanted)
    ]


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(f"{outer}/")
