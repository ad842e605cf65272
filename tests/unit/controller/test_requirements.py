# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller must have: read from the files that say so, compared with what is installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.llmfleet.eks.plugins.plugin_utils.controller import (
    ROOT,
    collection_requirements,
    problems,
    python_requirements,
)


@pytest.fixture
def helm(tmp_path: Path) -> Path:
    """A program that answers as Helm 4 does."""
    return program(tmp_path, "echo v4.3.1")


def program(folder: Path, line: str) -> Path:
    path = folder / "helm"
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def root(folder: Path, requirements: str = "", **collections: str) -> Path:
    (folder / "requirements.in").write_text(requirements)
    (folder / "MANIFEST.json").write_text(json.dumps({"collection_info": {"dependencies": collections}}))
    return folder


def test_this_controller_has_what_is_needed(helm: Path) -> None:
    assert problems(str(helm)) == []


def test_what_is_needed_is_read_from_the_files_of_the_collection() -> None:
    names = {requirement.name for requirement in python_requirements()}
    assert {"ansible-core", "boto3", "botocore", "kubernetes"} <= names
    assert set(collection_requirements()) == {"amazon.aws", "kubernetes.core"}
    assert (ROOT / "plugins").is_dir()


def test_all_that_is_missing_or_too_old_is_told_at_once(tmp_path: Path, helm: Path) -> None:
    folder = root(
        tmp_path,
        "boto3>=999  # far away\nno-such-package-of-ours>=1\n",
        **{"amazon.aws": ">=999.0.0", "no.such": ">=1.0.0"},
    )
    told = problems(str(helm), folder)
    assert [line.split(":")[0] for line in told] == [
        "Python package boto3",
        "Python package no-such-package-of-ours",
        "collection amazon.aws",
        "collection no.such",
    ]
    assert "got 1." in told[0] and "accepted: >=999 (" in told[0]
    assert "not installed" in told[1] and "not installed" in told[3]


def test_an_excluded_version_is_refused(tmp_path: Path, helm: Path) -> None:
    installed = problems(str(helm), root(tmp_path, "boto3>=999\n"))[0].split("got ")[1].split(";")[0]
    assert problems(str(helm), root(tmp_path, f"boto3>=1,!={installed}\n"))
    assert problems(str(helm), root(tmp_path, f"boto3=={installed}\n")) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [("echo v3.19.0", "got 3.19.0"), ("exit 1", "does not tell its version"), ("echo hello", "does not tell")],
)
def test_another_helm_is_refused(tmp_path: Path, line: str, told: str) -> None:
    found = problems(str(program(tmp_path, line)), root(tmp_path))
    assert len(found) == 1 and told in found[0] and "accepted: Helm 4" in found[0]


def test_no_helm_is_told(tmp_path: Path) -> None:
    (line,) = problems(str(tmp_path / "none"), root(tmp_path))
    assert line.startswith(f"program {tmp_path}/none: No such file or directory; accepted: Helm 4, on PATH")
