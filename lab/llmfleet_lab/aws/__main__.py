# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m llmfleet_lab.aws --config FILE`: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from llmfleet_lab.errors import LabError


def main() -> int:
    """Run the process; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m llmfleet_lab.aws", description="The lab's emulated AWS.")
    parser.add_argument("--config", type=Path, required=True, help="configuration, YAML or JSON, of mode 0600")
    arguments = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        # Read first: a mistake is told before moto, which takes a second or two, is imported.
        from llmfleet_lab.aws.config import load

        config = load(arguments.config)
        from llmfleet_lab.aws.emulation import Emulation

        emulation = Emulation(config)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    emulation.start()
    print(f"AWS at {emulation.endpoint}", flush=True)
    ended.wait()
    emulation.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
