# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for AWS resources: which states are wanted and which are hopeless is data, one loop reads it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import WaitError

# What was created a moment ago may not be found yet: so many readings may miss it before it counts as gone.
UNSEEN_READINGS = 5

Read = Callable[[], "Mapping[str, Any] | None"]


@dataclass(frozen=True)
class Waiter:
    """When a wait is over.

    what: the kind, for messages. success, failure: values of `status`. gone: what a resource that does not exist means.
    failure_after: failure states count only once one of these states was seen; empty: at once.
    grace: seconds for which a message of denied access is tolerated in a pending state. A role that was just made
    is not known everywhere at once, and the service shows that as a message while it keeps trying.
    """

    what: str
    success: frozenset[str] = frozenset()
    failure: frozenset[str] = frozenset()
    gone: str = "failure"
    failure_after: frozenset[str] = frozenset()
    grace: float = 180.0

    def verdict(self, resource: Mapping[str, Any] | None, seen: frozenset[str] = frozenset()) -> str:
        """Say "success", "failure" or "pending" for one reading. seen: the states of earlier readings."""
        if resource is None:
            return self.gone
        status = str(resource.get("status", ""))
        if status in self.success:
            return "success"
        if status in self.failure and (not self.failure_after or seen & self.failure_after):
            return "failure"
        return "pending"


def _available(what: str) -> Waiter:
    return Waiter(
        what,
        success=frozenset({"available"}),
        failure=frozenset({"error", "misconfigured", "deleting", "deleted"}),
    )


def _deleted(what: str) -> Waiter:
    # A broken resource may show its old state for a moment after the request, so "error" counts only after "deleting".
    return Waiter(
        what,
        success=frozenset({"deleted"}),
        failure=frozenset({"error"}),
        gone="success",
        failure_after=frozenset({"deleting"}),
    )


FILE_SYSTEM_AVAILABLE = _available("file system")
FILE_SYSTEM_DELETED = _deleted("file system")
MOUNT_TARGET_AVAILABLE = _available("mount target")
MOUNT_TARGET_DELETED = _deleted("mount target")
ACCESS_POINT_AVAILABLE = _available("access point")
ACCESS_POINT_DELETED = _deleted("access point")

# EKS says in capitals what it means. DEGRADED counts as failed: the driver is not there on every node.
_ADDON_FAILURES = frozenset({"CREATE_FAILED", "UPDATE_FAILED", "DEGRADED", "DELETE_FAILED", "DELETING"})
ADDON_ACTIVE = Waiter("add-on", success=frozenset({"ACTIVE"}), failure=_ADDON_FAILURES)
# One that had failed may show that for a moment after the request.
ADDON_UPDATED = Waiter(
    "add-on", success=frozenset({"ACTIVE"}), failure=_ADDON_FAILURES, failure_after=frozenset({"UPDATING"})
)
# Whatever came of the change that was under way: the next one can be asked for.
ADDON_SETTLED = Waiter(
    "add-on",
    success=frozenset({"ACTIVE", "CREATE_FAILED", "UPDATE_FAILED", "DEGRADED"}),
    failure=frozenset({"DELETING", "DELETE_FAILED"}),
)
ADDON_DELETED = Waiter(
    "add-on", failure=frozenset({"DELETE_FAILED"}), gone="success", failure_after=frozenset({"DELETING"})
)


@dataclass
class _Progress:
    """What one resource showed so far.

    readings: how many were taken. denied_since: when a message of denied access appeared, or None.
    """

    readings: int = 0
    last: Mapping[str, Any] | None = None
    seen: set[str] = field(default_factory=set)
    denied_since: float | None = None


def _state(resource: Mapping[str, Any] | None) -> str:
    """The state for a message: "creating (Access denied: …)", or "gone"."""
    if resource is None:
        return "gone"
    message = str(resource.get("statusMessage") or "")
    return f"{resource.get('status', 'unknown')}{f' ({message})' if message else ''}"


def _denied(resource: Mapping[str, Any] | None) -> bool:
    return "access denied" in str((resource or {}).get("statusMessage") or "").lower()


def _check(waiter: Waiter, name: str, progress: _Progress, resource: Mapping[str, Any] | None, now: float) -> bool:
    """Take one reading into account; True when the wait is over. Raises WaitError when it is hopeless."""
    progress.readings += 1
    verdict = waiter.verdict(resource, frozenset(progress.seen))
    if verdict == "failure" and resource is None and not progress.seen and progress.readings < UNSEEN_READINGS:
        return False
    if verdict == "failure":
        raise WaitError(f"{waiter.what} {name} is {_state(resource)}, it will not become what was asked for")
    progress.last = resource
    if resource is not None:
        progress.seen.add(str(resource.get("status", "")))
    if verdict == "success":
        return True
    if not _denied(resource):
        progress.denied_since = None
    elif progress.denied_since is None:
        progress.denied_since = now
    elif now - progress.denied_since > waiter.grace:
        raise WaitError(f"{waiter.what} {name} has been {_state(resource)} for {waiter.grace:.0f} s: check its role")
    return False


def wait_all(
    waiter: Waiter,
    reads: Mapping[str, Read],
    timeout: float,
    *,
    first_pause: float = 1.0,
    longest_pause: float = 10.0,
) -> dict[str, Mapping[str, Any] | None]:
    """Wait until every resource is in a wanted state.

    reads: name -> function that reads the resource once (None: it does not exist). timeout, pauses: seconds; the pause
    between rounds grows from first_pause to longest_pause. At least one round is made, and one at the deadline.
    Returns the last reading by name. Raises WaitError naming the resource, its state and statusMessage.
    """
    progress = {name: _Progress() for name in reads}
    open_names = set(reads)
    deadline = time.monotonic() + timeout
    pause = first_pause
    while True:
        for name in sorted(open_names):
            if _check(waiter, name, progress[name], reads[name](), time.monotonic()):
                open_names.discard(name)
        if not open_names:
            return {name: state.last for name, state in progress.items()}
        left = deadline - time.monotonic()
        if left <= 0:
            states = "; ".join(f"{waiter.what} {name} is {_state(progress[name].last)}" for name in sorted(open_names))
            wanted = " or ".join(sorted(waiter.success)) or "gone"
            raise WaitError(f"not {wanted} after {timeout:.0f} s: {states}")
        time.sleep(min(pause, left))
        pause = min(longest_pause, pause * 1.6)


def appears(read: Read) -> bool:
    """Whether something that was just created can be read, within a few readings over about six seconds."""
    for reading in range(UNSEEN_READINGS):
        if reading:
            time.sleep(1.5)
        if read() is not None:
            return True
    return False


def wait_for(waiter: Waiter, name: str, read: Read, timeout: float) -> Mapping[str, Any] | None:
    """Wait for one resource; see wait_all. Returns its last reading, None when it is gone."""
    return wait_all(waiter, {name: read}, timeout)[name]
