# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.helm_release; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: helm_release
version_added: 1.0.0
short_description: A Helm release that is owned, and survives being interrupted
description:
  - Installs and upgrades a chart by M(kubernetes.core.helm), and keeps track of whose the release is. A mark, a
    ConfigMap with the ownership labels beside the release, is written before Helm makes anything; the record of Helm
    gets the same labels afterwards. So a release that a killed run left half installed is known as ours.
  - A release of this name that is not ours is refused and left alone.
  - A release that is pending, because the run that changed it was killed, is rolled back to its last good revision, or
    uninstalled when it has none.
options:
  name:
    description:
      - Name of the release.
    type: str
    required: true
  namespace:
    description:
      - Namespace of the release, which exists.
    type: str
    required: true
  state:
    description:
      - V(present) installs or upgrades. V(recovered) only brings it out of a pending state. V(absent) uninstalls it,
        whatever its state; the mark goes with the layer, by M(llmfleet.eks.remove).
    type: str
    choices: [present, recovered, absent]
    default: present
  layer:
    description:
      - The layer that the release belongs to. Needed for O(state=present).
    type: str
    choices: [storage, nodes, controllers, gateway, models, apps, observability]
  chart:
    description:
      - The chart, as Helm takes it; its name in O(repository), a folder, an archive or an OCI reference. Needed for
        O(state=present).
    type: str
  repository:
    description:
      - URL of the chart repository, for a chart that is named only.
    type: str
  version:
    description:
      - Version of the chart, for a repository or a registry.
    type: str
  values:
    description:
      - Values for the chart.
    type: dict
    default: {}
  skip_crds:
    description:
      - Whether to leave out the chart's C(crds) folder; see M(llmfleet.eks.chart_crds).
    type: bool
    default: false
  helm_binary:
    description:
      - The helm program, Helm 4.
    type: str
    default: helm
  grace:
    description:
      - Seconds that a pending record must be old before it counts as left by a killed run; until then its Helm may
        still be at work.
    type: int
    default: 30
  timeout:
    description:
      - Seconds to wait for the release's objects.
    type: int
    default: 300
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: The mark is tried by a server dry run; for the chart see M(kubernetes.core.helm).
    support: full
  diff_mode:
    description: A difference of the chart is shown where the helm-diff plugin is installed.
    support: partial
"""

EXAMPLES = r"""
- name: Install Envoy Gateway
  llmfleet.eks.helm_release:
    name: envoy-gateway
    namespace: llm-gateway
    chart: oci://docker.io/envoyproxy/gateway-helm
    version: 1.9.1
    layer: gateway

- name: Uninstall it
  llmfleet.eks.helm_release:
    name: envoy-gateway
    namespace: llm-gateway
    state: absent
"""

RETURN = r"""
recovered:
  description: What was done about a pending state, empty for nothing.
  returned: when O(state) is V(present) or V(recovered)
  type: str
release:
  description: Name, namespace and chart version of the release.
  returned: when O(state=present)
  type: dict
"""
