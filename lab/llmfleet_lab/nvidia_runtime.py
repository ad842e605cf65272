# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's runtime handler ``nvidia``: runc, with the vLLM tree mounted where the real one mounts the driver.

containerd runs it in the place of runc. LLMFLEET_LAB_VLLM_TREE names the tree, LLMFLEET_LAB_RUNC the real runc. A
container that asks for it (LLMFLEET_LAB_ENGINE=stand-in) gets the stand-in engine of LLMFLEET_LAB_STAND_IN instead.
Stands alone and imports little: it runs once for every step in a container's life.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

MOUNT = "/opt/vllm"
STAND_IN = "LLMFLEET_LAB_ENGINE=stand-in"
CONTAINER_TYPE = "io.kubernetes.cri.container-type"


def bundle_of(arguments: list[str]) -> str | None:
    """The bundle folder when ``arguments`` (of runc) create a container, else None."""
    if "create" not in arguments:
        return None
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in ("--bundle", "-b"):
            if equals:
                return value
            return arguments[position + 1] if position + 1 < len(arguments) else None
    return os.getcwd()


def inject(specification: dict[str, Any], tree: str) -> dict[str, Any]:
    """Add the read-only mount of ``tree`` and the search path to an OCI runtime specification; sandboxes stay as is."""
    if specification.get("annotations", {}).get(CONTAINER_TYPE) == "sandbox":
        return specification
    mount = {"destination": MOUNT, "type": "bind", "source": tree, "options": ["rbind", "ro", "nosuid", "nodev"]}
    specification.setdefault("mounts", []).append(mount)
    environment = specification["process"].setdefault("env", [])
    paths = [entry.partition("=")[2] for entry in environment if entry.startswith("PYTHONPATH=")]
    environment[:] = [entry for entry in environment if not entry.startswith("PYTHONPATH=")]
    environment.append("PYTHONPATH=" + ":".join([*paths, MOUNT]))
    return specification


def tree_for(specification: dict[str, Any], tree: str, stand_in: str) -> str:
    """The folder that a container gets: the stand-in engine where its environment asks for it, else vLLM."""
    return stand_in if STAND_IN in (specification["process"].get("env") or []) else tree


def main(arguments: list[str]) -> int:
    """Change the bundle when a container is created, then become runc. Returns only on an error."""
    try:
        tree, runc = os.environ["LLMFLEET_LAB_VLLM_TREE"], os.environ["LLMFLEET_LAB_RUNC"]
        stand_in = os.environ["LLMFLEET_LAB_STAND_IN"]
        bundle = bundle_of(arguments)
        if bundle is not None:
            path = os.path.join(bundle, "config.json")
            with open(path, encoding="utf-8") as file:
                given = json.load(file)
            tree = tree_for(given, tree, stand_in)
            if not os.path.isdir(tree):
                raise OSError(f"no vLLM tree at {tree}: run 'lab up'")
            specification = inject(given, tree)
            with open(path, "w", encoding="utf-8") as file:
                json.dump(specification, file)
        try:
            os.execv(runc, [runc, *arguments])
        except OSError as error:  # of exec, whose error names no file
            raise OSError(f"cannot run {runc}: {error.strerror}") from None
    except KeyError as error:
        print(f"nvidia runtime: the environment has no {error}", file=sys.stderr)
    except (OSError, ValueError) as error:
        print(f"nvidia runtime: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
