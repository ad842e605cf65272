# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions and clients: how the inventory's llmfleet_aws becomes credentials, in this process or in a module's.

llmfleet_aws is a mapping of {profile, config_file, credentials_file}, each optional. Where it says nothing, the SDK's
usual search applies (environment, files, SSO, instance role). An endpoint is given by the profile: `endpoint_url` in
the configuration file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing

try:
    import boto3
    import botocore.session
    from botocore.config import Config

    HAS_SDK = True
except ImportError:
    HAS_SDK = False

KEYS = ("profile", "config_file", "credentials_file")
# One attempt a call: retries.py repeats, and two layers of retries would multiply.
CLIENT_OPTIONS: dict[str, Any] = {
    "retries": {"mode": "standard", "total_max_attempts": 1},
    "connect_timeout": 10,
    "read_timeout": 60,
}
# For modules of amazon.aws, whose own retries leave some calls and codes out: of an SDK's three attempts a busy account
# throttles all now and then.
RETRIES = {"AWS_MAX_ATTEMPTS": "10", "AWS_RETRY_MODE": "standard"}


def client_config() -> Any:
    """The botocore Config for every client that is used with retries.call."""
    return Config(**CLIENT_OPTIONS)


def settings(aws: Mapping[str, Any] | None) -> dict[str, str]:
    """llmfleet_aws, checked: only the keys that were given, files as existing absolute paths.

    Without a profile, a credentials file means its profile "default".
    Raises AwsError naming the variable, its value and what is accepted.
    """
    given = {key: value for key, value in (aws or {}).items() if value not in (None, "")}
    unknown = sorted(set(given) - set(KEYS))
    if unknown:
        raise AwsError(f"llmfleet_aws: got the unknown key {unknown[0]!r}; accepted: {', '.join(KEYS)}")
    for key, value in given.items():
        if not isinstance(value, str):
            raise AwsError(f"llmfleet_aws.{key}: got {value!r}; accepted: a string")
    found = dict(given)
    for key in ("config_file", "credentials_file"):
        if key in found:
            # The SDK takes a file that is not there for an empty one, and would go on with other credentials.
            path = os.path.abspath(os.path.expanduser(found[key]))
            if not os.path.isfile(path):
                raise AwsError(
                    f"llmfleet_aws.{key}: got {found[key]!r}, which is not a file; accepted: an existing file"
                )
            found[key] = path
    if "credentials_file" in found:
        found.setdefault("profile", "default")
    return found


def session(aws: Mapping[str, Any] | None, region: str) -> boto3.Session:
    """A boto3 session in this process, from llmfleet_aws and a region name.

    A given profile wins over credentials in the environment. Raises AwsError for bad settings, an unknown profile or a
    missing SDK. Nothing is sent to AWS.
    """
    if not HAS_SDK:
        raise AwsError("boto3 and botocore are needed on the controller: install this collection's requirements.txt")
    given = settings(aws)
    core = botocore.session.Session()
    for key in KEYS:
        if key in given:
            core.set_config_variable(key, given[key])
    core.set_config_variable("region", region)
    with doing("use the AWS settings of llmfleet_aws"):
        core.get_scoped_config()  # an unknown profile shows here, not at the first request
        return boto3.Session(botocore_session=core, region_name=region)


def client(aws_session: boto3.Session, service: str) -> Any:
    """A client of `service` (a boto3 service name) for use with retries.call. Raises AwsError."""
    with doing(f"make a client of the AWS service {service}"):
        return aws_session.client(service, config=client_config())


def environment(aws: Mapping[str, Any] | None, region: str = "") -> dict[str, str]:
    """Environment variables by which modules and commands started by a task find the same credentials.

    With a profile, credentials of the surrounding environment are blanked: they would win over it, or be refused
    beside it. With a region, the region variables are set. Retries are RETRIES where the surrounding environment says
    nothing. Holds no secret. Raises AwsError as settings does.
    """
    given = settings(aws)
    found = {key: value for key, value in RETRIES.items() if key not in os.environ}
    if "config_file" in given:
        found["AWS_CONFIG_FILE"] = given["config_file"]
    if "credentials_file" in given:
        found["AWS_SHARED_CREDENTIALS_FILE"] = given["credentials_file"]
    if "profile" in given:
        found["AWS_PROFILE"] = given["profile"]
        found.update(dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), ""))
    if region:
        found.update(dict.fromkeys(("AWS_REGION", "AWS_DEFAULT_REGION"), region))
    return found
