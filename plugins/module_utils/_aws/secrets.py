# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading values from AWS Secrets Manager. Values are returned and never put into a message."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call


def read_text(secretsmanager: Any, secret_id: str) -> str:
    """The current string value of a secret. secretsmanager: its client. secret_id: a name or an ARN.

    Raises AwsError, with .missing when there is no such secret; also for a binary secret.
    """
    with doing(f"read the secret {secret_id} of Secrets Manager"):
        answer = call(secretsmanager.get_secret_value, SecretId=secret_id)
    value = answer.get("SecretString")
    if not isinstance(value, str):
        raise AwsError(f"the secret {secret_id} of Secrets Manager is binary; accepted: a string")
    return value


def read_json(secretsmanager: Any, secret_id: str) -> dict[str, str]:
    """The current value of a secret that holds a JSON object of strings; numbers and booleans become strings.

    Raises AwsError that names the secret and, for a value of another kind, its key: never a value.
    """
    value = read_text(secretsmanager, secret_id)
    try:
        document = json.loads(value)
    except ValueError:
        # Without "from": the decoder's exception carries the whole text.
        raise AwsError(
            f"the secret {secret_id} of Secrets Manager is not JSON; accepted: an object of strings"
        ) from None
    if not isinstance(document, dict):
        raise AwsError(
            f"the secret {secret_id} of Secrets Manager holds a JSON {type(document).__name__}; "
            "accepted: an object of strings"
        )
    found: dict[str, str] = {}
    for key, item in document.items():
        if isinstance(item, (dict, list)) or item is None:
            raise AwsError(
                f"the secret {secret_id} of Secrets Manager: key {key!r} holds a {type(item).__name__}; "
                "accepted: a string"
            )
        found[key] = item if isinstance(item, str) else json.dumps(item)
    return found
