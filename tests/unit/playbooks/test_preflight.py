# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml refuses before it has seen a cluster: with one clear message, soon, and without a write."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.playbooks.conftest import ROOT, Cloud, Playbooks

FLEET = yaml.safe_load((ROOT / "inventories/lab/host_vars/lab/fleet.yml").read_text())


def refused(playbooks: Playbooks, python_path: str = "", **variables: Any) -> str:
    """Run preflight, hold that it failed without a word of Python, and return its output on one line."""
    host = playbooks.host(**FLEET, **variables)
    done = playbooks("site", {"lab": host}, "--tags", "preflight", python_path=python_path)
    assert done.returncode != 0, done.stdout[-3000:]
    assert "Traceback" not in done.stdout
    return " ".join(done.stdout.split())


def test_an_api_server_that_is_not_there(playbooks: Playbooks, cloud: Cloud) -> None:
    began = time.monotonic()
    told = refused(playbooks)
    assert time.monotonic() - began < 60
    assert told.count(cloud.api_server) == 1 and "Connection refused; to check:" in told, told
    assert "no answer from the API server" in told
    assert "Read the network of the cluster" not in told
    requests = cloud.requests()
    assert requests and not [entry for entry in requests if entry["mutating"]]


def test_a_library_that_is_too_old_stops_before_any_request(playbooks: Playbooks, cloud: Cloud, tmp_path: Path) -> None:
    told = refused(playbooks, python_path=shadow(tmp_path, "boto3", "1.2.3"))
    assert "Python package boto3: got 1.2.3; accepted: " in told and "requirements.txt" in told
    assert cloud.requests() == []


def test_a_library_of_which_only_a_folder_is_left(playbooks: Playbooks, cloud: Cloud, tmp_path: Path) -> None:
    told = refused(playbooks, python_path=shadow(tmp_path, "kubernetes", None))
    assert "Python package kubernetes: not installed; accepted: " in told
    assert cloud.requests() == []


@pytest.mark.parametrize(("line", "found"), [("echo v3.19.0", "got 3.19.0"), ("exit 1", "does not tell its version")])
def test_another_helm_stops_before_any_request(
    playbooks: Playbooks, cloud: Cloud, tmp_path: Path, line: str, found: str
) -> None:
    helm = tmp_path / "helm3"
    helm.write_text(f"#!/bin/sh\n{line}\n")
    helm.chmod(0o755)
    told = refused(playbooks, llmfleet_helm_binary=str(helm))
    assert f"program {helm}: {found}; accepted: Helm 4, on PATH or as llmfleet_helm_binary" in told
    assert cloud.requests() == []


def shadow(folder: Path, package: str, version: str | None) -> str:
    """Make a folder for PYTHONPATH in which a package says it is of this version, or (None) says nothing."""
    place = folder / "shadow" / f"{package}-{version or '0'}.dist-info"
    place.mkdir(parents=True)
    if version:
        (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    return str(place.parent)
