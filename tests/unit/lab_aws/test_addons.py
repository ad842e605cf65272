# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS add-ons as boto3 sees them, and the collection's own code run against them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import addon as addons
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import foreign, inventory
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, WaitError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Run
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels
from llmfleet_lab.aws.injection import LOST_REPLY

NAME = "aws-efs-csi-driver"
ONE = {"clusterName": "lab", "addonName": NAME}
V1, V2 = "v3.3.0-eksbuild.1", "v3.4.1-eksbuild.1"
CONTROLLER = {"resources": {"limits": {"memory": "512Mi"}}}
OURS = ownership_labels("lab", "storage")
CHECK = Run(check=True)
TIMEOUT = 20.0


@pytest.fixture
def eks(aws: Any) -> Iterator[Any]:
    """A client; there is no add-on before and after."""
    client = aws("eks")
    yield client
    if NAME in client.list_addons(clusterName="lab")["addons"]:
        client.delete_addon(**ONE)


@pytest.fixture
def writes(log_lines: Any) -> Callable[[], list[str]]:
    """The operations that changed something since the last call."""
    seen = len(log_lines())

    def since() -> list[str]:
        nonlocal seen
        lines = log_lines()
        new, seen = lines[seen:], len(lines)
        return [line["operation"] for line in new if line["mutating"]]

    return since


def wanted(**fields: Any) -> addons.Addon:
    values = {"controller": CONTROLLER, "node": {"resources": CONTROLLER["resources"]}}
    given = {"version": V2, "configuration_values": values, "drop_unknown_values": True, "tags": OURS, **fields}
    return addons.Addon("lab", NAME, **given)


def ensure(eks: Any, addon: addons.Addon, run: Run | None = None) -> Any:
    found, _dropped = addons.fitted(eks, addon)
    return addons.ensure_present(eks, found, run or Run(timeout=TIMEOUT))


def status(eks: Any) -> str:
    return str(eks.describe_addon(**ONE)["addon"]["status"])


def test_states_pass_with_time(eks: Any, delays: Any, code: Any) -> None:
    delays(creating=60, deleting=60)
    made = eks.create_addon(**ONE, addonVersion=V1, tags={"a": "b"})["addon"]
    assert (made["status"], made["addonVersion"], made["tags"]) == ("CREATING", V1, {"a": "b"})
    assert made["addonArn"].startswith(f"arn:aws:eks:eu-west-3:123456789012:addon/lab/{NAME}/")
    assert code(eks.update_addon, **ONE, addonVersion=V2)[:2] == ("ResourceInUseException", 409)
    assert code(eks.create_addon, **ONE)[:2] == ("ResourceInUseException", 409)
    delays(creating=0)
    assert status(eks) == "ACTIVE"
    eks.update_addon(**ONE, addonVersion=V2)
    delays(creating=60)
    assert status(eks) == "UPDATING"
    delays(creating=0)
    assert status(eks) == "ACTIVE"
    assert eks.delete_addon(**ONE)["addon"]["status"] == "DELETING"
    assert status(eks) == "DELETING"
    delays(deleting=0)
    assert code(eks.describe_addon, **ONE)[:2] == ("ResourceNotFoundException", 404)
    assert eks.list_addons(clusterName="lab")["addons"] == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"addonName": "nobody-has-it"}, "nobody-has-it specified is not supported"),
        ({"addonVersion": "3.4.1"}, "3.4.1 specified is not supported"),
        ({"configurationValues": "{"}, "not JSON"),
        ({"configurationValues": '{"node":{"resources":{}}}'}, r"\$\.node\.resources: is not defined in the schema"),
        ({"configurationValues": '{"node":{"logLevel":"2"}}'}, "str found, integer expected"),
        ({"tags": {"aws:x": "y"}}, "reserved prefix"),
    ],
)
def test_bad_requests(eks: Any, code: Any, fields: dict[str, Any], says: str) -> None:
    name, _status, answer = code(eks.create_addon, **{**ONE, **fields})
    assert name == "InvalidParameterException"
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(answer["Error"]["Message"])
    assert eks.list_addons(clusterName="lab")["addons"] == []


def test_tags(eks: Any, code: Any) -> None:
    arn = eks.create_addon(**ONE, tags={"old": "1"})["addon"]["addonArn"]
    eks.tag_resource(resourceArn=arn, tags={"a": "b"})
    eks.untag_resource(resourceArn=arn, tagKeys=["old"])
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    assert code(eks.list_tags_for_resource, resourceArn=arn[:-1])[0] == "NotFoundException"


