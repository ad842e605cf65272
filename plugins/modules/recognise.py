# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.recognise; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: recognise
version_added: 1.0.0
short_description: Prove that the kubeconfig leads to the cluster that EKS describes
description:
  - Compares the API server that C(llmfleet_cluster) leads to with the endpoint that EKS names, and asks it for its
    version.
  - Nothing is changed.
options:
  endpoint:
    description:
      - URL of the API server, as EKS describes the cluster.
    type: str
    required: true
extends_documentation_fragment:
  - llmfleet.eks.cluster
  - llmfleet.eks.reads
"""

EXAMPLES = r"""
- name: Refuse a kubeconfig of another cluster
  llmfleet.eks.recognise:
    endpoint: "{{ found.cluster.endpoint }}"
"""

RETURN = r"""
server:
  description: URL of the API server.
  returned: success
  type: str
  sample: https://0123456789ABCDEF.gr7.eu-west-3.eks.amazonaws.com
version:
  description: Its version.
  returned: success
  type: str
  sample: v1.36.3
"""
