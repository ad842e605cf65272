# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the platform owns, in a form that is equal whenever the same platform was made: no ids, no times."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.inventory import collect
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client, open_client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.ownership import read_owned
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.releases import helm_releases
from llmfleet_lab.paths import Paths

CLUSTER = "lab"
REGION = "eu-west-3"
# Set by the server, or counted by it: they differ between two platforms that are the same.
_SERVERS = {
    *("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "status", "finalizers"),
    *("clusterIP", "clusterIPs", "nodePort", "controller-uid", "batch.kubernetes.io/controller-uid"),
    *("deployment.kubernetes.io/revision", "ownerReferences"),
}
_IDS = re.compile(r"\b(fs|fsap|fsmt|sg)-[0-9a-f]{8,}\b")


def lab_client(paths: Paths) -> Client:
    """A client of the lab's API server."""
    return open_client({"name": CLUSTER, "kubeconfig": str(paths.kubeconfig)})


def aws_settings(paths: Paths) -> dict[str, str]:
    """llmfleet_aws of the lab."""
    folder = paths.secrets / "aws"
    return {
        "profile": "llmfleet-lab",
        "config_file": str(folder / "config"),
        "credentials_file": str(folder / "credentials"),
    }


def owned(paths: Paths) -> dict[str, str]:
    """Everything that is owned: {"Kind namespace/name" or "AWS kind name" or "Helm namespace/name": its content}."""
    client = lab_client(paths)
    found = {str(item): plain(client.get(item.path)) for item in read_owned(client, CLUSTER)}
    for release in helm_releases(client, CLUSTER):
        found[f"Helm {release['namespace']}/{release['name']}"] = release["status"]
    resources = collect(session(aws_settings(paths), REGION), CLUSTER)
    assert not resources.unreadable
    for resource in resources.resources:
        found[plain(f"AWS {resource.kind} {resource.name}")] = plain(dict(resource.tags))
    return found


def plain(value: Any) -> str:
    """Return it as text without what differs between two platforms that are the same."""
    return _IDS.sub(r"\1-id", json.dumps(_without(value), sort_keys=True))


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(item) for key, item in value.items() if key not in _SERVERS}
    if isinstance(value, list):
        return [_without(item) for item in value]
    return value


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Return a line for each thing that is in one only, or not the same in both."""
    lines = [f"only before: {name}" for name in sorted(set(one) - set(other))]
    lines += [f"only after: {name}" for name in sorted(set(other) - set(one))]
    lines += [
        f"differs: {name}\n  before {one[name]}\n  after  {other[name]}"
        for name in sorted(set(one) & set(other))
        if one[name] != other[name]
    ]
    return lines
