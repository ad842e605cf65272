# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client whose answers are given, in order, and whose requests are checked against botocore's service model."""

from __future__ import annotations

from typing import Any

import boto3
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client_config
from botocore.stub import Stubber


class Script:
    """The calls that a test expects, in their order; a call that is missing, different or too many fails the test."""

    def __init__(self, service: str) -> None:
        self.client = boto3.client(
            service,
            region_name="eu-west-3",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="not-a-secret",
            config=client_config(),
        )
        self.stubber = Stubber(self.client)

    def answer(self, operation: str, expected: dict[str, Any] | None, response: dict[str, Any] | None = None) -> None:
        """Expect one call with these parameters (None: with any) and answer it."""
        self.stubber.add_response(operation, response or {}, expected)

    def error(self, operation: str, code: str, *, status: int = 400, message: str = "", **expected: Any) -> None:
        """Expect one call, with these parameters where some are given, and fail it."""
        self.stubber.add_client_error(operation, code, message, status, expected_params=expected or None)
