# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action llmfleet.eks.apply; the work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apply
version_added: 1.0.0
short_description: Apply Kubernetes objects and wait until they are ready
description:
  - Makes the cluster hold the given objects by server-side apply, concurrently and in waves. Namespaces come first,
    then CustomResourceDefinitions (until they are established), then what workloads refer to, then the rest.
  - Every object gets the ownership labels of the cluster and the layer. An object of the same name that does not carry
    them is refused.
  - A Job that has failed is deleted and made again, so that a repeated run tries again.
  - What is already as desired is found by lists and, where in doubt, by server dry runs. It gets no write at all.
  - Waits for all objects together, each kind by its own conditions, and fails as soon as one of them has failed, with
    the reason, the last words of its pod and its events.
options:
  objects:
    description:
      - The objects, each with apiVersion, kind and metadata.name. Objects of kind List are unfolded.
    type: list
    elements: dict
    default: []
  layer:
    description:
      - The layer that the objects belong to.
    type: str
    required: true
    choices: [storage, nodes, controllers, gateway, models, apps, observability]
  wait:
    description:
      - Whether to wait until all objects are ready. Nothing is waited for in check mode.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds for the wait; also for a deletion under way and for a CustomResourceDefinition to be established.
    type: int
    default: 300
  force_conflicts:
    description:
      - Whether to take fields that other managers have set on an object that is only being adopted. Else such a field
        fails the task, which names the manager. On an object that is ours already, a field of O(objects) that somebody
        else has changed is always taken back, and named in the note of RV(applied).
    type: bool
    default: false
  adopt:
    description:
      - Whether a Namespace that exists and carries no ownership labels becomes ours, and so is removed with the layer.
    type: bool
    default: false
  replace:
    description:
      - Kinds that are deleted and made again when a change is refused because a field is immutable.
    type: list
    elements: str
    default: []
  prune:
    description:
      - Whether to delete objects that are ours, belong to the ApplySet that O(objects) are, and are not among them.
      - One of O(objects) has to be the parent of the set, which carries the label C(applyset.kubernetes.io/id); the
        others carry its value in C(applyset.kubernetes.io/part-of).
      - Namespaces, CustomResourceDefinitions, PersistentVolumes and PersistentVolumeClaims always stay.
    type: bool
    default: false
  only:
    description:
      - Names of models. Objects that belong to another model (by the label C(app.kubernetes.io/name)) are neither
        applied, nor waited for, nor pruned. Objects that belong to no model are applied, and not pruned.
    type: list
    elements: str
  rollback:
    description:
      - Whether a Deployment that does not become ready goes back to the pod template of the last release of it that
        served. The task fails all the same, and says what was tried, why it failed, and whether the old release serves.
      - All other objects are waited for before the task fails. A Deployment of which nothing has served yet is left as
        it is, and so is a LeaderWorkerSet.
      - A release has served when such a wait has seen a pod of it available. Its ReplicaSet then gets the label
        C(llmfleet.io/served), by one write; a run that finds the label writes nothing.
      - An old release that has to start again may take O(wait_timeout) once more. The next run tries O(objects) again.
    type: bool
    default: false
extends_documentation_fragment:
  - llmfleet.eks.cluster
attributes:
  check_mode:
    description: Everything is validated by server dry runs, but for what lives in a namespace or is of a kind that does
      not exist yet; such an object says so in RV(applied).
    support: full
  diff_mode:
    description: The values of Secrets are never shown.
    support: full
"""

EXAMPLES = r"""
- name: Apply the objects of the models
  llmfleet.eks.apply:
    layer: models
    objects: "{{ llmfleet_model_objects }}"
    wait_timeout: 1200

- name: Apply an ApplySet, and take away what it had and has no longer
  llmfleet.eks.apply:
    layer: gateway
    objects: "{{ [llmfleet_routes_parent] + llmfleet_routes }}"
    prune: true
"""

RETURN = r"""
applied:
  description: What happened to each object.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: The kind.
      type: str
      returned: always
    namespace:
      description: The namespace, empty for kinds that live in none.
      type: str
      returned: always
    name:
      description: The name.
      type: str
      returned: always
    action:
      description: One of V(created), V(configured), V(replaced) and V(unchanged).
      type: str
      returned: always
    note:
      description: Why check mode could not validate the object, or that a Job is made again because it had failed.
      type: str
      returned: when there is something to say
layer:
  description: The layer, as it was given.
  returned: always
  type: str
counts:
  description: How many objects were created, configured, replaced and unchanged.
  returned: always
  type: dict
  sample: {created: 2, configured: 1, replaced: 0, unchanged: 14}
seconds:
  description: How long the apply and the wait took.
  returned: always
  type: dict
  sample: {apply: 0.41, wait: 12.8}
pruned:
  description: Objects that were deleted, each with kind, namespace and name.
  returned: success
  type: list
  elements: dict
rolled_back:
  description: Deployments that went back to an earlier release.
  returned: when O(rollback) is set and the wait failed
  type: list
  elements: dict
  contains:
    kind:
      description: Always Deployment.
      type: str
      returned: always
    namespace:
      description: The namespace.
      type: str
      returned: always
    name:
      description: The name.
      type: str
      returned: always
    reason:
      description: Why the new release failed.
      type: str
      returned: always
    revision:
      description: The revision that it went back to, as it was numbered before that.
      type: int
      returned: always
    serves:
      description: Whether that one serves now.
      type: bool
      returned: always
    tried:
      description: In what the new release differs from it, a line each; of the environment only the names.
      type: list
      elements: str
      returned: always
not_ready:
  description: Objects that did not become ready, each with kind, namespace, name and reason.
  returned: when the wait failed
  type: list
  elements: dict
"""
