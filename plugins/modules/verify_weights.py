# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.verify_weights; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_weights
version_added: 1.0.0
short_description: Read the weights in the bucket again and compare them with their ledgers
description:
  - Makes a Job for each revision that the described fleet needs, of models and of their adapters, which reads every
    file from the bucket and compares its SHA-256 with the ledger. Takes the models that C(llmfleet_only) names, all
    without it.
  - The Jobs run with the service account of the fetcher, in the cluster, so that no weights leave the region. They are
    deleted at the end, and nothing is written to the bucket.
  - Fails when a file differs or is missing, or when a revision has no ledger, after all of them were read.
options:
  wait_timeout:
    description:
      - Seconds to wait for all of them.
    type: int
    default: 3600
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: Nothing is read, and the task is skipped.
    support: partial
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Compare all weights with their ledgers
  llmfleet.eks.verify_weights:
    wait_timeout: 7200
"""

RETURN = r"""
weights:
  description: What was found of each model and adapter.
  returned: unless skipped
  type: list
  elements: dict
  contains:
    name:
      description: The model or adapter.
      type: str
    repository:
      description: Where its files come from.
      type: str
    revision:
      description: Their revision.
      type: str
    files:
      description: How many files are as the ledger says; 0 when any of them is not.
      type: int
    bytes:
      description: Their size.
      type: int
    error:
      description: Which files differ and how, or why that is not known; empty when none does.
      type: str
"""
