# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-builder makes of the published collection, and of the execution environment's definition."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import ansible_collections
import pytest
import yaml
from llmfleet_lab import versions
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
# In every image already: builder never takes them from a collection.
IN_EVERY_IMAGE = {"ansible-core", "PyYAML"}
# What amazon.aws and kubernetes.core ask for and the lock leaves out, as execution-environment.yml says.
LEFT_OUT = {"aiobotocore", "jsonpatch"}


def run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def requirements(file: Path) -> dict[str, Requirement]:
    """The requirements of a file that has one a line, by name."""
    lines = (line.split("#")[0].strip() for line in file.read_text().splitlines())
    return {found.name: found for line in lines if line for found in [Requirement(line)]}


def locked(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Name -> (version, hashes) of a lock. Fails on anything that pip would not take under --require-hashes."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        entry = re.sub(r"(^|\s)#.*", "", entry).strip()
        if not entry:
            continue
        line, *hashes = re.split(r"\s--hash=", entry)
        requirement = Requirement(line.strip())
        versions = [clause.version for clause in requirement.specifier if clause.operator == "=="]
        assert len(versions) == 1, f"not pinned: {entry}"
        assert hashes, f"no hash: {entry}"
        found[canonicalize_name(requirement.name)] = (versions[0], frozenset(text.strip() for text in hashes))
    return found


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections as an execution environment has it: ours as published, and the two that it needs."""
    folder = tmp_path_factory.mktemp("collections")
    run("ansible-galaxy", "collection", "build", "--output-path", str(folder))
    home = folder / "ansible_collections/llmfleet/eks"
    home.mkdir(parents=True)
    (artifact,) = folder.glob("llmfleet-eks-*.tar.gz")
    with tarfile.open(artifact) as archive:
        archive.extractall(home, filter="data")
    for name in ("amazon", "kubernetes"):
        (found,) = {Path(path) / name for path in ansible_collections.__path__ if (Path(path) / name).is_dir()}
        (folder / "ansible_collections" / name).symlink_to(found)
    return folder


@pytest.fixture(scope="module")
def asked(collections: Path) -> dict[str, dict[str, list[str]]]:
    """{"python" or "system": {collection: lines}}, as ansible-builder introspects it."""
    output = run("ansible-builder", "introspect", "--sanitize", str(collections))
    found: dict[str, dict[str, list[str]]] = {}
    for kind, lines in yaml.safe_load(output[output.index("---") :]).items():
        for line in lines:
            text, _, collection = line.partition("  # from collection ")
            found.setdefault(kind, {}).setdefault(collection, []).append(text)
    return found


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build context that ansible-builder makes of execution-environment.yml."""
    folder = tmp_path_factory.mktemp("context")
    run("ansible-builder", "create", "--context", str(folder), "--output-filename", "Containerfile")
    return folder


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "execution-environment.yml").read_text())


def test_the_collection_asks_for_what_requirements_in_says(asked: dict[str, dict[str, list[str]]]) -> None:
    resolved = {found.name: found for line in asked["python"]["llmfleet.eks"] for found in [Requirement(line)]}
    wanted = requirements(ROOT / "requirements.in")
    assert resolved == {name: wanted[name] for name in wanted.keys() - IN_EVERY_IMAGE}
    assert wanted.keys() >= IN_EVERY_IMAGE


@pytest.mark.parametrize(
    ("name", "refused", "accepted"),
    [("boto3", "1.43.99", "1.44.0"), ("botocore", "1.43.99", "1.44.0"), ("kubernetes", "37.0.2", "37.0.1")],
)
def test_versions_that_do_not_work_stay_out(
    asked: dict[str, dict[str, list[str]]], name: str, refused: str, accepted: str
) -> None:
    (line,) = [line for line in asked["python"]["llmfleet.eks"] if Requirement(line).name == name]
    assert not Requirement(line).specifier.contains(refused)
    assert Requirement(line).specifier.contains(accepted)


