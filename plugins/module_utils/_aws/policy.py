# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison of IAM policy documents by what they mean, not by how they are written."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError

_ROOT_ARN = re.compile(r"^arn:aws[a-z-]*:iam::(\d{12}):root$")
# These take one value or a list of values, and the order says nothing.
_SETS = ("Action", "NotAction", "Resource", "NotResource")


def parse(policy: Any, option: str = "policy") -> dict[str, Any]:
    """The document as a mapping. policy: a mapping, JSON text, or None and "" for no policy ({}).

    Raises AwsError naming the option and what is accepted.
    """
    if policy is None or policy == "":
        return {}
    if isinstance(policy, str):
        try:
            policy = json.loads(policy)
        except ValueError as exception:
            raise AwsError(f"{option}: got text that is not JSON ({exception}); accepted: a policy document") from None
    if not isinstance(policy, dict):
        raise AwsError(f"{option}: got a JSON {type(policy).__name__}; accepted: a policy document")
    return policy


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two documents mean the same; {} is no policy. The names of statements (Sid) count too."""
    if not one or not other:
        return not one and not other
    return bool(_canonical(one) == _canonical(other))


def complete(policy: dict[str, Any], resource: str) -> dict[str, Any]:
    """The document with `resource` (an ARN) in every statement that names no resource.

    So a policy can be written before the ARN of its resource is known.
    """
    if not policy:
        return policy
    statements = policy.get("Statement", [])
    if isinstance(statements, dict):
        statements = [statements]
    return {**policy, "Statement": [_complete(statement, resource) for statement in statements]}


def _complete(statement: Any, resource: str) -> dict[str, Any]:
    if not isinstance(statement, dict):
        raise AwsError(f"policy: got the statement {statement!r}; accepted: an object")
    if "Resource" in statement or "NotResource" in statement:
        return statement
    return {**statement, "Resource": resource}


def _canonical(document: dict[str, Any]) -> Any:
    """A form that is equal for documents that mean the same."""
    statements = document.get("Statement", [])
    if isinstance(statements, dict):
        statements = [statements]
    return {
        **{key: value for key, value in document.items() if key not in ("Statement", "Version")},
        # IAM's default when the version is left out
        "Version": document.get("Version", "2008-10-17"),
        "Statement": sorted((_statement(item) for item in statements), key=_order),
    }


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in statement.items():
        if key in _SETS:
            # Names of actions do not depend on case; resources do.
            found[key] = sorted({item.lower() if key.endswith("Action") else item for item in _list(value)})
        elif key in ("Principal", "NotPrincipal"):
            found[key] = _principal(value)
        elif key == "Condition":
            found[key] = {
                operator: {name.lower(): sorted(_text(item) for item in _list(values)) for name, values in keys.items()}
                for operator, keys in value.items()
            }
        else:
            found[key] = value
    return found


def _principal(value: Any) -> dict[str, list[str]]:
    """One form of a principal: "*" is every AWS principal, and an account number is the ARN of its root."""
    if value == "*":
        return {"AWS": ["*"]}
    return {kind: sorted({_ROOT_ARN.sub(r"\1", str(item)) for item in _list(items)}) for kind, items in value.items()}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """Conditions hold strings; JSON booleans and numbers are taken as their text."""
    return value if isinstance(value, str) else json.dumps(value)


def _order(statement: dict[str, Any]) -> str:
    return json.dumps(statement, sort_keys=True)
