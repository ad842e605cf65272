# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipes of parts that are not compiled: Python trees, the Debian base, container images, charts, repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llmfleet_lab.archive import Image, write_image, write_layer
from llmfleet_lab.errors import LabError, tail
from llmfleet_lab.store import digest_of_files

DEBIAN = "bookworm"
# What vLLM's compiled parts load beside Python.
DEBIAN_PACKAGES = ("python3", "ca-certificates", "libnuma1", "libgomp1", "libstdc++6")
# Nothing in a container reads these, and they are a third of the base.
DEBIAN_DROPPED = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "dev")


def _run(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
    with log.open("ab") as sink:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={**os.environ, **(environment or {})},
            cwd="/",
        )
    if done.returncode:
        raise LabError(f"{' '.join(command[:3])} ended with {done.returncode}\n{tail(log)}")


@dataclass(frozen=True)
class PythonTree:
    """Packages locked by hash, installed into a folder for Debian's Python 3.11."""

    requirements: Path

    def fingerprint(self) -> dict[str, str]:
        """The lock file."""
        return {"lock": digest_of_files(self.requirements), "python": "3.11"}

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Install with uv, whose cache goes with the work: the tree itself is what is kept."""
        del inputs
        cache = out.with_name(out.name + ".uv")
        command = [
            *(str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet"),
            *("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_35", "--only-binary", ":all:"),
            *("--require-hashes", "--no-deps", "--target", str(out), "--cache-dir", str(cache)),
            *("--link-mode", "hardlink", "--requirements", str(self.requirements)),
        ]
        try:
            _run(command, log)
        finally:
            shutil.rmtree(cache, ignore_errors=True)


@dataclass(frozen=True)
class DebianBase:
    """A small Debian with Python as one image layer, ``layer.tar``."""

    def fingerprint(self) -> dict[str, str]:
        """Release and packages."""
        return {"release": DEBIAN, "packages": ",".join(DEBIAN_PACKAGES), "dropped": ",".join(DEBIAN_DROPPED)}

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Run debootstrap (LLMFLEET_LAB_DEBIAN_MIRROR names another mirror than its default) and pack the result."""
        del inputs
        root = out / "root"
        mirror = os.environ.get("LLMFLEET_LAB_DEBIAN_MIRROR")
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(DEBIAN_PACKAGES)}", DEBIAN, str(root)]
        _run([*command, *([mirror] if mirror else [])], log, {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})
        for name in DEBIAN_DROPPED:
            shutil.rmtree(root / name, ignore_errors=True)
            (root / name).mkdir(parents=True, exist_ok=True)
        write_layer(out / "layer.tar", {"/": root})
        shutil.rmtree(root)


@dataclass(frozen=True)
class ImageRecipe:
    """An image: optionally the layer of a base part, then a layer of files.

    ``files`` maps a path in the image to ``part:path`` of an input.
    """

    image: Image
    files: Mapping[str, str] = field(default_factory=dict)
    base: str = ""

    def fingerprint(self) -> dict[str, str]:
        """Everything the image says of itself, and what goes where."""
        return {"image": repr(self.image), "files": repr(sorted(self.files.items())), "base": self.base, "format": "2"}

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Write ``image.tar``."""
        del log
        layers = [inputs[self.base] / "layer.tar"] if self.base else []
        if self.files:
            sources = {}
            for place, source in self.files.items():
                part, _, path = source.partition(":")
                sources[place] = inputs[part] / path
            layer = out / "own.tar"
            write_layer(layer, sources, temporary=not self.base)
            layers.append(layer)
        write_image(out / "image.tar", self.image, layers)
        (out / "own.tar").unlink(missing_ok=True)


@dataclass(frozen=True)
class Chart:
    """A chart as its project releases it, from the source folder: placeholders of values and versions filled."""

    part: str
    folder: str
    version: str
    values: Mapping[str, str]

    def fingerprint(self) -> dict[str, str]:
        """Version and values."""
        return {"version": self.version, "values": repr(sorted(self.values.items())), "folder": self.folder}

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Copy the chart and fill it."""
        del log
        chart = out / "chart"
        shutil.copytree(inputs[self.part] / self.folder, chart)
        template = chart / "values.tmpl.yaml"
        text = template.read_text()
        for name, value in self.values.items():
            text = text.replace("${" + name + "}", value)
        (chart / "values.yaml").write_text(text)
        template.unlink()
        about = chart / "Chart.yaml"
        released = about.read_text().replace("version: v0.0.0-latest", f"version: v{self.version}")
        about.write_text(released.replace('appVersion: "latest"', f'appVersion: "v{self.version}"'))


@dataclass(frozen=True)
class Generated:
    """Files that a function of the lab writes; ``sources`` are what decides them."""

    write: Callable[[Path], None]
    sources: tuple[Path, ...]

    def fingerprint(self) -> dict[str, str]:
        """The source of the function."""
        return {"sources": digest_of_files(*self.sources)}

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Call the function."""
        del inputs, log
        self.write(out)