def test_the_collection_asks_for_certificates_and_for_no_kubectl(asked: dict[str, dict[str, list[str]]]) -> None:
    assert {line.split()[0] for line in asked["system"]["llmfleet.eks"]} == {"ca-certificates"}


def test_the_definition_makes_a_context(context: Path, definition: dict[str, Any]) -> None:
    steps = (context / "Containerfile").read_text()
    assert f'ARG EE_BASE_IMAGE="{definition["images"]["base_image"]["name"]}"' in steps
    built = context / "_build"
    for name, ours in (
        ("requirements.txt", "requirements.txt"),
        ("requirements.yml", "collections/requirements.yml"),
        ("bindep.txt", "bindep.txt"),
    ):
        assert (built / name).read_bytes() == (ROOT / ours).read_bytes()
    # Built where Go is, copied to where the playbooks run.
    builder, final = steps.index("AS builder"), steps.index("AS final")
    assert builder < steps.index(f"helm.sh/helm/v4/cmd/helm@v{versions.HELM}") < final
    assert final < steps.index("COPY --from=builder /build/bin/helm ")


def test_what_is_installed_is_the_lock_and_nothing_beside_it(context: Path, collections: Path, tmp_path: Path) -> None:
    steps = (context / "Containerfile").read_text()
    (line,) = re.findall(r"^RUN \$PYCMD (/output/scripts/introspect\.py .*)$", steps, re.MULTILINE)
    arguments = line.replace("/output/scripts/", "scripts/").replace("/tmp/src/", f"{tmp_path}/").split()
    # The image has no collection of ours.
    shutil.copytree(collections, tmp_path / "image", symlinks=True)
    shutil.rmtree(tmp_path / "image/ansible_collections/llmfleet")
    run(sys.executable, *arguments, str(tmp_path / "image"), cwd=context / "_build")
    assert locked((tmp_path / "requirements.txt").read_text()) == locked((ROOT / "requirements.txt").read_text())
    assert {line.split()[0] for line in (tmp_path / "bindep.txt").read_text().splitlines()} == {"ca-certificates"}


def test_the_lock_holds_what_the_collections_ask_for(asked: dict[str, dict[str, list[str]]]) -> None:
    lock = locked((ROOT / "requirements.txt").read_text())
    missing = set()
    assert asked["python"].keys() == {"amazon.aws", "kubernetes.core", "llmfleet.eks"}
    for lines in asked["python"].values():
        for line in lines:
            requirement = Requirement(line)
            name = canonicalize_name(requirement.name)
            if name not in lock:
                missing.add(name)
            else:
                assert requirement.specifier.contains(lock[name][0]), f"{line}: the lock has {lock[name][0]}"
    assert missing == LEFT_OUT


def test_what_is_installed_before_the_lock_is_what_is_tested(definition: dict[str, Any]) -> None:
    dependencies = definition["dependencies"]
    tested = locked((ROOT / "requirements-dev.txt").read_text())
    for name in ("ansible-core", "ansible-runner"):
        assert dependencies[name.replace("-", "_")]["package_pip"] == f"{name}=={tested[name][0]}"
    assert tested["ansible-core"] == locked((ROOT / "requirements.txt").read_text())["ansible-core"]
    steps = "\n".join(definition["additional_build_steps"]["append_builder"])
    go = re.search(r"^go (\S+)$", (ROOT / "lab/modules/helm/go.mod").read_text(), re.MULTILINE)
    assert go is not None
    assert f"GOTOOLCHAIN=go{go.group(1)} " in steps


def test_galaxy_and_awx_install_the_same_collections() -> None:
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())["dependencies"]
    awx = yaml.safe_load((ROOT / "collections/requirements.yml").read_text())["collections"]
    assert {entry["name"]: entry["version"] for entry in awx} == galaxy
    assert len(awx) == len(galaxy)
