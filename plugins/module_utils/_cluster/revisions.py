# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of a Deployment, as its ReplicaSets keep them: which is the present one, which was the last that served.

That one has served is a label on its ReplicaSet, written when a wait has seen it available. Nothing else keeps it: a
ReplicaSet of no pods has no memory of those it had, and the Deployment tells of its present release only. It is a label
and lies on the ReplicaSet because what is annotated there or on the Deployment is copied between the two (by the
controller one way, by kubectl's rollout undo the other), and would vouch for a release that never served.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.fields import same
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import without_nulls

SERVED_LABEL = "llmfleet.io/served"
_REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"
# What tells the items of a list apart, in the lists of a pod that the server merges.
_KEYS = ("name", "mountPath", "containerPort")


def revision(obj: Mapping[str, Any]) -> int:
    """Return the revision of a ReplicaSet, or that of a Deployment's present release; 0 where it has none yet."""
    return int((obj["metadata"].get("annotations") or {}).get(_REVISION) or 0)


def releases(deployment: Mapping[str, Any], replica_sets: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a Deployment's own ReplicaSets of those of its namespace, by revision."""
    uid = deployment["metadata"]["uid"]
    owned = [rs for rs in replica_sets if any(o.get("uid") == uid for o in rs["metadata"].get("ownerReferences") or [])]
    return sorted(owned, key=revision)


def present(deployment: Mapping[str, Any], own: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the one of its own ReplicaSets that has its present pod template, None when there is none (yet).

    The highest revision may still be that of the release before: a Deployment that recreates makes the new ReplicaSet
    only when the last pod of the old one has ended. Of several that are equal, the controller takes the oldest.
    """
    wanted = template_of(deployment)
    fitting = [rs for rs in own if same(template_of(rs), wanted)]
    return min(fitting, key=lambda rs: str(rs["metadata"].get("creationTimestamp") or ""), default=None)


def template_of(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Return the pod template of a Deployment or ReplicaSet, without what the controller adds to it."""
    template = without_nulls((obj.get("spec") or {}).get("template") or {})
    metadata = dict(template.get("metadata") or {})
    labels = {key: value for key, value in (metadata.pop("labels", None) or {}).items() if key != _HASH}
    return {**template, "metadata": {**metadata, **({"labels": labels} if labels else {})}}


def available(replica_set: Mapping[str, Any]) -> int:
    """Return how many pods of a ReplicaSet are available now."""
    return int((replica_set.get("status") or {}).get("availableReplicas") or 0)


def marked(replica_set: Mapping[str, Any]) -> bool:
    """Tell whether a wait has seen this release serve."""
    return (replica_set["metadata"].get("labels") or {}).get(SERVED_LABEL) == "true"


def last_served(own: Iterable[dict[str, Any]], failed: Mapping[str, Any], before: int) -> dict[str, Any] | None:
    """Return the youngest release that has served, other than the one that failed; None when none has.

    One that has pods available serves, marked or not. before: revision that was complete and available when this run
    began, 0 for none: it may never have been waited for to the end.
    """
    served = [
        rs
        for rs in own
        if rs["metadata"]["uid"] != failed["metadata"]["uid"]
        and (marked(rs) or available(rs) or (before and revision(rs) == before))
    ]
    return max(served, key=revision, default=None)


def without_defaults(old: Any, desired: Any, live: Any) -> Any:
    """Return an old pod template without what the server had filled in: applied again, it is owned as it was.

    desired: the template as we apply it now. live: what the server has made of that. What desired does not say, and is
    the same in live as in old, nobody has asked for. In a part that desired has no longer, defaults cannot be told:
    they become ours, and a return to the old description costs one write, which rolls out nothing.
    """
    if isinstance(old, dict) and isinstance(desired, Mapping) and isinstance(live, Mapping):
        return {
            key: without_defaults(value, desired[key], live.get(key)) if key in desired else value
            for key, value in old.items()
            if key in desired or key not in live or not same(value, live[key])
        }
    if isinstance(old, list) and isinstance(desired, list) and isinstance(live, list):
        ours, theirs = _by_key(desired), _by_key(live)
        return [without_defaults(item, ours.get(_key(item)), theirs.get(_key(item))) for item in old]
    return old


def _by_key(items: list[Any]) -> dict[Any, Any]:
    return {_key(item): item for item in items if _key(item)}


def _key(item: Any) -> tuple[Any, ...]:
    return tuple(item[key] for key in _KEYS if key in item) if isinstance(item, Mapping) else ()