def test_failures_are_asked_for_by_name(control: Any) -> None:
    bad = {"addonName": NAME, "status": "BROKEN", "code": "AccessDenied", "message": "x"}
    assert control("PUT", "addon-failure", bad)[0] == 400
    assert control("PUT", "addon-failure", {"addonName": NAME})[0] == 400


def test_life_of_an_add_on(eks: Any, writes: Any) -> None:
    """check -> create -> again -> modify -> again -> delete -> again: writes only where they are due."""
    assert ensure(eks, wanted(version=V1), CHECK).changed and writes() == []
    result = ensure(eks, wanted(version=V1))
    assert result.changed and result.after["status"] == "ACTIVE" and writes() == ["CreateAddon"]
    assert json.loads(result.after["configuration_values"]) == {"controller": CONTROLLER}
    assert not ensure(eks, wanted(version=V1)).changed and writes() == []
    assert ensure(eks, wanted(), CHECK).after["addon_version"] == V2 and writes() == []
    modified = wanted(tags={**OURS, "team": "ml"})
    result = ensure(eks, modified)
    assert (result.after["addon_version"], result.after["tags"]["team"]) == (V2, "ml")
    assert writes() == ["TagResource", "UpdateAddon"]
    assert not ensure(eks, modified).changed and writes() == []
    assert addons.ensure_absent(eks, modified, CHECK).changed and writes() == []
    assert addons.ensure_absent(eks, modified, Run(timeout=TIMEOUT)).changed and writes() == ["DeleteAddon"]
    assert not addons.ensure_absent(eks, modified, Run(timeout=TIMEOUT)).changed and writes() == []


def test_a_failed_creation_is_told_and_mended(eks: Any, control: Any) -> None:
    failure = {"addonName": NAME, "status": "CREATE_FAILED", "code": "AccessDenied", "message": "may not write"}
    assert control("PUT", "addon-failure", failure)[0] == 200
    with pytest.raises(WaitError, match=r"CREATE_FAILED \(AccessDenied: may not write\)"):
        ensure(eks, wanted())
    assert ensure(eks, wanted()).after["status"] == "ACTIVE"


def test_a_deletion_that_fails_is_told_and_done_again(eks: Any, control: Any, delays: Any) -> None:
    ensure(eks, wanted())
    delays(deleting=0.5)
    failure = {"addonName": NAME, "status": "DELETE_FAILED", "code": "AccessDenied", "message": "may not delete"}
    control("PUT", "addon-failure", failure)
    with pytest.raises(WaitError, match=r"DELETE_FAILED \(AccessDenied: may not delete\)"):
        addons.ensure_absent(eks, wanted(), Run(timeout=TIMEOUT))
    assert addons.ensure_absent(eks, wanted(), Run(timeout=TIMEOUT)).changed
    assert eks.list_addons(clusterName="lab")["addons"] == []


def test_a_lost_reply_makes_no_second_one(eks: Any, control: Any, no_faults: None, writes: Any) -> None:
    fault = {"service": "eks", "operation": "CreateAddon", "error": LOST_REPLY, "times": 1}
    made, answer = control("POST", "faults", fault)
    assert made == 201, answer
    assert ensure(eks, wanted()).after["status"] == "ACTIVE"
    assert writes() == ["CreateAddon", "CreateAddon"]


def test_foreign_ones_are_found_before_the_first_write(eks: Any, monkeypatch: pytest.MonkeyPatch, writes: Any) -> None:
    monkeypatch.setattr(foreign, "client", lambda _session, _service: eks)
    resource = {"resource": "eks_addon", "name": NAME, "properties": {"name": NAME, "version": V2}}
    resource["properties"] |= {"configuration_values": {"controller": CONTROLLER}, "drop_unknown_values": True}
    assert foreign.foreign_resources(None, "lab", [resource]) == []
    eks.create_addon(**ONE, addonVersion=V2, configurationValues=json.dumps({"controller": CONTROLLER}))
    assert foreign.foreign_resources(None, "lab", [resource]) == []
    assert inventory.addons(eks, "lab") == []
    eks.update_addon(**ONE, addonVersion=V1)
    (line,) = foreign.foreign_resources(None, "lab", [resource])
    assert f"eks_addon {NAME} exists already in AWS and was not made by llmfleet" in line
    writes()
    with pytest.raises(AwsError, match="was not made by llmfleet"):
        ensure(eks, wanted())
    assert writes() == []
    eks.tag_resource(resourceArn=eks.describe_addon(**ONE)["addon"]["addonArn"], tags=OURS)
    assert foreign.foreign_resources(None, "lab", [resource]) == []
    assert [item.name for item in inventory.addons(eks, "lab")] == [NAME]
