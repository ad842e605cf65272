# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that the gateway gives itself, in the shape that OpenAI's clients read."""

from __future__ import annotations

import json
from collections.abc import Sequence

# Bytes of a direct response: Envoy Gateway takes no more.
LARGEST_ANSWER = 4096


def _error(message: str, kind: str, code: str, parameter: str | None = None) -> str:
    return json.dumps({"error": {"message": message, "type": kind, "param": parameter, "code": code}})


UNKNOWN_PATH = _error("This path is not served here.", "invalid_request_error", "unknown_url")
UNKNOWN_MODEL = _error(
    "The model does not exist, or the body names none.", "invalid_request_error", "model_not_found", "model"
)
# Status, body, and seconds after which a client may ask again, '' for never.
OWN_ANSWERS = (
    (400, _error("The body is not a JSON object.", "invalid_request_error", "invalid_body"), ""),
    (401, _error("No key, or one that is not known.", "invalid_request_error", "invalid_api_key"), ""),
    (413, _error("The body is too large.", "invalid_request_error", "request_too_large"), ""),
    (500, _error("The gateway could not process the request.", "server_error", "gateway_error"), ""),
    (503, _error("No replica can take the request now.", "server_error", "model_unavailable"), "10"),
    (504, _error("The model did not answer in time.", "server_error", "timeout"), ""),
)


def model_list(names: Sequence[str]) -> str | None:
    """The list of what is served, None when it is longer than a direct response may be: about 50 names.

    When a model was made is not known to the gateway: created is 0.
    """
    entries = [{"id": name, "object": "model", "created": 0, "owned_by": "llmfleet"} for name in names]
    body = json.dumps({"object": "list", "data": entries}, separators=(",", ":"))
    return body if len(body) <= LARGEST_ANSWER else None
