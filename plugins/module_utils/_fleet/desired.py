# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a checked fleet to what it wants: Kubernetes objects, AWS resources and charts."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_aws import add_aws
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_charts import add_charts
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_gateway import add_gateway
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_models import add_models
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_monitoring import add_monitoring
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_namespaces import add_namespaces
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_nodes import add_nodes
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_picker import add_pickers
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_scaling import add_scaling
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_storage import add_volume
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.build_weights import add_weights
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Builder, Desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet


def desired(fleet: Fleet, known: Mapping[str, str]) -> Desired:
    """Return what the fleet wants, in the order in which it can be applied.

    known: what only the cloud knows, by 'file_system/<name>', 'access_point/<name>', 'security_group/<name>' (that of
    the nodes is '<cluster>-node'), 'vpc/<cluster>', 'subnets/<cluster>' (separated by commas), and the texts of the
    fetcher by 'weights/fetcher/<file>'. What is missing is 'pending:<kind>/<name>'.
    """
    build = Builder(fleet, known, Desired())
    add_namespaces(build)
    add_aws(build)
    add_volume(build)
    add_nodes(build)
    add_gateway(build)
    add_weights(build)
    add_models(build)
    add_pickers(build)
    add_scaling(build)
    add_monitoring(build)
    add_charts(build)
    build.add_parents()
    return build.desired
