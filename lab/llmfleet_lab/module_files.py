# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A recipe that takes files out of Go modules as they are: nothing is compiled, and nothing that the modules need."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmfleet_lab.errors import LabError
from llmfleet_lab.golang import go_environment
from llmfleet_lab.store import digest_of_files


@dataclass(frozen=True)
class Files:
    """Files of one module: those of ``folder`` whose names match one of ``patterns``."""

    module: str
    folder: str
    patterns: tuple[str, ...] = ("*.yaml",)


@dataclass(frozen=True)
class ModuleFiles:
    """Files of the modules that ``pins``, a folder with go.mod and go.sum, names.

    ``files`` maps the name of a folder of the part to what is taken into it.
    """

    pins: Path
    files: Mapping[str, Files]

    def fingerprint(self) -> dict[str, str]:
        """Pins and what is taken. The toolchain decides nothing."""
        return {
            "pins": digest_of_files(self.pins / "go.mod", self.pins / "go.sum"),
            "files": repr(sorted((name, repr(taken)) for name, taken in self.files.items())),
        }

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Download the modules, hold them against go.sum and copy."""
        del inputs
        folders = self._download(out / ".pins", log)
        for name, taken in self.files.items():
            target = out / name
            target.mkdir()
            for pattern in taken.patterns:
                found = sorted((folders[taken.module] / taken.folder).glob(pattern))
                if not found:
                    raise LabError(f"{taken.module} has no {taken.folder}/{pattern}")
                for file in found:
                    shutil.copyfile(file, target / file.name)

    def _download(self, scratch: Path, log: Path) -> dict[str, Path]:
        """The folders of the modules by module, each with the hash that go.sum has of it."""
        versions, sums = self._pinned()
        scratch.mkdir()
        # Go adds to a go.sum what it lacks; the pins are read only.
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(self.pins / name, scratch / name)
        wanted = sorted({taken.module for taken in self.files.values()})
        command = ["go", "mod", "download", "-json", *(f"{module}@{versions[module]}" for module in wanted)]
        done = subprocess.run(
            command, cwd=scratch, env=go_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        log.write_text(done.stdout + done.stderr)
        shutil.rmtree(scratch)
        answers = {answer["Path"]: answer for answer in _documents(done.stdout)}
        for module in wanted:
            answer = answers.get(module, {"Error": done.stderr.strip() or "no answer"})
            if "Error" in answer:
                raise LabError(f"go mod download {module}@{versions[module]}: {answer['Error']}")
            if answer["Sum"] != sums.get((module, versions[module])):
                raise LabError(
                    f"{module}@{versions[module]} is {answer['Sum']}: {self.pins}/go.sum has another or none"
                )
        return {module: Path(answers[module]["Dir"]) for module in wanted}

    def _pinned(self) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
        """The versions by module, and the hashes by module and version."""
        lines = re.findall(r"^\t(\S+) (v\S+)", (self.pins / "go.mod").read_text(), re.MULTILINE)
        sums = [line.split() for line in (self.pins / "go.sum").read_text().splitlines()]
        return dict(lines), {(module, version): digest for module, version, digest in sums}


def _documents(text: str) -> list[dict[str, Any]]:
    """The JSON documents of a text that has one after another."""
    decoder, found, position = json.JSONDecoder(), [], 0
    text = text.strip()
    while position < len(text):
        document, position = decoder.raw_decode(text, position)
        found.append(document)
        position += len(text[position:]) - len(text[position:].lstrip())
    return found
