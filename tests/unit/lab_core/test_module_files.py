# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files out of Go modules: by the real go command, from a proxy that is a folder."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest
from llmfleet_lab.definitions import definitions
from llmfleet_lab.errors import LabError
from llmfleet_lab.module_files import Files, ModuleFiles

MODULE, VERSION = "example.com/kinds", "v1.2.3"
PREFIX = f"{MODULE}@{VERSION}/"
GO_MOD = f"module {MODULE}\n\nrequire example.com/never-downloaded v1.0.0\n"
CONTENT = {
    "go.mod": GO_MOD,
    "crds/one_a.yaml": "kind: CustomResourceDefinition\nmetadata: {name: a}\n---\n",
    "crds/one_b.yaml": "kind: CustomResourceDefinition\nmetadata: {name: b}\n",
    "crds/kustomization.yaml": "kind: Kustomization\n",
    "other/two.yaml": "kind: CustomResourceDefinition\nmetadata: {name: c}\n",
}


def h1(files: dict[str, str]) -> str:
    """The hash that go.sum has of these files."""
    lines = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(files.items()))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


SUM = h1({PREFIX + name: text for name, text in CONTENT.items()})


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pins of a module that a proxy serves, and nothing else within reach."""
    served = tmp_path / "proxy" / MODULE / "@v"
    served.mkdir(parents=True)
    (served / f"{VERSION}.info").write_text(f'{{"Version": "{VERSION}"}}')
    (served / f"{VERSION}.mod").write_text(GO_MOD)
    with zipfile.ZipFile(served / f"{VERSION}.zip", "w") as archive:
        for name, text in CONTENT.items():
            archive.writestr(PREFIX + name, text)
    monkeypatch.setenv("LLMFLEET_LAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GOPROXY", f"file://{tmp_path}/proxy")
    monkeypatch.setenv("GONOSUMDB", MODULE)
    folder = tmp_path / "pins"
    folder.mkdir()
    (folder / "go.mod").write_text(f"module own\n\ngo 1.21\n\nrequire (\n\t{MODULE} {VERSION}\n)\n")
    (folder / "go.sum").write_text(f"{MODULE} {VERSION} {SUM}\n{MODULE} {VERSION}/go.mod {h1({'go.mod': GO_MOD})}\n")
    return folder


def build(pins: Path, tmp_path: Path, *patterns: str) -> Path:
    out = tmp_path / "out"
    out.mkdir()
    recipe = ModuleFiles(pins, {"kinds": Files(MODULE, "crds", patterns or ("*.yaml",))})
    recipe.build({}, out, tmp_path / "log")
    return out


def test_only_what_is_asked_for_is_taken(pins: Path, tmp_path: Path) -> None:
    before = (pins / "go.sum").read_bytes()
    out = build(pins, tmp_path, "one_*.yaml")
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*")) == [
        *("kinds", "kinds/one_a.yaml", "kinds/one_b.yaml")
    ]
    assert (out / "kinds/one_a.yaml").read_text() == CONTENT["crds/one_a.yaml"]
    assert (pins / "go.sum").read_bytes() == before


def test_what_is_no_definition_is_left_out(pins: Path, tmp_path: Path) -> None:
    out = build(pins, tmp_path)
    assert (out / "kinds/kustomization.yaml").exists()
    assert [definition["metadata"]["name"] for definition in definitions(out)] == ["a", "b"]


@pytest.mark.parametrize("found", ["another", "none"])
def test_a_module_that_go_sum_does_not_know_is_refused(found: str, pins: Path, tmp_path: Path) -> None:
    lines = (pins / "go.sum").read_text()
    if found == "another":
        (pins / "go.sum").write_text(lines.replace(SUM, h1({"go.mod": "other"})))
    else:
        (pins / "go.sum").write_text(lines.splitlines()[1] + "\n")
    with pytest.raises(LabError, match=r"checksum mismatch|go\.sum has another or none"):
        build(pins, tmp_path)


def test_a_version_that_is_not_served_and_a_file_that_is_not_there(pins: Path, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"example\.com/kinds has no crds/three_\*\.yaml"):
        build(pins, tmp_path, "three_*.yaml")
    (tmp_path / "out/kinds").rmdir()
    (tmp_path / "out").rmdir()
    (pins / "go.mod").write_text((pins / "go.mod").read_text().replace(VERSION, "v1.2.4"))
    with pytest.raises(LabError, match=r"go mod download example\.com/kinds@v1\.2\.4: "):
        build(pins, tmp_path)


def test_pins_and_what_is_taken_decide_the_key(pins: Path) -> None:
    one = ModuleFiles(pins, {"kinds": Files(MODULE, "crds")}).fingerprint()
    assert one != ModuleFiles(pins, {"kinds": Files(MODULE, "other")}).fingerprint()
    (pins / "go.sum").write_text("")
    assert one != ModuleFiles(pins, {"kinds": Files(MODULE, "crds")}).fingerprint()
