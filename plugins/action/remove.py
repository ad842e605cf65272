# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.remove: see plugins/modules/remove.py for its documentation."""

from __future__ import annotations

from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.plan import make_plan, plan_data
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.teardown import PARTS, RemovalError, remove
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """Plan the removal of what is ours, or remove one layer."""

    ARGUMENTS = {
        "plan": {"type": "bool", "default": False},
        "layer": {"type": "str", "choices": list(LAYERS)},
        "part": {"type": "str", "choices": list(PARTS), "default": "all"},
        "timeout": {"type": "int", "default": 600},
        "foreign_content": {"type": "bool", "default": False},
    }
    RULES = {"required_if": [("plan", False, ("layer",))]}

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return the plan (always in check mode), or remove and tell what went, what was kept, what hangs."""
        client, name = self.client(task_vars), self.cluster(task_vars)["name"]
        layer = arguments["layer"]
        steps = make_plan(client, name, layer)
        plan = plan_data(client, name, steps)
        releases = [release for step in steps for release in step.releases]
        result: dict[str, Any] = {"changed": False, "plan": plan, "releases": releases}
        if layer:
            result["layer"] = layer
        if arguments["plan"]:
            return result
        if self.checking:
            going = _going(plan, arguments["part"], arguments["foreign_content"])
            return {**result, "changed": bool(going), "removed": going}
        try:
            done = remove(
                client,
                name,
                layer,
                part=arguments["part"],
                timeout=float(arguments["timeout"]),
                foreign_content=arguments["foreign_content"],
                progress=self.progress(task_vars),
            )
        except RemovalError as error:
            return {
                **result,
                "changed": True,
                "failed": True,
                "msg": str(error),
                "removed": error.removal.removed,
                "kept": error.removal.kept,
                "hanging": error.hanging,
            }
        result.update(changed=bool(done.removed), removed=done.removed, kept=done.kept, seconds=done.seconds)
        return result


def _going(plan: list[dict[str, Any]], part: str, foreign_content: bool) -> list[dict[str, str]]:
    """Return what a removal would ask to go: not what others keep something in."""
    return [
        {key: entry[key] for key in ("kind", "namespace", "name")}
        for step in plan
        for stage in step["stages"]
        if stage["stage"] in PARTS[part]
        for entry in stage["objects"]
        if foreign_content or entry["deleting"] or not entry.get("foreign")
    ]
