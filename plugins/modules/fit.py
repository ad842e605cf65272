# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.fit; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fit
version_added: 1.0.0
short_description: Tell whether models fit the GPUs of their pools, and refuse those that cannot start
description:
  - Reads the ledger and C(config.json) of each model from the bucket of weights, and computes what weights and KV cache
    need of a GPU, how many tokens and sequences the KV cache holds, and the longest context.
  - Takes the models that C(llmfleet_only) names, all without it.
  - A model without a ledger in the bucket is not known yet, and is no failure. Nothing is written.
  - What activations, CUDA graphs and libraries take is an allowance, and not a measurement.
  - For a static pool nothing is known of the GPUs, and for some families of models the KV cache is not computed; the
    figures that can be computed are told all the same.
options:
  refuse:
    description:
      - Whether a model that cannot start is a failure. Otherwise the reason is a warning.
    type: bool
    default: true
extends_documentation_fragment:
  - llmfleet.eks.cluster
  - llmfleet.eks.reads
"""

EXAMPLES = r"""
- name: Check that the models fit
  llmfleet.eks.fit:

- name: Tell the figures only
  llmfleet.eks.fit:
    refuse: false
"""

RETURN = r"""
models:
  description:
    - "The figures of each model that is known, in bytes of the fullest GPU and in tokens: C(weights), C(adapters),
      C(allowance), C(budget), C(kv_space), C(kv_token), C(kv_tokens), C(sequences), C(longest_context) and others."
    - A figure that is not known is null, and C(unknown) says why.
  returned: success
  type: list
  elements: dict
not_known:
  description: Why nothing is known of a model, by its name.
  returned: always
  type: dict
errors:
  description: A line for each model that cannot start, with the nearest settings that can.
  returned: always
  type: list
  elements: str
lines:
  description: The figures as they are shown.
  returned: success
  type: list
  elements: str
"""
