# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller must have: Python packages, collections and Helm, with what is missing or does not fit.

The figures are read where they are kept: requirements.in, and the dependencies of the collection.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

# ansible-core brings it; checks that only import this file may be without.
with suppress(ImportError):
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
HELM = ">=4,<5"
_SECONDS = 30.0


def python_requirements(root: Path = ROOT) -> list[Requirement]:
    """Return the packages that requirements.in names, with their accepted versions."""
    lines = (line.split("#")[0].strip() for line in (root / "requirements.in").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def collection_requirements(root: Path = ROOT) -> dict[str, SpecifierSet]:
    """Return the collections that this one depends on, from galaxy.yml of a checkout or MANIFEST.json of an install."""
    manifest = root / "MANIFEST.json"
    if manifest.is_file():
        found: Mapping[str, Any] = json.loads(manifest.read_text())["collection_info"]
    else:
        found = yaml.safe_load((root / "galaxy.yml").read_text())
    return {name: SpecifierSet(str(versions)) for name, versions in found["dependencies"].items()}


def problems(helm_binary: str = "helm", root: Path = ROOT) -> list[str]:
    """Return a line for each thing that is missing or of a version that does not fit; empty: all is well."""
    return [
        *_packages(python_requirements(root)),
        *_collections(collection_requirements(root), _collection_version),
        *_helm(helm_binary),
    ]


def _packages(wanted: list[Requirement]) -> Iterator[str]:
    for requirement in wanted:
        accepted = (
            f"accepted: {requirement.specifier or 'any version'} (pip install --require-hashes -r requirements.txt)"
        )
        version = _package_version(requirement.name)
        if not version:
            yield f"Python package {requirement.name}: not installed; {accepted}"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"Python package {requirement.name}: got {version}; {accepted}"


def _package_version(name: str) -> str:
    """Return the version of an installed package, "" when there is none, or only a rest of one."""
    try:
        found = metadata.distribution(name).read_text("METADATA")
    except metadata.PackageNotFoundError:
        return ""
    return metadata.version(name) if found else ""


def _collections(wanted: Mapping[str, SpecifierSet], version_of: Callable[[str], str]) -> Iterator[str]:
    for name, versions in wanted.items():
        accepted = f"accepted: {versions} (ansible-galaxy collection install -r collections/requirements.yml)"
        version = version_of(name)
        if not version:
            yield f"collection {name}: not installed; {accepted}"
        elif not versions.contains(version, prereleases=True):
            yield f"collection {name}: got {version}; {accepted}"


def _collection_version(name: str) -> str:
    """Return the version of an installed collection, "" when there is none."""
    try:
        package = importlib.import_module(f"ansible_collections.{name}")
    except ImportError:
        return ""
    for folder in package.__path__:
        manifest = Path(folder) / "MANIFEST.json"
        if manifest.is_file():
            return str(json.loads(manifest.read_text())["collection_info"]["version"])
        galaxy = Path(folder) / "galaxy.yml"
        if galaxy.is_file():
            return str(yaml.safe_load(galaxy.read_text())["version"])
    return ""


def _helm(binary: str) -> Iterator[str]:
    accepted = "accepted: Helm 4, on PATH or as llmfleet_helm_binary"
    command = [binary, "version", "--template", "{{.Version}}"]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except OSError as error:
        yield f"program {binary}: {error.strerror}; {accepted}"
        return
    except subprocess.TimeoutExpired:
        yield f"program {binary}: does not end within {_SECONDS:.0f} s; {accepted}"
        return
    version = re.search(r"v?(\d+\.\d+\.\d+)", done.stdout)
    if done.returncode or version is None:
        yield f"program {binary}: does not tell its version; {accepted}"
    elif not SpecifierSet(HELM).contains(version.group(1)):
        yield f"program {binary}: got {version.group(1)}; {accepted}"
