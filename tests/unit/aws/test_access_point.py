# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access points: what is sent for each difference, and that nothing is sent without one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.access_point import (
    AccessPoint,
    ensure_absent,
    ensure_present,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, ImmutableError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run
from aws_answers import FS, POINT, POINT2, point, points, tag_list

REAL = Run(timeout=60)
CHECK = Run(check=True)
USER = {"uid": 1001, "gid": 1001, "secondary_gids": None}
PERMISSIONS = {"owner_uid": 1001, "owner_gid": 1001, "permissions": "775"}
ROOT = {"path": "/models", "creation_permissions": PERMISSIONS}


def wanted(**fields: Any) -> AccessPoint:
    given = {"file_system_id": FS, "name": "weights", "posix_user": USER, "root_directory": ROOT}
    return AccessPoint(**{**given, **fields})


def found(script: Any, item: dict[str, Any]) -> None:
    """Expect the reads of one existing access point."""
    script.answer("list_access_points", {"fileSystemId": FS}, points(item))
    script.answer("get_access_point", {"accessPointId": POINT}, item)


class Sent:
    """The parameters of the calls of one operation, as they leave the client."""

    def __init__(self, script: Any, operation: str) -> None:
        self.calls: list[dict[str, Any]] = []
        script.client.meta.events.register(f"provide-client-params.s3files.{operation}", self._record)

    def _record(self, params: dict[str, Any], **_kwargs: Any) -> None:
        self.calls.append(dict(params))


def test_creates_and_waits(s3files: Any) -> None:
    sent = Sent(s3files, "CreateAccessPoint")
    s3files.answer("list_access_points", {"fileSystemId": FS}, points(point(name="other")))
    s3files.error("create_access_point", "ThrottlingException", status=429)
    s3files.answer("create_access_point", None, point("creating"))
    s3files.answer("get_access_point", {"accessPointId": POINT}, point("creating"))
    s3files.answer("get_access_point", {"accessPointId": POINT}, point())
    s3files.answer("get_access_point", {"accessPointId": POINT}, point())
    result = ensure_present(s3files.client, wanted(tags={"team": "ml"}), REAL)
    first, second = sent.calls
    assert first == second, "the repeated call must carry the same token"
    assert len(first.pop("clientToken")) == 64
    assert first == {
        "fileSystemId": FS,
        "tags": tag_list(Name="weights", team="ml"),
        "posixUser": {"uid": 1001, "gid": 1001},
        "rootDirectory": {
            "path": "/models",
            "creationPermissions": {"ownerUid": 1001, "ownerGid": 1001, "permissions": "0775"},
        },
    }
    assert result.after["access_point_id"] == POINT
    assert result.after["root_directory"]["creation_permissions"]["owner_uid"] == 1001


def test_second_run_sends_no_write(s3files: Any) -> None:
    found(s3files, point())
    assert not ensure_present(s3files.client, wanted(tags={}), REAL).changed


def test_check_mode_predicts(s3files: Any) -> None:
    s3files.error("list_access_points", "ResourceNotFoundException", status=404)
    result = ensure_present(s3files.client, wanted(), CHECK)
    assert result.changed
    assert result.after["access_point_id"] == "fsap-00000000000000000"
    assert result.after["root_directory"]["creation_permissions"]["permissions"] == "0775"


@pytest.mark.parametrize(
    ("fields", "differences"),
    [
        ({"posix_user": {**USER, "uid": 0}}, {"posix_user.uid": (1001, 0)}),
        ({"posix_user": {**USER, "secondary_gids": [5]}}, {"posix_user.secondary_gids": ([], [5])}),
        ({"root_directory": {"path": "/"}}, {"root_directory.path": ("/models", "/")}),
        (
            {"root_directory": {"path": "/m", "creation_permissions": {**PERMISSIONS, "permissions": "0700"}}},
            {
                "root_directory.path": ("/models", "/m"),
                "root_directory.creation_permissions.permissions": ("0775", "0700"),
            },
        ),
    ],
)
def test_fields_that_cannot_change_are_named(s3files: Any, fields: dict[str, Any], differences: dict[str, Any]) -> None:
    found(s3files, point())
    with pytest.raises(ImmutableError) as caught:
        ensure_present(s3files.client, wanted(**fields), REAL)
    assert caught.value.differences == differences


def test_groups_in_another_order_are_the_same(s3files: Any) -> None:
    found(s3files, point(posixUser={"uid": 1001, "gid": 1001, "secondaryGids": [7, 5]}))
    user = {**USER, "secondary_gids": [5, 7]}
    assert not ensure_present(s3files.client, wanted(posix_user=user), REAL).changed


def test_tags_are_changed_in_place(s3files: Any) -> None:
    found(s3files, point())
    s3files.answer("tag_resource", {"resourceId": POINT, "tags": tag_list(team="ml")})
    s3files.answer("get_access_point", {"accessPointId": POINT}, point(tags=tag_list(Name="weights", team="ml")))
    assert ensure_present(s3files.client, wanted(tags={"team": "ml"}), REAL).after["tags"]["team"] == "ml"


def test_one_that_is_being_deleted_is_replaced(s3files: Any) -> None:
    found(s3files, point("deleting"))
    new = point(point_id=POINT2)
    s3files.answer("create_access_point", None, new)
    for _ in range(3):
        s3files.answer("get_access_point", {"accessPointId": POINT2}, new)
    assert ensure_present(s3files.client, wanted(), REAL).after["access_point_id"] == POINT2


def test_a_token_that_answers_a_vanished_one_is_replaced(s3files: Any) -> None:
    sent = Sent(s3files, "CreateAccessPoint")
    s3files.answer("list_access_points", {"fileSystemId": FS}, points())
    s3files.answer("create_access_point", None, point())
    for _ in range(5):
        s3files.error("get_access_point", "ResourceNotFoundException", status=404)
    new = point(point_id=POINT2)
    s3files.answer("create_access_point", None, new)
    for _ in range(2):
        s3files.answer("get_access_point", {"accessPointId": POINT2}, new)
    assert ensure_present(s3files.client, wanted(), REAL).after["access_point_id"] == POINT2
    assert sent.calls[0]["clientToken"] != sent.calls[1]["clientToken"]


def test_an_id_that_does_not_exist_is_an_error(s3files: Any) -> None:
    s3files.error("get_access_point", "ResourceNotFoundException", status=404)
    with pytest.raises(AwsError, match=f"no access point {POINT}"):
        ensure_present(s3files.client, AccessPoint(access_point_id=POINT), REAL)


def test_absent_deletes_and_waits(s3files: Any) -> None:
    found(s3files, point())
    s3files.answer("delete_access_point", {"accessPointId": POINT})
    s3files.answer("get_access_point", {"accessPointId": POINT}, point("deleting"))
    s3files.error("get_access_point", "ResourceNotFoundException", status=404)
    assert ensure_absent(s3files.client, wanted(), REAL).changed


def test_absent_in_check_mode_deletes_nothing(s3files: Any) -> None:
    found(s3files, point())
    assert ensure_absent(s3files.client, wanted(), CHECK).changed


def test_absent_is_unchanged(s3files: Any) -> None:
    s3files.error("list_access_points", "ResourceNotFoundException", status=404)
    assert not ensure_absent(s3files.client, wanted(), REAL).changed
