# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all AWS modules do the same way: clients, failing, and answering with a diff."""

from __future__ import annotations

from typing import Any, NoReturn

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Result, Run
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.s3files import MINIMUM_BOTOCORE
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client_config

WAIT_ARGUMENTS: dict[str, Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 900},
}
TAG_ARGUMENTS: dict[str, Any] = {
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def make_client(module: Any, service: str) -> Any:
    """A client of `service` from the module's AWS options (an AnsibleAWSModule), for use with retries.call."""
    if service == "s3files":
        module.require_botocore_at_least(MINIMUM_BOTOCORE, reason="to manage S3 Files")
    return module.client(service, config=client_config())


def run_options(module: Any) -> Run:
    """Check mode and the options of WAIT_ARGUMENTS."""
    return Run(check=module.check_mode, wait=module.params["wait"], timeout=float(module.params["wait_timeout"]))


def fail(module: Any, error: AwsError) -> NoReturn:
    """End the module with the error's message, its code and HTTP status, and which call it was."""
    details: dict[str, Any] = {"error_code": error.code, "http_status": error.status} if error.code else {}
    if error.operation:
        details |= {"operation": error.operation, "request_id": error.request_id}
    module.fail_json(msg=str(error), **details)
    raise AssertionError("fail_json ends the process")  # for type checkers: its type is not known here


def finish(module: Any, result: Result, **answer: Any) -> None:
    """End the module with the answer, and a diff of the resource before and after. answer: the return values."""
    module.exit_json(changed=result.changed, diff={"before": result.before, "after": result.after}, **answer)
