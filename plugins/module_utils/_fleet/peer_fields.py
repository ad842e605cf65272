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
    Refused,
    a_duration,
    matching,
    one_of,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept_many import Each, MapOf
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import REQUIRED, Field, Items

_PEER_KEYS = ("ipBlock", "namespaceSelector", "podSelector")
# Whether an operator takes values.
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
    _check_keys("ipBlock", block, ("cidr", "except"))
    network = _network("ipBlock.cidr", block.get("cidr"))
    left_out = block.get("except", [])
    if not isinstance(left_out, list):
        raise Refused("ipBlock.except is not a list")
    for item in left_out:
        part = _network("ipBlock.except", item)
        # The API server wants parts, not the whole.
        if part.version != network.version or part == network or not part.subnet_of(network):  # type: ignore[arg-type]
            raise Refused(f"ipBlock.except {item} is no part of {network}")


def _network(key: str, value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(value if isinstance(value, str) and "/" in value else "")
    except ValueError:
        raise Refused(f"{key} is not a network such as 10.0.0.0/8") from None


def _check_selector(key: str, selector: dict[str, Any]) -> None:
    """Refuse what the API server would: it says so only when everything before was written."""
    _check_keys(key, selector, ("matchLabels", "matchExpressions"))
    labels, expressions = selector.get("matchLabels", {}), selector.get("matchExpressions", [])
    if not isinstance(labels, dict):
        raise Refused(f"{key}.matchLabels is not a map")
    if not isinstance(expressions, list):
        raise Refused(f"{key}.matchExpressions is not a list")
    for name, value in labels.items():
        LABEL_KEY.check(name)
        LABEL_VALUE.check(value)
    for expression in expressions:
        _check_expression(f"{key}.matchExpressions", expression)


def _check_expression(key: str, expression: Any) -> None:
    if not isinstance(expression, dict):
        raise Refused(f"{key} has what is not a map")
    _check_keys(key, expression, ("key", "operator", "values"))
    LABEL_KEY.check(expression.get("key"))
    operator, values = expression.get("operator"), expression.get("values", [])
    if operator not in _OPERATORS or not isinstance(values, list) or bool(values) != _OPERATORS[operator]:
        raise Refused(f"{key} takes In and NotIn with values, Exists and DoesNotExist without")
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


def _check_keys(key: str, value: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in value:
        if name not in known:
            raise Refused(f"{key} has {name}")


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
