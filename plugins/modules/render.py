# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.render; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: render
version_added: 1.0.0
short_description: Write what the hosts of the play want into a folder
description:
  - Writes one YAML file for each Kubernetes object, AWS resource and chart. Contacts no cluster and no cloud.
  - Runs once for all hosts of the play; with several, each has a folder of its own name.
  - When the description of any host has an error, it fails with all errors and writes nothing.
  - Values of Secrets are V(REDACTED); IDs that only the cloud knows are C(pending:<kind>/<name>).
options:
  to:
    description:
      - The folder. It is made, and must be empty or an earlier rendering, whose files are replaced.
    type: path
    required: true
author:
  - llmfleet contributors (@llmfleet)
attributes:
  bypass_host_loop:
    description: Runs once for all hosts.
    support: full
  check_mode:
    description: Says what would change and writes nothing.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Write the desired objects
  llmfleet.eks.render:
    to: /tmp/rendering
"""

RETURN = r"""
to:
  description: The folder.
  returned: success
  type: str
files:
  description: Every file of the rendering.
  returned: success
  type: list
  elements: str
written:
  description: Files that were written, or in check mode would be.
  returned: success
  type: list
  elements: str
removed:
  description: Files of an earlier rendering that were removed, or in check mode would be.
  returned: success
  type: list
  elements: str
errors:
  description: Every error of every host.
  returned: failure
  type: list
  elements: str
"""
