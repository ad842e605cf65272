# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The storage layer made and taken away while AWS fails, lags, or refuses what it took before: both converge.

Printed (pytest -s, or with -rP): how many runs and calls it took, and how many of the calls failed.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable

import pytest

from tests.unit.playbooks.storage import WHOLE, Storage, ok

pytestmark = pytest.mark.full
ALL = {"service": "*", "operation": "*", "seed": 7}
# What AWS does -> the share of its calls that fail, and how.
SHARES = {
    "throttling at 30 %": [{**ALL, "error": "Throttled", "rate": 0.3}],
    "5xx at 10 %": [{**ALL, "error": "ServerError", "rate": 0.1}],
    "cut connections at 5 %, and lost replies at 5 %": [
        {**ALL, "error": "ConnectionReset", "rate": 0.05},
        {**ALL, "error": "LostReply", "rate": 0.05, "seed": 8},
    ],
}
RUNS = 3
Done = subprocess.CompletedProcess[str]
Act = Callable[[], Done]


def converges(storage: Storage, what: str, act: Act, there: Counter[str]) -> None:
    """Run until it does well, RUNS times at most, and hold that what is there is right."""
    since, runs, done = len(storage.requests()), 1, act()
    while done.returncode != 0 and runs < RUNS:
        assert "Traceback" not in done.stdout, done.stdout
        runs, done = runs + 1, act()
    assert done.returncode == 0, f"{what}: not after {RUNS} runs:\n{done.stdout[-4000:]}"
    calls, failed = storage.calls(since)
    print(f"{what}: {runs} run{'s' if runs > 1 else ''}, {calls} calls, {failed} of them failed")
    storage.control("DELETE", "faults")
    storage.control("PUT", "lag", {"seconds": 0})
    assert storage.owned() == there


@pytest.mark.parametrize("what", sorted(SHARES))
def test_a_share_of_the_calls_fails(storage: Storage, what: str) -> None:
    def under(act: Act) -> Act:
        def run() -> Done:
            storage.control("DELETE", "faults")
            for fault in SHARES[what]:
                storage.control("POST", "faults", fault)
            return act()

        return run

    converges(storage, f"made, {what}", under(storage.make), WHOLE)
    written = len(storage.writes())
    ok(storage.make())
    assert storage.writes()[written:] == []
    converges(storage, f"removed, {what}", under(storage.remove), Counter())


def test_lists_lag_five_seconds_and_new_roles_are_not_heard_of(storage: Storage) -> None:
    storage.control("PUT", "lag", {"seconds": 5})
    converges(storage, "made, lists lag 5 s", storage.make, WHOLE)
    # Lists that show nothing of it yet: no twin of anything.
    storage.control("PUT", "lag", {"seconds": 300, "roles": 0})
    ok(storage.make())
    storage.control("PUT", "lag", {"seconds": 0})
    assert storage.owned() == WHOLE
    written = len(storage.writes())
    ok(storage.make())
    assert storage.writes()[written:] == []
    storage.control("PUT", "lag", {"seconds": 5})
    converges(storage, "removed, lists lag 5 s", storage.remove, Counter())


@pytest.mark.parametrize("after", [5, 40, 65])
def test_a_token_that_expires_in_the_middle(storage: Storage, after: int) -> None:
    """The run ends with what to do; the next one, with a new token, takes up what is left."""
    storage.control("POST", "faults", {**ALL, "error": "ExpiredToken", "after": after})
    done = storage.make()
    told = " ".join(done.stdout.split())
    assert done.returncode == 2 and "expired" in told.lower() and "Traceback" not in told, done.stdout
    storage.control("DELETE", "faults")
    converges(storage, f"made, after a token that expired at call {after}", storage.make, WHOLE)
    storage.control("POST", "faults", {**ALL, "error": "ExpiredToken", "after": after})
    done = storage.remove()
    assert done.returncode == 2 and "expired" in done.stdout.lower(), done.stdout
    storage.control("DELETE", "faults")
    converges(storage, f"removed, after a token that expired at call {after}", storage.remove, Counter())


def test_a_clock_that_is_wrong_is_told_and_nothing_is_written(storage: Storage) -> None:
    written = len(storage.writes())
    storage.control("PUT", "clock", {"seconds": 3600})
    for done in (storage.make(), storage.remove()):
        told = " ".join(done.stdout.split())
        assert done.returncode == 2 and "the clock of this machine is not that of AWS" in told, done.stdout
    assert storage.writes()[written:] == []
    storage.control("PUT", "clock", {"seconds": 0})
    converges(storage, "made, with the clock set", storage.make, WHOLE)
