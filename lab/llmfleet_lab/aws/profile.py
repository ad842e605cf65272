# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files by which SDKs and Ansible find the emulated AWS."""

from __future__ import annotations

import os
from pathlib import Path

PROFILE = "llmfleet-lab"


def write_profile(
    folder: Path, region: str, endpoint: str, access_key_id: str, secret_access_key: str, profile: str = PROFILE
) -> tuple[Path, Path]:
    """Write `config` and `credentials`, both of mode 0600, into `folder` (made with mode 0700); their paths.

    The profile carries the endpoint of all services, and path-style addresses: the endpoint has no names for buckets.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    config, credentials = folder / "config", folder / "credentials"
    _write(
        config,
        f"[profile {profile}]\nregion = {region}\noutput = json\nendpoint_url = {endpoint}\n"
        "s3 =\n    addressing_style = path\n",
    )
    _write(
        credentials,
        f"[{profile}]\naws_access_key_id = {access_key_id}\naws_secret_access_key = {secret_access_key}\n",
    )
    return config, credentials


def _write(path: Path, content: str) -> None:
    """Replace a file in one step; at no moment is it readable by others."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    partial.replace(path)
