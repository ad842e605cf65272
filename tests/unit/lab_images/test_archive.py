# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images are the same bytes for the same files, and what a docker-archive has to be."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import time
from pathlib import Path

import pytest
from llmfleet_lab.archive import Image, write_image, write_layer


def make_files(folder: Path, order: list[str]) -> Path:
    folder.mkdir()
    for name in order:
        (folder / name).write_text(name)
    (folder / "sub").mkdir()
    (folder / "sub" / "program").write_bytes(b"\x7fELF")
    (folder / "sub" / "program").chmod(0o755)
    (folder / "sub" / "link").symlink_to("program")
    return folder


def test_layer_does_not_depend_on_order_or_times(tmp_path: Path) -> None:
    first = make_files(tmp_path / "first", ["a", "b", "c"])
    second = make_files(tmp_path / "second", ["c", "b", "a"])
    for path in [second, *second.rglob("*")]:
        os.utime(path, (1, time.time() - 1e6), follow_symlinks=False)
    layers = []
    for source in (first, second):
        layers.append(tmp_path / f"{source.name}.tar")
        write_layer(layers[-1], {"/opt/files": source})
    assert layers[0].read_bytes() == layers[1].read_bytes()


def test_layer_depends_on_content(tmp_path: Path) -> None:
    source = make_files(tmp_path / "files", ["a"])
    write_layer(tmp_path / "before.tar", {"/f": source})
    (source / "a").write_text("A")
    write_layer(tmp_path / "after.tar", {"/f": source})
    assert (tmp_path / "before.tar").read_bytes() != (tmp_path / "after.tar").read_bytes()


def test_layer_keeps_modes_links_and_parents(tmp_path: Path) -> None:
    source = make_files(tmp_path / "files", ["a"])
    write_layer(tmp_path / "layer.tar", {"/usr/local/files": source})
    with tarfile.open(tmp_path / "layer.tar") as layer:
        entries = {entry.name: entry for entry in layer}
        assert entries["usr"].isdir() and entries["usr/local"].isdir()
        assert entries["usr/local/files/sub/program"].mode == 0o755
        assert entries["usr/local/files/sub/link"].linkname == "program"
        names = list(entries)
        assert (
            names.index("usr/local/files")
            < names.index("usr/local/files/sub")
            < names.index("usr/local/files/sub/program")
        ), "a folder comes before what is in it"
        assert {entry.mtime for entry in entries.values()} == {0}


def test_hard_links_become_files(tmp_path: Path) -> None:
    source = tmp_path / "files"
    source.mkdir()
    (source / "one").write_text("content")
    os.link(source / "one", source / "two")
    write_layer(tmp_path / "layer.tar", {"/": source})
    with tarfile.open(tmp_path / "layer.tar") as layer:
        for name in ("one", "two"):
            member = layer.extractfile(name)
            assert layer.getmember(name).isreg() and member is not None and member.read() == b"content"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    source = make_files(tmp_path / "files", ["a"])
    write_layer(tmp_path / "base.tar", {"/base": source})
    write_layer(tmp_path / "own.tar", {"/own": source})
    described = Image("registry.example/thing:1", ("/own/program", "serve"), {"MODE": "lab"}, "1001:1001")
    write_image(tmp_path / "image.tar", described, [tmp_path / "base.tar", tmp_path / "own.tar"])
    return tmp_path / "image.tar"


def test_archive_names_its_layers_by_their_digests(image: Path) -> None:
    with tarfile.open(image) as archive:

        def content(name: str) -> bytes:
            member = archive.extractfile(name)
            assert member is not None
            return member.read()

        (manifest,) = json.loads(content("manifest.json"))
        assert manifest["RepoTags"] == ["registry.example/thing:1"]
        configuration = content(manifest["Config"])
        assert manifest["Config"].removesuffix(".json") == hashlib.sha256(configuration).hexdigest()
        found = json.loads(configuration)
        digests = [f"sha256:{hashlib.sha256(content(name)).hexdigest()}" for name in manifest["Layers"]]
        assert found["rootfs"]["diff_ids"] == digests and len(digests) == 2
        assert found["config"]["Entrypoint"] == ["/own/program", "serve"]
        assert found["config"]["User"] == "1001:1001"
        assert "MODE=lab" in found["config"]["Env"] and any(e.startswith("PATH=/") for e in found["config"]["Env"])
        assert (found["architecture"], found["os"]) == ("amd64", "linux")


def test_image_is_the_same_bytes_again(image: Path, tmp_path: Path) -> None:
    described = Image("registry.example/thing:1", ("/own/program", "serve"), {"MODE": "lab"}, "1001:1001")
    write_image(tmp_path / "again.tar", described, [tmp_path / "base.tar", tmp_path / "own.tar"])
    assert (tmp_path / "again.tar").read_bytes() == image.read_bytes()
