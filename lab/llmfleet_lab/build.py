# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Building what is missing of the lab, each part once, compiling and downloading side by side."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from llmfleet_lab.errors import LabError
from llmfleet_lab.golang import GoPrograms
from llmfleet_lab.paths import Paths
from llmfleet_lab.progress import Progress
from llmfleet_lab.store import Recipe, Store


@dataclass(frozen=True)
class Part:
    """One thing the lab is made of: its recipe and the parts it is made from.

    ``on_demand``: the lab starts without it; it is built when a command asks for it.
    """

    name: str
    recipe: Recipe
    needs: tuple[str, ...] = ()
    on_demand: bool = False

    @property
    def compiles(self) -> bool:
        """Whether it keeps all cores busy: one such part is built at a time."""
        return isinstance(self.recipe, GoPrograms)


class Plan:
    """The keys and folders of all parts, and which of them are missing."""

    def __init__(self, parts: Mapping[str, Part], store: Store) -> None:
        self.parts = parts
        self.store = store
        self.keys: dict[str, str] = {}
        for name in parts:
            self._key(name)

    def _key(self, name: str) -> str:
        if name not in self.keys:
            part = self.parts[name]
            inputs = {need: self._key(need) for need in part.needs}
            self.keys[name] = self.store.key(name, part.recipe.fingerprint(), inputs)
        return self.keys[name]

    def folder(self, name: str) -> Path:
        """Where a part is, or will be."""
        return self.store.folder(name, self.keys[name])

    def folders(self) -> dict[str, Path]:
        """All folders by part name."""
        return {name: self.folder(name) for name in self.parts}

    def missing(self, *asked: str) -> list[str]:
        """Parts that have to be built, in the order of the table: what the lab starts with, or only those asked for."""
        wanted = self._with_needs(asked or [name for name, part in self.parts.items() if not part.on_demand])
        return [name for name in self.parts if name in wanted and not self.store.has(name, self.keys[name])]

    def _with_needs(self, names: Iterable[str]) -> set[str]:
        wanted: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting += self.parts[name].needs
        return wanted


def build(plan: Plan, paths: Paths, progress: Progress, keep_go_cache: bool, asked: Sequence[str] = ()) -> None:
    """Build every missing part that the lab starts with, or only those asked for.

    The first failure is raised after what is under way has ended.
    """
    missing = plan.missing(*asked)
    if not missing:
        return
    progress.say(f"building {len(missing)} of {len(plan.parts)} parts: {', '.join(missing)}")
    paths.build_logs.mkdir(parents=True, exist_ok=True)
    compiling = [name for name in missing if plan.parts[name].compiles]
    downloads = threading.Thread(target=_download, args=(plan, paths, compiling), daemon=True)
    downloads.start()
    _run(plan, paths, progress, missing)
    downloads.join()
    if not keep_go_cache and paths.go.exists():
        progress.say("removing the Go caches: every program is in the store")
        shutil.rmtree(paths.go)


def _download(plan: Plan, paths: Paths, names: list[str]) -> None:
    """Bring the modules of later parts while the first compile; a failure shows when the part itself is built."""
    for name in names[1:]:
        recipe = plan.parts[name].recipe
        if isinstance(recipe, GoPrograms) and not plan.store.has(name, plan.keys[name]):
            try:
                recipe.download(paths.build_logs / f"{name}.log")
            except (LabError, OSError):
                return


def _run(plan: Plan, paths: Paths, progress: Progress, missing: list[str]) -> None:
    waiting = list(missing)
    running: dict[Future[float], str] = {}
    failure: Exception | None = None
    with ThreadPoolExecutor(max_workers=3) as pool:
        while waiting or running:
            if failure is None:
                for name in _startable(plan, waiting, set(running.values())):
                    waiting.remove(name)
                    running[pool.submit(_build_one, plan, paths, name)] = name
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                try:
                    progress.say(f"built {name} in {future.result():.0f} s")
                except Exception as error:
                    progress.say(f"failed: {name}")
                    failure = failure or error
    if failure is not None:
        raise failure


def _startable(plan: Plan, waiting: list[str], running: set[str]) -> list[str]:
    """Parts whose inputs are there: one that compiles and two that download or pack at a time."""
    compiling = any(plan.parts[name].compiles for name in running)
    others = sum(not plan.parts[name].compiles for name in running)
    chosen = []
    for name in waiting:
        part = plan.parts[name]
        if not all(plan.store.has(need, plan.keys[need]) for need in part.needs):
            continue
        if part.compiles and not compiling:
            compiling = True
            chosen.append(name)
        elif not part.compiles and others < 2:
            others += 1
            chosen.append(name)
    return chosen


def _build_one(plan: Plan, paths: Paths, name: str) -> float:
    part = plan.parts[name]
    log = paths.build_logs / f"{name}.log"
    log.write_bytes(b"")
    begin = time.monotonic()
    inputs = {need: plan.folder(need) for need in part.needs}
    plan.store.put(name, plan.keys[name], lambda out: part.recipe.build(inputs, out, log))
    return time.monotonic() - begin
