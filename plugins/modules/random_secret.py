# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.random_secret; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: random_secret
version_added: 1.0.0
short_description: Make a Secret of random text once
description:
  - Applies a Secret with 48 random hexadecimal digits (192 bits) in each key that has no value yet.
  - Values that are there stay. To have new ones, delete the Secret and run again.
  - Values pass through this process only. They are never in a result, a diff or a message.
options:
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
  keys:
    description: Keys of the Secret.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: The Secret is validated by a server dry run.
    support: full
  diff_mode:
    description: Shows the keys and which of them change.
    support: full
"""

EXAMPLES = r"""
- name: Make the key that the listeners of the gateway share
  llmfleet.eks.random_secret:
    namespace: llm-gateway
    name: llm-gateway-hop
    layer: gateway
    keys: [credential]
"""

RETURN = r"""
applied:
  description: What happened to the Secret, with kind, namespace, name and action.
  returned: always
  type: list
  elements: dict
seconds:
  description: How long it took to apply it.
  returned: always
  type: float
"""
