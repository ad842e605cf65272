# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``lab``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from llmfleet_lab import extras, lifecycle, ownership, reality
from llmfleet_lab.ask import ask
from llmfleet_lab.errors import LabError
from llmfleet_lab.node import ctr
from llmfleet_lab.paths import Paths, default_paths
from llmfleet_lab.processes import Processes, resident_bytes
from llmfleet_lab.progress import Progress


def status(paths: Paths) -> int:
    """Print what runs, its memory, where the logs are, and what is real; 0 when every recorded process lives."""
    processes = Processes(paths)
    names = processes.names()
    alive = processes.memory()
    if not names:
        print("no lab runs on this machine\n")
    else:
        print(f"lab of {ownership.owner(paths) or 'nobody: nothing lives'}")
        for name in names:
            size = f"{alive[name] / 2**20:7.0f} MiB" if name in alive else "   dead    "
            print(f"  {name:<26} {size}")
        if len(alive) == len(names):
            pods = _pods_bytes(paths)
            print(f"  {'containers':<26} {pods / 2**20:7.0f} MiB")
            print(f"  {'together':<26} {(sum(alive.values()) + pods) / 2**20:7.0f} MiB")
        print(f"logs: {paths.logs}\nkubeconfig: {paths.kubeconfig}\nshell: . {paths.state / 'env'}\n")
    print(reality.as_text())
    return 0 if names and len(alive) == len(names) else 3


def _pods_bytes(paths: Paths) -> int:
    """Resident memory of the processes in containers, their children included."""
    total = 0
    for line in ctr(paths, "tasks", "list").splitlines()[1:]:
        total += sum(resident_bytes(pid) for pid in _tree(int(line.split()[1])))
    return total


def _tree(pid: int) -> list[int]:
    found = [pid]
    listed = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True).stdout
    for child in listed.split():
        found += _tree(int(child))
    return found


def main() -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="build what is missing and start what does not run")
    commands.add_parser("down", help="end the lab and remove what it made on this machine")
    commands.add_parser("status", help="what runs, and what of it is real")
    commands.add_parser("build", help="build what is missing, start nothing")
    commands.add_parser("prune", help="remove built parts that no current version needs")
    commands.add_parser("parts", help="print the folder of every part as JSON")
    commands.add_parser("crds", help="load definitions of kinds whose controllers the lab does not run")
    commands.add_parser("lws", help="install LeaderWorkerSet's controller")
    question = commands.add_parser("ask", help="ask a model through the gateway")
    question.add_argument("prompt")
    question.add_argument("--model", help="its name; the fleet's first by default")
    arguments = parser.parse_args()
    paths, progress = default_paths(), Progress()
    try:
        if arguments.command == "status":
            return status(paths)
        if arguments.command == "parts":
            plan = lifecycle.make_plan(paths)
            print(json.dumps({name: str(folder) for name, folder in plan.folders().items()}, indent=2))
        elif arguments.command == "ask":
            print(ask(paths, arguments.prompt, arguments.model))
        elif arguments.command == "up":
            lifecycle.up(paths, progress)
        elif arguments.command == "down":
            lifecycle.down(paths, progress)
        elif arguments.command == "crds":
            extras.add_definitions(paths, progress)
        elif arguments.command == "lws":
            extras.add_leader_worker_set(paths, progress)
        elif arguments.command == "build":
            with ownership.locked(paths):
                lifecycle.build_all(paths, progress)
        else:
            with ownership.locked(paths):
                plan = lifecycle.make_plan(paths)
                for folder in plan.store.remove_others(set(plan.folders().values())):
                    progress.say(f"removed {folder.name}")
    except LabError as error:
        print(f"lab {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nlab {arguments.command}: interrupted; run it again, or 'lab down'", file=sys.stderr)
        return 130
    return 0
