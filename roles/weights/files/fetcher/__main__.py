# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one verb: python3 -m fetcher fetch|check|verify."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

from .check import check
from .failures import ConfigError, FetchError, StoppedError
from .fetch import fetch
from .settings import read_config
from .telling import conclude
from .verify import verify
from .waiting import Stop

VERBS = {"fetch": fetch, "check": check, "verify": verify}


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Run one verb; the exit status: 0, or ``code`` of the failure."""
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.on_signal)
    try:
        if len(arguments) != 1 or arguments[0] not in VERBS:
            raise ConfigError(f"got arguments {arguments}; accepted: one of {', '.join(VERBS)}")
        summary = VERBS[arguments[0]](read_config(environ), environ, stop)
    except FetchError as error:
        # A signal shows up as whatever it interrupted.
        failure = StoppedError(f"stopped by {stop.signal}") if stop.signal else error
        print(f"error: {failure}", file=sys.stderr, flush=True)
        conclude(
            {"status": "failed", "kind": failure.kind, "retryable": failure.retryable, "error": str(failure)}, environ
        )
        return failure.code
    conclude(summary, environ)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
