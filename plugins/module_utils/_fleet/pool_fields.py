# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of one pool of llmfleet_gpu_pools."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import (
    BOOL,
    LABEL_KEY,
    OBJECT_NAME,
    QUANTITY,
    a_duration,
    integer,
    one_of,
    one_of_many,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept_many import Each, MapOf
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import REQUIRED, Field
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.instance_types import FAMILIES, INSTANCE_TYPES
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_values import model_name
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.peer_fields import (
    LABELS,
    NODE_LABELS,
    TAINTS,
    ZONE,
)

GPU_TAINT = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
# Karpenter has units of their own order, but the form is the same.
_OR_NEVER = a_duration(also=("Never",))
_FORMS = {
    "ssm_parameter": re.compile(r"/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+"),
    "alias": re.compile(r"(al2023|bottlerocket)@v?[A-Za-z0-9][A-Za-z0-9.-]*"),
    "id": re.compile(r"ami-[0-9a-f]{8,17}"),
}
# Words by which AWS names what moves by itself.
_MOVING = re.compile(r"(^|[/@_.-])(latest|recommended)($|[/_.-])")


class Ami:
    """Reads the image of the nodes: a map of exactly one of three forms, which does not move."""

    text = "one of ssm_parameter: /path, alias: family@version, id: ami-…; pinned, without latest"

    def read(self, value: Any, where: Where) -> bool:
        """Report what is wrong with it; whether nothing is."""
        if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in _FORMS:
            where.refuse(value, "not a map of one form", self.text)
            return False
        form, reference = next(iter(value.items()))
        if not isinstance(reference, str) or not _FORMS[form].fullmatch(reference):
            where.at(form).refuse(reference, f"not of the form {form}", self.text)
            return False
        if _MOVING.search(reference):
            where.at(form).refuse(reference, "not pinned", self.text)
            return False
        return True


POOL_FIELDS: tuple[Field, ...] = (
    Field("name", model_name(40), REQUIRED, "names the NodePool and the EC2NodeClass"),
    Field("static", BOOL, False, "nodes that exist already: nothing is made for them"),
    Field(
        "instance_families",
        Each(one_of(*FAMILIES), distinct=True, least=1),
        None,
        "requirement of the NodePool",
        default_text="instance_types",
    ),
    Field(
        "instance_types",
        Each(one_of_many(INSTANCE_TYPES, "a GPU instance type of the table"), distinct=True, least=1),
        None,
        "requirement of the NodePool",
        default_text="all of instance_families",
    ),
    Field("gpu_count", integer(1, 8), 1, "GPUs of a node"),
    Field(
        "capacity_types",
        Each(one_of("spot", "on-demand", "reserved"), distinct=True, least=1),
        ["spot", "on-demand"],
        "requirement of the NodePool",
    ),
    Field("limit", integer(1), None, "GPUs in all; required unless static", default_text="–"),
    Field("zones", Each(ZONE, distinct=True, least=1), None, "zones of nodes", default_text="those of the subnets"),
    Field("ami", Ami(), None, "image of the nodes; required unless static", default_text="–"),
    Field("node_selector", LABELS, {}, "node selector of the pods"),
    Field("taints", TAINTS, [GPU_TAINT], "taints of nodes, tolerated by the pods"),
    Field("startup_taints", TAINTS, [], "taints that something removes when the node is ready"),
    Field("labels", NODE_LABELS, {}, "labels of nodes"),
    Field("runtime_class", OBJECT_NAME, "nvidia", "runtime class of the pods"),
    Field("consolidate_after", _OR_NEVER, "30s", "how long a node stays empty"),
    Field("expire_after", _OR_NEVER, "Never", "age at which a node is replaced"),
    Field("terminate_after", _OR_NEVER, "1h", "how long a node waits for its pods to end"),
    Field("allocatable", MapOf(LABEL_KEY, QUANTITY), None, "what a node of a static pool has for pods"),
)
STATIC_FIELDS = ("name", "static", "node_selector", "taints", "runtime_class", "gpu_count", "allocatable")
