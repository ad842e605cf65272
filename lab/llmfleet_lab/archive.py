# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images as docker-archive tars, the same bytes for the same input."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Image:
    """What an image says of itself: ``name`` with tag, environment, user (uid or uid:gid), entry point."""

    name: str
    entrypoint: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""

    def configuration(self, diff_ids: Iterable[str]) -> dict[str, Any]:
        """The image's configuration for layers with these digests."""
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **self.environment}
        return {
            "architecture": "amd64",
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {
                "Env": [f"{name}={value}" for name, value in environment.items()],
                "Entrypoint": list(self.entrypoint),
                "User": self.user,
                "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": list(diff_ids)},
            "history": [],
        }


def write_layer(target: Path, sources: Mapping[str, Path], temporary: bool = False) -> None:
    """Write a layer: each source, a file or a folder, at its path in the image, without times and names of owners.

    temporary: with an empty /tmp that everybody may write to, which an image without a base would lack.
    """
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as layer:
        if temporary:
            entry = tarfile.TarInfo("tmp")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            layer.addfile(entry)
        for parent in sorted(
            {str(parent) for place in sources for parent in Path(place).parents if str(parent) != "/"}
        ):
            entry = tarfile.TarInfo(parent.strip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            layer.addfile(entry)
        for place, source in sorted(sources.items()):
            _add(layer, place.strip("/"), source)


def _add(layer: tarfile.TarFile, name: str, source: Path) -> None:
    entry = layer.gettarinfo(str(source), arcname=name or ".")
    entry.mtime, entry.uname, entry.gname = 0, "", ""
    if entry.islnk():
        # A hard link depends on what was added before: every name gets the content.
        entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", source.stat().st_size
    if entry.isreg():
        with source.open("rb") as content:
            layer.addfile(entry, content)
        return
    if entry.isdir():
        if name:
            layer.addfile(entry)
        for child in sorted(source.iterdir()):
            _add(layer, f"{name}/{child.name}" if name else child.name, child)
    elif entry.issym():
        layer.addfile(entry)


def write_image(target: Path, image: Image, layers: Sequence[Path]) -> None:
    """Write the archive of an image from its layers' tars."""
    digests = [_digest(layer) for layer in layers]
    configuration = json.dumps(image.configuration(f"sha256:{digest}" for digest in digests), sort_keys=True).encode()
    configuration_name = f"{hashlib.sha256(configuration).hexdigest()}.json"
    names = [f"{digest}/layer.tar" for digest in digests]
    manifest = json.dumps([{"Config": configuration_name, "RepoTags": [image.name], "Layers": names}]).encode()
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        _add_bytes(archive, configuration_name, configuration)
        for name, layer in zip(names, layers, strict=True):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = layer.stat().st_size, 0o644
            with layer.open("rb") as content:
                archive.addfile(entry, content)
        _add_bytes(archive, "manifest.json", manifest)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    archive.addfile(entry, io.BytesIO(content))


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
