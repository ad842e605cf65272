# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation that all actions on a cluster share."""

from __future__ import annotations


class ModuleDocFragment:
    """Requirements and notes of the actions that speak to the API server."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - python >= 3.12
  - kubernetes >= 34.0.0
  - Kubernetes 1.30 or later
notes:
  - This is an action; it runs in one process on the controller and needs no connection to a host.
  - The cluster is that of the variable C(llmfleet_cluster) of the inventory host, a mapping with the keys C(name),
    C(region), C(kubeconfig) and C(context). Without C(kubeconfig) and C(context), the cluster C(name) is found in EKS
    with the credentials of C(llmfleet_aws), and tokens are made in this process.
  - Throttling, errors of the API server and broken connections are retried with backoff for 90 seconds.
author:
  - llmfleet contributors (@llmfleet)
"""
