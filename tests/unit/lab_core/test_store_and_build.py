# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content-addressed store and the order of builds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from llmfleet_lab.build import Part, Plan, build
from llmfleet_lab.errors import LabError
from llmfleet_lab.paths import Paths
from llmfleet_lab.progress import Progress
from llmfleet_lab.store import Store


@dataclass(frozen=True)
class Text:
    """Writes a text together with the texts of its inputs."""

    text: str

    def fingerprint(self) -> dict[str, str]:
        """The text."""
        return {"text": self.text}

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Write it."""
        if self.text == "broken":
            raise LabError("it broke")
        parts = [(folder / "text").read_text() for _, folder in sorted(inputs.items())]
        (out / "text").write_text("+".join([*parts, self.text]))


def plan_of(tmp_path: Path, **texts: str) -> tuple[Plan, Paths]:
    """A plan of base and, made from it, top."""
    paths = Paths(cache=tmp_path / "cache", state=tmp_path / "state")
    parts = {
        "top": Part("top", Text(texts.get("top", "top")), ("base",)),
        "base": Part("base", Text(texts.get("base", "base"))),
        "other": Part("other", Text(texts.get("other", "other"))),
    }
    return Plan(parts, Store(paths.store)), paths


def test_inputs_are_built_first_and_nothing_twice(tmp_path: Path) -> None:
    plan, paths = plan_of(tmp_path)
    build(plan, paths, Progress(), keep_go_cache=True)
    assert plan.missing() == []
    assert (plan.folder("top") / "text").read_text() == "base+top"
    (plan.folder("top") / "mark").touch()
    again, _ = plan_of(tmp_path)
    build(again, paths, Progress(), keep_go_cache=True)
    assert (again.folder("top") / "mark").exists()


def test_a_changed_input_rebuilds_what_is_made_from_it_and_nothing_else(tmp_path: Path) -> None:
    plan, paths = plan_of(tmp_path)
    build(plan, paths, Progress(), keep_go_cache=True)
    changed, _ = plan_of(tmp_path, base="newer")
    assert sorted(changed.missing()) == ["base", "top"]


def test_a_failed_part_leaves_no_folder_and_says_why(tmp_path: Path) -> None:
    plan, paths = plan_of(tmp_path, base="broken")
    with pytest.raises(LabError, match="it broke"):
        build(plan, paths, Progress(), keep_go_cache=True)
    assert not plan.folder("base").exists()
    assert not list(paths.store.glob(".base*"))
    assert "top" in plan.missing()


def test_parts_that_nothing_names_are_removed(tmp_path: Path) -> None:
    plan, paths = plan_of(tmp_path)
    build(plan, paths, Progress(), keep_go_cache=True)
    newer, _ = plan_of(tmp_path, other="newer")
    old = plan.folder("other")
    build(newer, paths, Progress(), keep_go_cache=True)
    assert newer.store.remove_others(set(newer.folders().values())) == [old]


def test_what_is_built_on_demand_waits_until_it_is_asked_for_and_is_kept(tmp_path: Path) -> None:
    paths = Paths(cache=tmp_path / "cache", state=tmp_path / "state")
    parts = {
        "extra": Part("extra", Text("extra"), ("base",), on_demand=True),
        "base": Part("base", Text("base"), on_demand=True),
        "other": Part("other", Text("other")),
    }
    plan = Plan(parts, Store(paths.store))
    assert plan.missing() == ["other"]
    assert plan.missing("extra") == ["extra", "base"]
    build(plan, paths, Progress(), keep_go_cache=True, asked=("extra",))
    assert (plan.folder("extra") / "text").read_text() == "base+extra"
    assert plan.missing("extra") == [] and plan.missing() == ["other"]
    assert plan.store.remove_others(set(plan.folders().values())) == []
