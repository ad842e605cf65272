# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.sync_secrets; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sync_secrets
version_added: 1.0.0
short_description: Copy secrets of AWS Secrets Manager into Kubernetes Secrets
description:
  - Reads each secret, a JSON object of strings, and applies a Secret with one data key for each JSON key.
  - Values pass through this process only. They are never in a result, a diff or a message.
  - All secrets are read before the first Secret is applied.
options:
  secrets:
    description:
      - What to copy.
    type: list
    elements: dict
    required: true
    suboptions:
      secret_id:
        description: Name or ARN of the secret in Secrets Manager.
        type: str
        required: true
      namespace:
        description: Namespace of the Secret.
        type: str
        required: true
      name:
        description: Name of the Secret.
        type: str
        required: true
      layer:
        description: Layer that the Secret belongs to.
        type: str
        required: true
        choices: [storage, nodes, controllers, gateway, models, apps, observability]
      labels:
        description: Further labels of the Secret.
        type: dict
        default: {}
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: Secrets Manager is read; Secrets are validated by server dry runs.
    support: full
  diff_mode:
    description: Shows the keys and which of them change.
    support: full
"""

EXAMPLES = r"""
- name: Copy the API keys
  llmfleet.eks.sync_secrets:
    secrets:
      - secret_id: llm/api-keys
        namespace: llm-gateway
        name: llm-api-keys
        layer: gateway
"""

RETURN = r"""
applied:
  description: What happened to each Secret, each with kind, namespace, name and action.
  returned: always
  type: list
  elements: dict
seconds:
  description: How long it took to apply them.
  returned: always
  type: float
"""
