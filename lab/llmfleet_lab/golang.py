# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes that build programs from the Go modules pinned under lab/modules."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from llmfleet_lab.errors import LabError, tail
from llmfleet_lab.paths import LAB_SOURCE, default_paths
from llmfleet_lab.store import digest_of_files, digest_of_tree


@functools.cache
def go_version() -> str:
    """What ``go env GOVERSION`` says, e.g. go1.26.8."""
    done = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True, cwd="/")
    return done.stdout.strip()


def go_environment() -> dict[str, str]:
    """The environment of every Go command: caches of the lab's own, static programs, the installed toolchain only."""
    go = default_paths().go
    return {
        **os.environ,
        "GOMODCACHE": str(go / "mod"),
        "GOCACHE": str(go / "build"),
        "GOFLAGS": "-modcacherw -trimpath",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }


@dataclass(frozen=True)
class GoPrograms:
    """Programs of one pinned module.

    ``programs`` maps the file name of a program to its package; ``copies`` maps a name in the part to
    ``module:folder``, a folder of a module that the part needs too (charts, CRDs).
    """

    module: Path
    programs: dict[str, str]
    ldflags: str = ""
    tags: str = ""
    copies: dict[str, str] = field(default_factory=dict)
    own_source: bool = False

    def fingerprint(self) -> dict[str, str]:
        """Pins, flags and toolchain; for the lab's own programs their source too."""
        return {
            "go": go_version(),
            "pins": digest_of_files(self.module / "go.mod", self.module / "go.sum"),
            "source": digest_of_tree(self.module, "**/*.go") if self.own_source else "",
            "programs": repr(sorted(self.programs.items())),
            "copies": repr(sorted(self.copies.items())),
            "flags": f"{self.ldflags} {self.tags}",
        }

    def _flags(self) -> list[str]:
        return ["-ldflags", f"-s -w {self.ldflags}".strip(), *(["-tags", self.tags] if self.tags else [])]

    def download(self, log: Path) -> None:
        """Bring the modules that the programs import, and no others."""
        tags = ["-tags", self.tags] if self.tags else []
        self._run(["go", "list", "-deps", *tags, *self.programs.values()], log, quiet=True)

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Compile every program in one go, so that shared packages are compiled once."""
        del inputs
        compiled = out / ".compiled"
        compiled.mkdir()
        self._run(["go", "build", *self._flags(), "-o", f"{compiled}/", *self.programs.values()], log)
        for name, package in self.programs.items():
            (compiled / _program_name(package)).rename(out / name)
        compiled.rmdir()
        for name, place in self.copies.items():
            module, _, folder = place.partition(":")
            source = Path(self._output(["go", "list", "-m", "-f", "{{.Dir}}", module])) / folder
            shutil.copytree(source, out / name)

    def _run(self, command: list[str], log: Path, quiet: bool = False) -> None:
        with log.open("ab") as sink:
            done = subprocess.run(
                command,
                cwd=self.module,
                env=go_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if quiet else sink,
                stderr=sink,
            )
        if done.returncode:
            raise LabError(f"{' '.join(command[:2])} in {self.module} ended with {done.returncode}\n{tail(log)}")

    def _output(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=self.module, env=go_environment(), capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


def _program_name(package: str) -> str:
    """The file name that ``go build`` gives to a package: its last element that is no version suffix."""
    elements = package.rstrip("/").split("/")
    last = elements[-1]
    if last.startswith("v") and last[1:].isdigit() and len(elements) > 1:
        return elements[-2]
    return last


MODULES = LAB_SOURCE / "modules"
