# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that last: a share of the calls, expired tokens, a clock that is ahead, and lists that lag behind."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import botocore.exceptions
import pytest
from llmfleet_lab.aws.trail import Trail

pytestmark = pytest.mark.usefixtures("no_faults", "in_time")
SERVER = {
    "s3files": ("list_file_systems", "ThrottlingException", "InternalServerException"),
    "eks": ("list_clusters", "ThrottlingException", "ServerException"),
    "iam": ("list_roles", "Throttling", "ServiceFailure"),
    "ec2": ("describe_vpcs", "RequestLimitExceeded", "InternalError"),
    "s3": ("list_buckets", "SlowDown", "InternalError"),
    "sts": ("get_caller_identity", "Throttling", "InternalFailure"),
}


@pytest.fixture
def in_time(control: Any) -> Iterator[None]:
    """Clock and lists are right again afterwards."""
    yield
    for path in ("lag", "clock"):
        control("PUT", path, {"seconds": 0})


def throttled(aws: Any, calls: int) -> list[bool]:
    found = []
    for _ in range(calls):
        try:
            aws("eks").list_clusters()
            found.append(False)
        except botocore.exceptions.ClientError:
            found.append(True)
    return found


def test_a_share_of_the_calls_fails_and_the_same_ones_each_time(aws: Any, control: Any) -> None:
    runs = []
    for seed in (1, 1, 2):
        control("DELETE", "faults")
        control("POST", "faults", {"service": "*", "operation": "*", "error": "Throttled", "rate": 0.3, "seed": seed})
        runs.append(throttled(aws, 60))
    assert runs[0] == runs[1] != runs[2]
    assert all(10 <= sum(run) <= 26 for run in runs)


@pytest.mark.parametrize("service", sorted(SERVER))
def test_each_service_has_its_own_errors(aws: Any, control: Any, code: Any, service: str) -> None:
    method, throttling, failing = SERVER[service]
    for error, expected in (("Throttled", throttling), ("ServerError", failing)):
        control("POST", "faults", {"service": "*", "operation": "*", "error": error})
        found = code(getattr(aws(service), method))
        assert found[0] == expected
        assert (found[1] >= 500) is (error == "ServerError" or expected in ("SlowDown", "RequestLimitExceeded"))


def test_a_cut_connection_has_done_nothing(aws: Any, control: Any, name: str) -> None:
    control("POST", "faults", {"service": "iam", "operation": "CreateUser", "error": "ConnectionReset"})
    with pytest.raises(botocore.exceptions.HTTPClientError):
        aws("iam").create_user(UserName=name)
    assert name not in str(aws("iam").list_users()["Users"])
    aws("iam").create_user(UserName=name)


def test_a_token_expires_in_the_middle_and_stays_so(aws: Any, control: Any, code: Any) -> None:
    control("POST", "faults", {"service": "*", "operation": "*", "error": "ExpiredToken", "after": 2})
    aws("eks").list_clusters()
    aws("s3files").list_file_systems()
    for service, expected in (("eks", "ExpiredTokenException"), ("iam", "ExpiredToken"), ("ec2", "RequestExpired")):
        assert code(getattr(aws(service), SERVER[service][0]))[0] == expected
    assert control("GET", "faults")[1]["faults"][0]["times"] is None
    control("DELETE", "faults")
    aws("eks").list_clusters()


def test_a_clock_that_is_an_hour_ahead(aws: Any, control: Any, code: Any) -> None:
    control("PUT", "clock", {"seconds": 3600})
    assert code(aws("s3").list_buckets)[0] == "RequestTimeTooSkewed"
    found = code(aws("s3files").list_file_systems)
    assert found[0] == "InvalidSignatureException" and "Signature expired" in found[2]["Error"]["Message"]
    assert control("PUT", "clock", {"seconds": "soon"})[0] == 400
    control("PUT", "clock", {"seconds": 0})
    aws("s3").list_buckets()


def test_lists_lag_and_what_has_an_id_is_found(aws: Any, control: Any, file_system: str) -> None:
    s3files = aws("s3files")
    point = s3files.create_access_point(fileSystemId=file_system)["accessPointId"]
    control("PUT", "lag", {"seconds": 0.4})
    listed = lambda: [item["accessPointId"] for item in s3files.list_access_points(**of)["accessPoints"]]  # noqa: E731
    of = {"fileSystemId": file_system}
    assert listed() == []
    assert s3files.get_access_point(accessPointId=point)["status"] == "available"
    time.sleep(0.5)
    assert listed() == [point]
    s3files.delete_access_point(accessPointId=point)
    assert listed() == [point]
    with pytest.raises(s3files.exceptions.ResourceNotFoundException):
        s3files.get_access_point(accessPointId=point)
    time.sleep(0.5)
    assert listed() == []


def test_a_new_role_is_not_heard_of_at_once(aws: Any, control: Any, code: Any, bucket: str, fs_role: str) -> None:
    asked = {"bucket": f"arn:aws:s3:::{bucket}", "roleArn": fs_role}
    control("PUT", "lag", {"seconds": 60})
    found = code(aws("s3files").create_file_system, **asked)
    assert found[0] == "ValidationException" and "does not exist" in found[2]["Error"]["Message"]
    control("PUT", "lag", {"seconds": 0})
    aws("s3files").create_file_system(**asked)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rate": 0}, "rate"),
        ({"rate": 1.5}, "rate"),
        ({"after": -1}, "after"),
        ({"operation": "ListRoles"}, "operation"),
    ],
)
def test_bad_ones_are_refused(control: Any, change: dict[str, Any], named: str) -> None:
    status, answer = control("POST", "faults", {"service": "*", "operation": "*", "error": "Throttled", **change})
    assert status == 400 and named in answer["error"]


def test_a_trail_says_what_there_was() -> None:
    now = [0.0]
    trail = Trail[str](lambda: now[0])
    one, other = "one", "other"
    for moment, items in ((1.0, [one]), (3.0, [one, other]), (4.0, [other])):
        now[0] = moment
        trail.note(items)
    now[0] = 5.0
    assert [trail.ago(seconds) for seconds in (0, 1, 1.5, 3, 4.5)] == [[other], [other], [one, other], [one], []]
