# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.ask; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ask
version_added: 1.0.0
short_description: Send an HTTP request to a pod through the API server
description:
  - Opens a port of a ready pod through the port-forward of the API server and sends one HTTP request to it. Nothing is
    written to the cluster, and no port is opened on the controller.
  - A bearer key is read from a Secret in this process. It is never an argument and never part of a result.
options:
  namespace:
    description:
      - The namespace of the Service or the pods.
    type: str
    required: true
  service:
    description:
      - Name of a Service, whose ready pods are asked. One of O(service) and O(selector) is required.
    type: str
  selector:
    description:
      - Labels of the pods.
    type: dict
  port:
    description:
      - Number or name of the Service's port, or with O(selector) of the container's.
    type: str
    required: true
  path:
    description:
      - Path and query of the request.
    type: str
    default: /
  method:
    description:
      - Method of the request.
    type: str
    choices: [GET, HEAD, POST, PUT, DELETE]
    default: GET
  json:
    description:
      - Body of the request, sent as JSON.
    type: raw
  headers:
    description:
      - Headers of the request. Not for secrets; use O(bearer).
    type: dict
    default: {}
  bearer:
    description:
      - The key of a Secret whose value is sent as C(Authorization) with the scheme Bearer.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the Secret.
        type: str
        required: true
      name:
        description: Name of the Secret.
        type: str
        required: true
      key:
        description: Key in the Secret.
        type: str
        required: true
  expect_status:
    description:
      - HTTP statuses that are right; any other fails the task.
    type: list
    elements: int
    default: []
  until_status:
    description:
      - Ask again until the status is one of these, for at most O(timeout) seconds.
    type: list
    elements: int
    default: []
  timeout:
    description:
      - Seconds for all attempts together.
    type: int
    default: 60
  request_timeout:
    description:
      - Seconds without a byte of the answer after which one attempt is given up.
    type: int
    default: 30
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: Nothing is sent; the task is skipped.
    support: none
  diff_mode:
    description: Nothing changes.
    support: none
"""

EXAMPLES = r"""
- name: Wait until the gateway answers
  llmfleet.eks.ask:
    namespace: llm-gateway
    service: llm-gateway
    port: 8080
    path: /v1/models
    bearer:
      namespace: llm-gateway
      name: llm-api-keys
      key: operator
    until_status: [200]
    timeout: 120
"""

RETURN = r"""
status:
  description: The HTTP status.
  returned: when there was an answer
  type: int
json:
  description: The decoded body, null when it is not JSON.
  returned: when there was an answer
  type: raw
text:
  description: The beginning of a body that is not JSON.
  returned: when there was an answer
  type: str
headers:
  description: Headers of the answer, with their names in lower case.
  returned: when there was an answer
  type: dict
seconds:
  description: From sending the request to the last byte of the answer.
  returned: when there was an answer
  type: float
attempts:
  description: How many requests it took.
  returned: when there was an answer
  type: int
pod:
  description: The pod that answered.
  returned: when there was an answer
  type: str
"""
