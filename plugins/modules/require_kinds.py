# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.require_kinds; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: require_kinds
version_added: 1.0.0
short_description: Refuse a cluster that lacks kinds which the fleet needs
description:
  - Looks, before the first write, whether the API server serves every kind of object that the platform wants to make.
    Kinds whose definitions come with a chart that the platform installs are left out.
  - Fails with a line for each kind, which says what to install or what to change in the inventory. Only reads.
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

- name: Refuse a cluster that lacks kinds which the fleet needs
  llmfleet.eks.require_kinds:
    desired: "{{ described.desired }}"
"""

RETURN = r"""
missing:
  description: A line for each kind that is not served.
  returned: always
  type: list
  elements: str
"""
