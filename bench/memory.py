# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m bench.memory FILE KUBECONFIG CLUSTER``: apply the objects of a file in this one process, tell its peak.

Nothing but what the action plugin does is in the process: the objects as they come, its libraries, its apply.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import open_client


def peak_mib() -> float:
    """The most memory that this process ever had resident, in MiB (unlike ru_maxrss without what forked it)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def main() -> None:
    """Apply; print counts, seconds and the peak as JSON."""
    file, kubeconfig, cluster = sys.argv[1:]
    client = open_client({"name": cluster, "kubeconfig": kubeconfig})
    libraries = peak_mib()
    objects = json.loads(Path(file).read_text())
    loaded = peak_mib()
    done = apply(client, objects, cluster, "models", diffs=False)
    counts = {action: number for action, number in done.counts().items() if number}
    peaks = {"libraries": libraries, "loaded": loaded, "peak": peak_mib()}
    print(json.dumps({"counts": counts, "seconds": done.seconds, "writes": client.writes, "mib": peaks}))


if __name__ == "__main__":
    main()
