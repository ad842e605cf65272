# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms that Kubernetes and Prometheus define: network policy peers, taints, alert rules."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import (
    LABEL_KEY,
    LABEL_VALUE,
    TEXT,
    Accept,
    Each,
    MapOf,
    Refused,
    a_duration,
    matching,
    one_of,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import REQUIRED, Field, Items

_PEER_KEYS = ("ipBlock", "namespaceSelector", "podSelector")


def _check_peer(value: Any) -> None:
    if not isinstance(value, dict) or not value:
        raise Refused("not a peer")
    for key, part in value.items():
        if key not in _PEER_KEYS or not isinstance(part, dict):
            raise Refused(f"has {key}")
    if "ipBlock" in value and len(value) > 1:
        raise Refused("ipBlock stands alone")


PEERS = Each(Accept("NetworkPolicy peers: ipBlock, or namespaceSelector and podSelector", _check_peer))
ALERT_RULES = Items(
    (
        Field("alert", TEXT, REQUIRED, "name of the alert"),
        Field("expr", TEXT, REQUIRED, "PromQL expression"),
        Field("for", a_duration(), None, "how long before it fires"),
        Field("labels", MapOf(LABEL_KEY, TEXT), {}, "labels of the alert"),
        Field("annotations", MapOf(LABEL_KEY, TEXT), {}, "annotations of the alert"),
    )
)
TAINTS = Items(
    (
        Field("key", LABEL_KEY, REQUIRED, "key of the taint"),
        Field("value", LABEL_VALUE, None, "its value"),
        Field("effect", one_of("NoSchedule", "PreferNoSchedule", "NoExecute"), REQUIRED, "its effect"),
    )
)
LABELS = MapOf(LABEL_KEY, LABEL_VALUE)
ZONE = matching(r"[a-z]{2}(-[a-z]+)+-[0-9][a-z]", "an availability zone such as eu-west-3a")
