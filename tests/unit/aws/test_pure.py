# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags, policies, results and secrets: conversions and comparisons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import policy, secrets, tags
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import plain, stable_token
from aws_script import Script


def test_tags_of_every_service_become_one_mapping() -> None:
    assert tags.from_list([{"key": "a", "value": "1"}]) == {"a": "1"}
    assert tags.from_list([{"Key": "a", "Value": "1"}, {"Key": "b"}]) == {"a": "1", "b": ""}
    assert tags.from_list(None) == {}


def test_tags_are_written_in_lower_case_form_with_text_values() -> None:
    given = {"b": True, "a": 1, "c": None}
    assert tags.to_list(given) == [
        {"key": "a", "value": "1"},
        {"key": "b", "value": "true"},
        {"key": "c", "value": ""},
    ]


@pytest.mark.parametrize(
    ("current", "wanted", "purge", "to_set", "to_remove"),
    [
        ({"a": "1"}, None, True, {}, ()),
        ({"a": "1"}, {}, True, {}, ("a",)),
        ({"a": "1"}, {}, False, {}, ()),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, True, {"b": "3"}, ()),
        ({"aws:x": "1", "AWS:y": "1"}, {}, True, {}, ()),
        ({"Case": "1"}, {"case": "1"}, True, {"case": "1"}, ("Case",)),
    ],
)
def test_the_difference_of_tags(
    current: dict[str, str], wanted: dict[str, str] | None, purge: bool, to_set: dict[str, str], to_remove: Any
) -> None:
    change = tags.difference(current, wanted, purge=purge)
    assert (change.to_set, change.to_remove) == (to_set, to_remove)
    assert bool(change) is bool(to_set or to_remove)
    if wanted is not None and purge:
        assert not tags.difference(tags.applied(current, change), wanted)


def test_the_name_is_a_tag() -> None:
    assert tags.wanted_tags(None, "x") is None
    assert tags.wanted_tags({"a": 1}, "x") == {"a": "1", "Name": "x"}
    assert tags.wanted_tags({"a": 1}, None) == {"a": "1"}


def test_a_resource_keeps_the_keys_of_its_tags() -> None:
    answer = {
        "fileSystemId": "fs-1",
        "ipv4Address": "10.0.0.1",
        "createdAt": datetime(2026, 11, 24, tzinfo=UTC),
        "posixUser": {"secondaryGids": [1]},
        "tags": [{"key": "llmfleet.io/cluster", "value": "example"}, {"key": "camelCase", "value": "x"}],
        "ResponseMetadata": {"HTTPStatusCode": 200},
    }
    assert plain(answer) == {
        "file_system_id": "fs-1",
        "ipv4_address": "10.0.0.1",
        "created_at": "2026-11-24T00:00:00+00:00",
        "posix_user": {"secondary_gids": [1]},
        "tags": {"llmfleet.io/cluster": "example", "camelCase": "x"},
    }
    assert plain({"tags": {"camelCase": "x"}}) == {"tags": {"camelCase": "x"}}


def test_tokens_are_stable_fit_the_service_and_do_not_collide() -> None:
    assert stable_token("a", "b") == stable_token("a", "b")
    assert stable_token("a", "b") != stable_token("ab", "")
    assert len(stable_token("a" * 2000)) == 64


def statement(**fields: Any) -> dict[str, Any]:
    given = {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}, "Action": "s3files:Mount"}
    return {**given, "Resource": "*", **fields}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (document(statement()), {"Version": "2012-10-17", "Statement": statement()}),
        (document(statement(Action=["a:X", "a:Y"])), document(statement(Action=["a:y", "a:x"]))),
        (document(statement()), document(statement(Principal={"AWS": "123456789012"}))),
        (document(statement(Principal="*")), document(statement(Principal={"AWS": "*"}))),
        (
            document(statement(Condition={"Bool": {"aws:SecureTransport": True}})),
            document(statement(Condition={"Bool": {"AWS:SecureTransport": ["true"]}})),
        ),
        (document(statement(), statement(Effect="Deny")), document(statement(Effect="Deny"), statement())),
        ({}, {}),
    ],
)
def test_policies_that_mean_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert policy.same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (document(statement()), document(statement(Effect="Deny"))),
        (document(statement()), document(statement(Resource="arn:aws:s3:::X"))),
        (document(statement(Resource="arn:aws:s3:::x")), document(statement(Resource="arn:aws:s3:::X"))),
        (document(statement()), document(statement(), statement(Effect="Deny"))),
        (document(statement()), {"Statement": [statement()]}),
        (document(statement()), document(statement(Principal={"Service": "123456789012"}))),
        (document(statement()), document(statement(Condition={"Bool": {"aws:SecureTransport": "true"}}))),
        (document(statement()), {}),
    ],
)
def test_policies_that_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not policy.same(one, other)


def test_statements_get_the_resource_they_lack() -> None:
    bare = {key: value for key, value in statement().items() if key != "Resource"}
    assert policy.complete(document(bare, statement()), "arn:x") == document({**bare, "Resource": "arn:x"}, statement())
    assert policy.complete({"Statement": bare}, "arn:x") == {"Statement": [{**bare, "Resource": "arn:x"}]}
    assert policy.complete({}, "arn:x") == {}


@pytest.mark.parametrize(("given", "expected"), [(None, {}), ("", {}), ("{}", {}), ('{"a": 1}', {"a": 1}), ({}, {})])
def test_policies_are_parsed(given: Any, expected: dict[str, Any]) -> None:
    assert policy.parse(given) == expected


@pytest.mark.parametrize(
    ("given", "message"), [("{", "policy: got text that is not JSON"), ("[]", "policy: got a JSON")]
)
def test_bad_policies_are_named(given: str, message: str) -> None:
    with pytest.raises(AwsError, match=message):
        policy.parse(given)


def secret(value: dict[str, Any]) -> Any:
    script = Script("secretsmanager")
    script.answer("get_secret_value", {"SecretId": "keys"}, value)
    script.stubber.activate()
    return script.client


def test_a_secret_is_read_as_strings() -> None:
    found = secrets.read_json(secret({"SecretString": '{"a": "x", "b": 7, "c": true}'}), "keys")
    assert found == {"a": "x", "b": "7", "c": "true"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"SecretString": '"hunter2"'}, "holds a JSON str"),
        ({"SecretString": "hunter2"}, "is not JSON"),
        ({"SecretString": '{"a": ["hunter2"]}'}, "key 'a' holds a list"),
        ({"SecretBinary": b"hunter2"}, "is binary"),
    ],
)
def test_a_bad_secret_is_named_without_its_value(value: dict[str, Any], message: str) -> None:
    with pytest.raises(AwsError, match=message) as caught:
        secrets.read_json(secret(value), "keys")
    assert "hunter2" not in str(caught.value)
    assert "keys" in str(caught.value)
    # The decoder's exception carries the text: it must not be in the chain that Ansible prints.
    assert caught.value.__context__ is None or caught.value.__suppress_context__
