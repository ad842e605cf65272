# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiters: their tables, and the loop that reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import s3files as api
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import waiters
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import WaitError

AVAILABLE = [waiters.FILE_SYSTEM_AVAILABLE, waiters.MOUNT_TARGET_AVAILABLE, waiters.ACCESS_POINT_AVAILABLE]
DELETED = [waiters.FILE_SYSTEM_DELETED, waiters.MOUNT_TARGET_DELETED, waiters.ACCESS_POINT_DELETED]
DENIED = {"status": "creating", "statusMessage": "Access denied: S3 Files cannot assume the role"}


def states(s3files: Any) -> set[str]:
    """Every state that the service's model knows."""
    return set(s3files.client.meta.service_model.shape_for("LifeCycleState").enum)


@pytest.mark.parametrize("waiter", AVAILABLE, ids=lambda waiter: waiter.what)
def test_every_state_has_a_verdict_on_the_way_up(s3files: Any, waiter: waiters.Waiter) -> None:
    verdicts = {state: waiter.verdict({"status": state}) for state in states(s3files)}
    assert verdicts == {
        "available": "success",
        "creating": "pending",
        "updating": "pending",
        "error": "failure",
        "misconfigured": "failure",
        "deleting": "failure",
        "deleted": "failure",
    }
    assert waiter.verdict(None) == "failure"


@pytest.mark.parametrize("waiter", DELETED, ids=lambda waiter: waiter.what)
def test_every_state_has_a_verdict_on_the_way_down(s3files: Any, waiter: waiters.Waiter) -> None:
    for state in states(s3files) - {"deleted"}:
        assert waiter.verdict({"status": state}) == "pending"
    assert waiter.verdict({"status": "deleted"}) == "success"
    assert waiter.verdict(None) == "success"
    assert waiter.verdict({"status": "error"}, frozenset({"deleting"})) == "failure"


def reading(*answers: dict[str, Any] | None) -> Callable[[], dict[str, Any] | None]:
    """A resource that shows these states in turn and then stays in the last one."""

    def endless() -> Iterator[dict[str, Any] | None]:
        yield from answers
        while True:
            yield answers[-1]

    states_in_turn = endless()
    return lambda: next(states_in_turn)


def wait(waiter: waiters.Waiter, *answers: dict[str, Any] | None, timeout: float = 600) -> Any:
    return waiters.wait_for(waiter, "x", reading(*answers), timeout)


def test_returns_the_last_reading() -> None:
    last = wait(waiters.FILE_SYSTEM_AVAILABLE, {"status": "creating"}, {"status": "available", "extra": 1})
    assert last == {"status": "available", "extra": 1}


def test_a_timeout_names_resource_state_and_message(clock: list[float]) -> None:
    with pytest.raises(WaitError, match=r"not available after 30 s: mount target x is creating \(still at it\)"):
        wait(waiters.MOUNT_TARGET_AVAILABLE, {"status": "creating", "statusMessage": "still at it"}, timeout=30)
    assert sum(clock) == pytest.approx(30)


def test_a_timeout_of_zero_still_reads_once() -> None:
    assert wait(waiters.FILE_SYSTEM_AVAILABLE, {"status": "available"}, timeout=0) == {"status": "available"}


def test_pauses_grow_to_a_limit(clock: list[float]) -> None:
    with pytest.raises(WaitError):
        wait(waiters.FILE_SYSTEM_AVAILABLE, {"status": "creating"}, timeout=100)
    assert clock[0] == 1.0
    assert max(clock) == 10.0


def test_denied_access_is_tolerated_while_a_new_role_spreads(clock: list[float]) -> None:
    assert wait(waiters.FILE_SYSTEM_AVAILABLE, *[DENIED] * 20, {"status": "available"}) == {"status": "available"}
    assert 0 < sum(clock) < 180


def test_denied_access_that_stays_fails_before_the_timeout(clock: list[float]) -> None:
    with pytest.raises(WaitError, match="Access denied: S3 Files cannot assume the role.*check its role"):
        wait(waiters.FILE_SYSTEM_AVAILABLE, DENIED, timeout=900)
    assert 180 < sum(clock) < 200


def test_one_that_was_never_seen_gets_a_few_readings() -> None:
    assert wait(waiters.FILE_SYSTEM_AVAILABLE, None, None, {"status": "available"}) == {"status": "available"}
    with pytest.raises(WaitError, match="file system x is gone"):
        wait(waiters.FILE_SYSTEM_AVAILABLE, None)


def test_one_that_vanishes_fails_at_once(clock: list[float]) -> None:
    with pytest.raises(WaitError, match="is gone"):
        wait(waiters.FILE_SYSTEM_AVAILABLE, {"status": "creating"}, None)
    assert len(clock) == 1


def test_a_deletion_may_start_from_error_but_not_end_there() -> None:
    assert wait(waiters.FILE_SYSTEM_DELETED, {"status": "error"}, {"status": "deleting"}, None) is None
    with pytest.raises(WaitError, match="is error"):
        wait(waiters.FILE_SYSTEM_DELETED, {"status": "deleting"}, {"status": "error"})


def test_the_broken_one_of_several_is_named() -> None:
    reads = {"a": reading({"status": "creating"}), "b": reading({"status": "error", "statusMessage": "no address"})}
    with pytest.raises(WaitError, match=r"mount target b is error \(no address\)"):
        waiters.wait_all(waiters.MOUNT_TARGET_AVAILABLE, reads, 60)


def test_throttling_during_a_wait_is_retried(s3files: Any) -> None:
    item = {
        "accessPointArn": "arn:aws:s3files:eu-west-3:123456789012:file-system/fs-0123456789abcdef0/access-point/fsap-1",
        "accessPointId": "fsap-0123456789abcdef0",
        "clientToken": "t",
        "fileSystemId": "fs-0123456789abcdef0",
        "ownerId": "123456789012",
    }
    s3files.answer("get_access_point", None, {**item, "status": "creating"})
    s3files.error("get_access_point", "ThrottlingException", status=429)
    s3files.answer("get_access_point", None, {**item, "status": "available"})

    def read() -> Any:
        return api.get_access_point(s3files.client, "fsap-0123456789abcdef0")

    assert waiters.wait_for(waiters.ACCESS_POINT_AVAILABLE, "x", read, 60)
