# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.cluster_access; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_access
version_added: 1.0.0
short_description: Tell modules of kubernetes.core how to reach the cluster
description:
  - Returns the connection options of C(kubernetes.core) modules for the cluster of C(llmfleet_cluster); its kubeconfig
    and context, or without them endpoint and CA as EKS describes them, and a token made in this process.
  - A token lives for about 15 minutes; ask anew before each task that may run long.
options: {}
extends_documentation_fragment:
  - llmfleet.eks.cluster
  - llmfleet.eks.reads
"""

EXAMPLES = r"""
- name: Find out how to reach the cluster
  llmfleet.eks.cluster_access:
  register: found

- name: List the releases
  kubernetes.core.helm_info:
    release_name: envoy-gateway
    release_namespace: llm-gateway
  module_defaults:
    kubernetes.core.helm_info: "{{ found.access }}"
"""

RETURN = r"""
access:
  description:
    - Either V(kubeconfig) and V(context), or V(host), V(api_key) and V(ca_cert). A result with a key is not shown.
  returned: success
  type: dict
"""
