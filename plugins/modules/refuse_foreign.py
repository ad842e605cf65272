# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.refuse_foreign; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: refuse_foreign
version_added: 1.0.0
short_description: Refuse names that somebody else has taken
description:
  - Looks, before the first write, whether anything that the platform wants to make exists already and is not its own;
    Kubernetes objects and Helm releases without its ownership labels, and AWS resources without its ownership tags.
  - Fails with a line for each. Only reads.
options:
  desired:
    description:
      - What is wanted, as M(llmfleet.eks.describe) answers it.
    type: dict
    required: true
extends_documentation_fragment:
  - llmfleet.eks.cluster
  - llmfleet.eks.reads
"""

EXAMPLES = r"""
- name: Check the description
  llmfleet.eks.describe:
  register: described

- name: Refuse names that somebody else has taken
  llmfleet.eks.refuse_foreign:
    desired: "{{ described.desired }}"
"""

RETURN = r"""
foreign:
  description: A line for each name that somebody else has taken.
  returned: always
  type: list
  elements: str
"""
