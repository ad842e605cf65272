# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.delete_unused_weights: see plugins/modules/delete_unused_weights.py for its documentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import client as aws_client
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.weights_bucket import WeightsBucket
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.weights_in_use import users_of
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.bucket_layout import (
    LEDGER,
    ROOT,
    Revision,
    needed,
    not_needed,
    revisions,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import describe_host
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.storage_price import Price, size_text, storage_price
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction
from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_words import amount


class ActionModule(ClusterAction):
    """Reads bucket and cluster with the operator's credentials, and deletes only what was confirmed."""

    ARGUMENTS = {
        "confirm": {"type": "str", "default": ""},
        "price": {"type": "float"},
    }

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Tell what nothing needs, with its size and cost; delete it when the cluster's name was given."""
        try:
            fleet = describe_host(task_vars, self._templar.template)
        except DescriptionErrors as error:
            raise ClusterError(str(error)) from None
        cluster, confirm = fleet.names.cluster, arguments["confirm"]
        if confirm not in ("", cluster):
            raise ClusterError(
                f"llmfleet_gc_confirm: got '{confirm}'; accepted: '{cluster}', the name of the cluster. "
                "Nothing was deleted"
            )
        price = storage_price(fleet.names.region, arguments["price"])
        show = self.progress(task_vars)
        try:
            bucket = WeightsBucket(aws_client(session(fleet.aws, fleet.names.region), "s3"), fleet.names.bucket)
            unused = self._unused(fleet, bucket, task_vars, show)
            result = {
                "changed": bool(unused and confirm),
                "deleted": bool(unused and confirm and not self.checking),
                "unused": [each.as_dict(price) for each in unused],
                "price": price.source if price else None,
            }
            for line in _lines(unused, price, bucket.keeps_versions() if unused else ""):
                show(line)
            if unused and not confirm:
                show(f"dry run, nothing was deleted: -e llmfleet_gc_confirm={cluster} deletes them")
            if result["deleted"]:
                for each in unused:
                    each.delete(bucket)
                    show(f"deleted {each.revision.prefix}")
            return result
        except AwsError as error:
            raise ClusterError(str(error)) from None

    def _unused(
        self, fleet: Fleet, bucket: WeightsBucket, task_vars: dict[str, Any], show: Callable[[str], None]
    ) -> list[Unused]:
        """What neither the description nor the cluster needs; the rest is told. Raises AwsError, ClusterError."""
        if not bucket.is_of(fleet.names.cluster):
            raise ClusterError(
                f"bucket {fleet.names.bucket} does not carry the tags of the cluster {fleet.names.cluster}: what is in "
                "it may be somebody else's. Nothing was deleted"
            )
        # Uploads first: one that is finished in between is an object then.
        uploads = bucket.uploads(ROOT)
        candidates = not_needed(revisions(bucket.sizes(ROOT), uploads), needed(fleet))
        if (only := fleet.platform["only"]) is not None:
            candidates = [each for each in candidates if each.model in only]
        users = users_of(self.client(task_vars), fleet.names.models_namespace, candidates) if candidates else {}
        found = []
        for each in candidates:
            if user := users.get(each.prefix):
                show(f"{each.prefix} stays: it is not in the description, but {user} uses it")
                continue
            try:
                ours = bucket.written_by_us(each)
            except ValueError as error:
                show(f"{each.prefix} stays: of its ledger, {error}")
                continue
            if not ours and not each.uploads:
                continue
            if others := sorted(each.sizes.keys() - ours):
                show(f"{each.prefix}: no fetch has written {', '.join(others[:5])}: left alone")
            found.append(Unused(each, ours))
        return found


@dataclass(frozen=True)
class Unused:
    """A revision that goes, and its objects that a fetch has written."""

    revision: Revision
    keys: set[str]

    @property
    def bytes(self) -> int:
        """What is freed."""
        return sum(self.revision.sizes[key] for key in self.keys)

    def as_dict(self, price: Price | None) -> dict[str, Any]:
        """As the task's result has it."""
        return {
            "prefix": self.revision.prefix,
            "objects": len(self.keys),
            "unfinished_uploads": len(self.revision.uploads),
            "bytes": self.bytes,
            "usd_a_month": round(price.usd * self.bytes / 1024**3, 2) if price else None,
        }

    def delete(self, bucket: WeightsBucket) -> None:
        """Delete it. The ledger goes last: by it the next run finds what a killed one has left. Raises AwsError."""
        bucket.abort(self.revision.uploads)
        ledger = f"{self.revision.prefix}/{LEDGER}"
        bucket.delete(sorted(self.keys, key=lambda key: (key == ledger, key)))


def _lines(unused: list[Unused], price: Price | None, versions: str) -> list[str]:
    """What is told of all that goes."""
    if not unused:
        return ["no revision in the bucket is unused"]

    def cost(count: int) -> str:
        return f", {price.of(count)}" if price else ""

    lines = []
    for each in unused:
        parts = [f"{size_text(each.bytes)} in {amount(len(each.keys), 'object')}{cost(each.bytes)}"]
        if each.revision.uploads:
            parts.append(amount(len(each.revision.uploads), "unfinished upload"))
        if not each.revision.ledger:
            parts.append("never completed")
        lines.append(f"unused: {each.revision.prefix}: {', '.join(parts)}")
    total = sum(each.bytes for each in unused)
    source = price.source if price else "no price is known for this region: give weights_storage_price"
    lines.append(f"unused in all: {amount(len(unused), 'revision')}, {size_text(total)}{cost(total)} ({source})")
    return [*lines, *([versions] if versions else [])]
