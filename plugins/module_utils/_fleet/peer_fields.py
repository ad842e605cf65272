# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms that Kubernetes and Prometheus define: network policy peers, taints, alert rules."""

from __future__ import annotations

import ipaddress
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


_OPERATORS = {"In": True, "NotIn": True, "Exists": False, "DoesNotExist": False}
_RESTRICTED = ("kubernetes.io", "k8s.io", "karpenter.sh", "karpenter.k8s.aws", "llmfleet.io")
_NODE_DOMAINS = ("node.kubernetes.io", "node-restriction.kubernetes.io", "kops.k8s.io")


def _check_peer(value: Any) -> None:
    if not isinstance(value, dict) or not value:
        raise Refused("not a peer")
    for key, part in value.items():
        if key not in _PEER_KEYS or not isinstance(part, dict):
            raise Refused(f"has {key}")
    if "ipBlock" in value:
        if len(value) > 1:
            raise Refused("ipBlock stands alone")
        _check_block(value["ipBlock"])
    for key, part in value.items():
        if key != "ipBlock":
            _check_selector(key, part)


def _check_block(block: dict[str, Any]) -> None:
    if set(block) - {"cidr", "except"} or "cidr" not in block:
        raise Refused("ipBlock has cidr, and may have except")
    without = block.get("except") or []
    if not isinstance(without, list):
        raise Refused("ipBlock.except is not a list")
    try:
        whole, *parts = (ipaddress.ip_network(text) for text in (block["cidr"], *without) if isinstance(text, str))
        inside = all(part.version == whole.version and part != whole and part.subnet_of(whole) for part in parts)  # type: ignore[arg-type]
    except ValueError as error:
        raise Refused(f"ipBlock: {error}") from None
    if not inside or len(parts) != len(without):
        raise Refused("ipBlock.except is not within ipBlock.cidr")


def _check_selector(key: str, selector: dict[str, Any]) -> None:
    if set(selector) - {"matchLabels", "matchExpressions"}:
        raise Refused(f"{key} has matchLabels and matchExpressions")
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not isinstance(labels, dict) or not isinstance(expressions, list):
        raise Refused(f"{key}: matchLabels is a map, matchExpressions a list")
    for name, value in labels.items():
        LABEL_KEY.check(name)
        LABEL_VALUE.check(value)
    for expression in expressions:
        if not isinstance(expression, dict) or set(expression) - {"key", "operator", "values"}:
            raise Refused(f"{key}: an expression has key, operator and values")
        LABEL_KEY.check(expression.get("key"))
        operator, values = expression.get("operator"), expression.get("values") or []
        if operator not in _OPERATORS or not isinstance(values, list) or bool(values) != _OPERATORS[operator]:
            raise Refused(f"{key}: operators are In and NotIn with values, Exists and DoesNotExist without")
        for value in values:
            LABEL_VALUE.check(value)


def _check_filled(value: Any) -> None:
    TEXT.check(value)
    if not value.strip():
        raise Refused("empty")


def _check_node_label(value: Any) -> None:
    """Karpenter refuses labels of its own domains and of Kubernetes', but for a few."""
    LABEL_KEY.check(value)
    domain = value.rpartition("/")[0]
    if any(domain == name or domain.endswith(f".{name}") for name in _NODE_DOMAINS):
        return
    if any(domain == name or domain.endswith(f".{name}") for name in _RESTRICTED):
        raise Refused(f"of the restricted domain {domain}")


PEERS = Each(Accept("NetworkPolicy peers: ipBlock, or namespaceSelector and podSelector", _check_peer))
_FILLED = Accept("a string that is not empty", _check_filled)
_ALERT_LABEL = matching(
    r"[A-Za-z_][A-Za-z0-9_]*", "names of Prometheus: letters, digits and _", "not a name of a label"
)
ALERT_RULES = Items(
    (
        Field("alert", _FILLED, REQUIRED, "name of the alert"),
        Field("expr", _FILLED, REQUIRED, "PromQL expression"),
        Field("for", a_duration(), None, "how long before it fires"),
        Field("labels", MapOf(_ALERT_LABEL, TEXT), {}, "labels of the alert"),
        Field("annotations", MapOf(_ALERT_LABEL, TEXT), {}, "annotations of the alert"),
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
NODE_LABELS = MapOf(Accept("a metadata key such as example.com/team", _check_node_label), LABEL_VALUE)
ZONE = matching(r"[a-z]{2}(-[a-z]+)+-[0-9][a-z]", "an availability zone such as eu-west-3a")
