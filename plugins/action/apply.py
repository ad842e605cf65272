# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of llmfleet.eks.apply: see plugins/modules/apply.py for its documentation."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.apply import ApplyError, ApplyResult, apply
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.prune import Pruned, parent_among, prune
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.rollback import wait_or_roll_back
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.wait import Ref, WaitError, wait_for
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.chosen import of_models
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import LAYERS
from ansible_collections.llmfleet.eks.plugins.plugin_utils.cluster_action import ClusterAction


class ActionModule(ClusterAction):
    """Apply objects, take away what is no longer wanted, wait for all of them."""

    ARGUMENTS = {
        "objects": {"type": "list", "elements": "dict", "default": []},
        "layer": {"type": "str", "required": True, "choices": list(LAYERS)},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 300},
        "force_conflicts": {"type": "bool", "default": False},
        "adopt": {"type": "bool", "default": False},
        "replace": {"type": "list", "elements": "str", "default": []},
        "prune": {"type": "bool", "default": False},
        "only": {"type": "list", "elements": "str"},
        "rollback": {"type": "bool", "default": False},
    }

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Apply, prune, wait; the result says what happened to each object, also when something failed."""
        client = self.client(task_vars)
        name, layer, timeout = self.cluster(task_vars)["name"], arguments["layer"], float(arguments["wait_timeout"])
        progress = self.progress(task_vars)
        only = arguments["only"]
        parent = parent_among(arguments["objects"]) if arguments["prune"] else None
        try:
            done = apply(
                client,
                of_models(arguments["objects"], only),
                name,
                layer,
                check=self.checking,
                force_conflicts=arguments["force_conflicts"],
                adopt=arguments["adopt"],
                replace=arguments["replace"],
                timeout=timeout,
                progress=progress,
                diffs=bool(self._task.diff),
            )
        except ApplyError as error:
            return {**self._result(error.result, layer), "failed": True, "msg": str(error)}
        pruned = Pruned()
        if parent is not None:
            pruned = prune(client, name, parent, done.items, only=only, check=self.checking, timeout=timeout)
        result = self._result(done, layer)
        result["pruned"] = pruned.objects
        result["changed"] = done.changed or bool(pruned.objects)
        if self._task.diff:
            result["diff"] = [*result.get("diff", []), *pruned.diffs]
        if arguments["wait"] and not self.checking:
            began = time.monotonic()
            try:
                if arguments["rollback"]:
                    result.update(wait_or_roll_back(client, name, done.items, timeout, progress).result())
                    result["applied"] = done.summary()
                else:
                    wait_for(client, (Ref.of(item.desired) for item in done.items), timeout, progress=progress)
            except WaitError as error:
                result.update(failed=True, msg=str(error), not_ready=error.objects)
            result["seconds"]["wait"] = round(time.monotonic() - began, 3)
        return result

    def _result(self, done: ApplyResult, layer: str) -> dict[str, Any]:
        result: dict[str, Any] = {
            "changed": done.changed,
            "layer": layer,
            "applied": done.summary(),
            "counts": done.counts(),
            "seconds": {"apply": done.seconds, "wait": 0.0},
        }
        if self._task.diff:
            result["diff"] = done.diffs()
        return result
