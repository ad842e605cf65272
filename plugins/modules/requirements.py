# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.requirements; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: requirements
version_added: 1.0.0
short_description: Check that the controller has what the platform needs
description:
  - Compares the Python packages of C(requirements.in), the collections that this one depends on, and Helm with what is
    installed on the controller. Fails with a line for each that is missing or of another version.
options:
  helm_binary:
    description:
      - The helm program.
    type: str
    default: helm
extends_documentation_fragment:
  - llmfleet.eks.reads
"""

EXAMPLES = r"""
- name: Check the controller
  llmfleet.eks.requirements:
"""

RETURN = r"""
problems:
  description: A line for each thing that is missing or does not fit.
  returned: always
  type: list
  elements: str
"""
