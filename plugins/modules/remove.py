# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.remove; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: remove
version_added: 1.0.0
short_description: Plan or do the removal of what the collection owns in a cluster
description:
  - Finds everything that carries the ownership labels of the cluster by asking every resource of the API server, and
    puts it in order. Layers go in reverse; within a layer, scalers and workloads go first, then claims, volumes and
    classes, then (when the charts are gone) settings, CustomResourceDefinitions and Namespaces.
  - Removes one layer, each stage only when the one before is gone. What hangs is reported with its finalizers and
    conditions; finalizers are never stripped.
  - A Namespace or a CustomResourceDefinition with which objects of others would go is kept and reported.
options:
  plan:
    description:
      - Whether to return the plan only. Nothing is changed then.
    type: bool
    default: false
  layer:
    description:
      - The layer to remove, or to restrict the plan to. Required unless O(plan=true).
    type: str
    choices: [storage, nodes, controllers, gateway, models, apps, observability]
  part:
    description:
      - V(before_charts) is what the controllers of the layer's Helm releases must finish.
      - V(after_charts) is what can go only when these releases are uninstalled.
    type: str
    choices: [before_charts, after_charts, all]
    default: all
  timeout:
    description:
      - Seconds for all of it.
    type: int
    default: 600
  foreign_content:
    description:
      - Whether our Namespaces and CustomResourceDefinitions are deleted even when objects of others go with them.
    type: bool
    default: false
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: The plan is returned and nothing is changed.
    support: full
  diff_mode:
    description: The plan says what goes.
    support: none
"""

EXAMPLES = r"""
- name: Show what would go
  llmfleet.eks.remove:
    plan: true
  register: llmfleet_removal

- name: Remove the gateway, as far as its controller is needed
  llmfleet.eks.remove:
    layer: gateway
    part: before_charts
  register: llmfleet_gateway_removal

- name: Uninstall the charts of the gateway
  llmfleet.eks.helm_release:
    name: "{{ item.name }}"
    namespace: "{{ item.namespace }}"
    state: absent
  loop: "{{ llmfleet_gateway_removal.releases }}"

- name: Remove the rest of the gateway
  llmfleet.eks.remove:
    layer: gateway
    part: after_charts
"""

RETURN = r"""
plan:
  description: What is ours, in the order of removal.
  returned: always
  type: list
  elements: dict
  contains:
    layer:
      description: The layer.
      type: str
      returned: always
    releases:
      description: The Helm releases of the layer, each with name, namespace, layer, revision and status.
      type: list
      elements: dict
      returned: always
    stages:
      description:
        - The stages of the layer, each with its name (stage) and its objects. An object has api_version, kind,
          namespace, name, finalizers and deleting; a Namespace or CustomResourceDefinition has in foreign what others
          keep in it.
      type: list
      elements: dict
      returned: always
releases:
  description: The Helm releases of all layers of the plan.
  returned: always
  type: list
  elements: dict
layer:
  description: The layer, as it was given.
  returned: when one layer was asked for
  type: str
removed:
  description: Objects that are gone (in check mode, would be), each with kind, namespace and name.
  returned: when a removal was done or, in check mode, would be
  type: list
  elements: dict
kept:
  description: Objects that were kept, each with kind, namespace, name and reason.
  returned: when a removal was done
  type: list
  elements: dict
hanging:
  description: Objects that did not go in time, each with kind, namespace, name, finalizers and conditions.
  returned: on failure
  type: list
  elements: dict
seconds:
  description: How long the removal took.
  returned: when a removal was done
  type: float
"""
