# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.chart_crds; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: chart_crds
version_added: 1.0.0
short_description: Apply the CustomResourceDefinitions of a Helm chart
description:
  - Helm installs the C(crds) folder of a chart once, never upgrades it and never removes it. This applies it,
    server-side and with the ownership labels, so that it moves with the chart and goes with the platform.
  - A definition that is in the cluster already and is not ours is left as it is, and named in RV(found).
options:
  chart:
    description:
      - The chart, as C(helm show crds) takes it; a folder, an archive or an OCI reference.
    type: str
    required: true
  version:
    description:
      - Its version, for a reference to a registry.
    type: str
  helm_binary:
    description:
      - The helm program.
    type: str
    default: helm
  layer:
    description:
      - The layer that the definitions belong to.
    type: str
    required: true
    choices: [storage, nodes, controllers, gateway, models, apps, observability]
  timeout:
    description:
      - Seconds for helm, and for the definitions to be established.
    type: int
    default: 120
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: The API server is asked by dry runs.
    support: full
  diff_mode:
    description: The definitions are too long to show; the counts tell how many differ.
    support: none
"""

EXAMPLES = r"""
- name: Apply the definitions of Envoy Gateway's chart
  llmfleet.eks.chart_crds:
    chart: oci://docker.io/envoyproxy/gateway-helm
    version: 1.9.1
    layer: gateway
"""

RETURN = r"""
counts:
  description: How many definitions were created, configured, replaced and unchanged.
  returned: success
  type: dict
found:
  description: Names of the definitions that somebody else brought.
  returned: success
  type: list
  elements: str
seconds:
  description: How long it took.
  returned: success
  type: float
"""
