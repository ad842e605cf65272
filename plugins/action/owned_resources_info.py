# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.owned_resources_info: see plugins/modules/owned_resources_info.py for its documentation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.buckets import kept_buckets
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.inventory import collect
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client, session
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import default_bucket
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """List what the platform of the inventory host's cluster owns in AWS."""

    ARGUMENTS: dict[str, dict[str, Any]] = {}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Collect; a list that cannot be read fails, as it would read as "nothing left" otherwise."""
        del arguments
        cluster = self.cluster(task_vars)
        name, region, account = (str(cluster.get(key) or "") for key in ("name", "region", "account"))
        try:
            aws_session = session(self.variable("llmfleet_aws", task_vars), region)
            found = collect(aws_session, name)
            # The name of today's description is only where to look: what is ours there is told by tags.
            given = str(self._templar.template(task_vars.get("llmfleet_bucket")) or "")
            over = [owned.bucket.rpartition(":")[2] for owned in found.of("file_system")]
            buckets = [given, default_bucket(region, account, name), *over]
            kept = kept_buckets(client(aws_session, "s3"), name, buckets)
        except AwsError as error:
            return {"failed": True, "msg": str(error)}
        if found.unreadable:
            reasons = "; ".join(f"{kind}: {why}" for kind, why in sorted(found.unreadable.items()))
            return {"failed": True, "msg": f"cannot tell what cluster {name!r} owns in AWS: {reasons}"}
        resources = [
            {
                "kind": owned.kind,
                "identifier": owned.identifier,
                "name": owned.name,
                "status": owned.status,
                "parent": owned.parent,
                "layer": owned.layer,
            }
            for owned in found.resources
        ]
        return {"changed": False, "resources": resources, "kept": [asdict(bucket) for bucket in kept]}
