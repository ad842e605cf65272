# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.describe; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: describe
version_added: 1.0.0
short_description: Check the description of a fleet and answer what it wants
description:
  - Reads the variables of the host that begin with C(llmfleet_), checks all of them and answers the desired objects.
  - Fails with every error at once. Contacts no cluster and no cloud, and writes nothing.
options:
  known:
    description:
      - What only the cloud knows, such as C(file_system/<name>), C(access_point/<name>), C(security_group/<name>),
        C(vpc/<cluster>) and C(subnets/<cluster>), the latter separated by commas.
      - What is missing appears as C(pending:<kind>/<name>).
    type: dict
    default: {}
extends_documentation_fragment:
  - llmfleet.eks.reads
"""

EXAMPLES = r"""
- name: Check the description
  llmfleet.eks.describe:
  register: described

- name: Describe again with the file system that was made
  llmfleet.eks.describe:
    known:
      file_system/example-weights: fs-0123456789abcdef0
      access_point/example-weights: fsap-0123456789abcdef0
  register: described
"""

RETURN = r"""
fleet:
  description: The description with defaults, the names of what is made, and warnings. Without values of C(engine.env).
  returned: success
  type: dict
desired:
  description:
    - "C(objects): list of maps with C(layer), C(component) and the Kubernetes C(object)."
    - "C(aws): list of maps with C(name), C(layer), C(component), C(resource) and C(properties)."
    - "C(charts): list of maps with C(name), C(release), C(namespace), C(repository), C(chart), C(version), C(values)."
  returned: success
  type: dict
errors:
  description: Every error of the description.
  returned: failure
  type: list
  elements: str
"""
