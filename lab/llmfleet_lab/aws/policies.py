# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading policy documents: who may assume a role, and what the policies of a role permit."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


@functools.lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """A pattern of IAM: * and ? only."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _matches(value: str, pattern: str) -> bool:
    return _glob(pattern).fullmatch(value) is not None


def _text(value: Any) -> str:
    """A value of a condition: policies write booleans as JSON's or as strings."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def statements(document: Any) -> list[Mapping[str, Any]]:
    """The statements of a policy document. Raises ValueError when it is none."""
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("it has no Statement")
    found = _list(document["Statement"])
    for statement in found:
        if not isinstance(statement, Mapping) or statement.get("Effect") not in ("Allow", "Deny"):
            raise ValueError("a statement's Effect is neither Allow nor Deny")
        if "Action" not in statement and "NotAction" not in statement:
            raise ValueError("a statement has no Action")
    return found


def principals(statement: Mapping[str, Any], kind: str) -> list[str]:
    """The principals of a kind (AWS, Service, …) in a statement; ["*"] for everybody."""
    principal = statement.get("Principal", {})
    if principal == "*":
        return ["*"]
    if not isinstance(principal, Mapping):
        return []
    return [str(item) for item in _list(principal.get(kind, []))]


def _names_action(statement: Mapping[str, Any], action: str) -> bool:
    patterns = [str(item).lower() for item in _list(statement.get("Action", statement.get("NotAction", [])))]
    named = any(_matches(action.lower(), item) for item in patterns)
    return named if "Action" in statement else not named


def _names_resource(statement: Mapping[str, Any], resource: str | None) -> bool:
    """resource: an ARN; None for one that is not known, which every statement is taken to name."""
    if resource is None:
        return True
    patterns = [str(item) for item in _list(statement.get("Resource", statement.get("NotResource", "*")))]
    named = any(_matches(resource, item) for item in patterns)
    return named if "NotResource" not in statement else not named


def conditions_hold(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """Whether the conditions of a statement hold. An operator that is not known here, or a key without a value in the
    context, does not hold, except for operators of the form …IfExists."""
    for operator, pairs in statement.get("Condition", {}).items():
        name, if_exists = operator.removesuffix("IfExists"), operator.endswith("IfExists")
        for key, wanted in pairs.items():
            value = context.get(key.lower())
            if value is None:
                if not if_exists:
                    return False
            elif name in ("StringEquals", "Bool"):
                if value not in [_text(item) for item in _list(wanted)]:
                    return False
            elif name in ("StringLike", "ArnLike", "ArnEquals"):
                if not any(_matches(value, str(item)) for item in _list(wanted)):
                    return False
            else:
                return False
    return True


def allows(document: Mapping[str, Any], service: str, actions: Sequence[str], context: Mapping[str, str]) -> bool:
    """Whether a trust policy lets a service do all the actions.

    context: condition keys in lower case -> values, such as aws:sourceaccount.
    """
    try:
        found = statements(document)
    except ValueError:
        return False
    granted: set[str] = set()
    for statement in found:
        if {service, "*"}.isdisjoint(principals(statement, "Service")) or not conditions_hold(statement, context):
            continue
        matched = {action for action in actions if _names_action(statement, action)}
        if statement["Effect"] == "Deny" and matched:
            return False
        granted |= matched
    return granted >= set(actions)


def permits(documents: Sequence[Any], action: str, resource: str | None, context: Mapping[str, str]) -> bool:
    """Whether identity policies permit an action on a resource (an ARN; None: any). A Deny outweighs every Allow.

    Documents that are no policies permit nothing. context: as in allows().
    """
    allowed = False
    for document in documents:
        try:
            found = statements(document)
        except ValueError:
            continue
        for statement in found:
            if not (_names_action(statement, action) and _names_resource(statement, resource)):
                continue
            if not conditions_hold(statement, context):
                continue
            # Of a resource that is not known, only a denial is sure that is about everything.
            if statement["Effect"] == "Deny" and (resource is not None or statement.get("Resource") == "*"):
                return False
            allowed = allowed or statement["Effect"] == "Allow"
    return allowed
