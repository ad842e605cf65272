# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How modules of kubernetes.core, and helm, reach the cluster of the inventory host."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible_collections.llmfleet.eks.plugins.module_utils._aws import eks_token
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client, session
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError


def cluster_access(cluster: Mapping[str, Any], aws: Mapping[str, Any]) -> dict[str, str]:
    """Return {kubeconfig, context} as given, or {host, api_key, ca_cert} with a new token of EKS.

    cluster: llmfleet_cluster; aws: llmfleet_aws. ca_cert is a file of this run, which Ansible removes at its end.
    The token lives for about 15 minutes. Raises ClusterError.
    """
    given = {key: str(cluster[key]) for key in ("kubeconfig", "context") if cluster.get(key)}
    if given:
        return given
    try:
        aws_session = session(aws, str(cluster["region"]))
        found = eks_token.describe_cluster(client(aws_session, "eks"), cluster["name"])
        token = eks_token.bearer_token(aws_session, cluster["name"])
    except AwsError as error:
        raise ClusterError(str(error)) from None
    authority = Path(constants.DEFAULT_LOCAL_TMP) / f"{cluster['name']}-ca.crt"
    authority.write_bytes(base64.b64decode(found.ca_data))
    return {"host": found.endpoint, "api_key": token.value, "ca_cert": str(authority)}
