# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins that speak to a cluster share: their variables, their client, their progress messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import Client, open_client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.plain import plain


class ClusterAction(ActionBase):
    """An action that runs on the controller, in one process, and speaks to the cluster of the inventory host."""

    _requires_connection = False
    # The arguments, as ArgumentSpecValidator takes them; further rules of it in RULES.
    ARGUMENTS: dict[str, dict[str, Any]] = {}
    RULES: dict[str, Any] = {}

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments, run the work, and turn a ClusterError into a failed result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _checked, arguments = self.validate_argument_spec(self.ARGUMENTS, **self.RULES)
        try:
            result.update(self.work(plain(arguments), task_vars or {}))
        except (ClusterError, TypeError) as error:
            result.update(changed=False, failed=True, msg=str(error))
        return result

    def work(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Do the task with checked, plain arguments; return the result. Raises ClusterError."""
        raise NotImplementedError

    def variable(self, name: str, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return a variable that is a mapping, templated and plain; {} when it is not set."""
        value = plain(self._templar.template(task_vars.get(name)))
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ClusterError(f"{name}: got a {type(value).__name__}; accepted: a mapping")
        return value

    def cluster(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return llmfleet_cluster. Raises ClusterError when it has no name."""
        cluster = self.variable("llmfleet_cluster", task_vars)
        if not isinstance(cluster.get("name"), str) or not cluster["name"]:
            raise ClusterError("llmfleet_cluster.name: not set; accepted: the cluster's name")
        return cluster

    def client(self, task_vars: dict[str, Any]) -> Client:
        """Return a client for the cluster of this host."""
        client = open_client(self.cluster(task_vars), self.variable("llmfleet_aws", task_vars))
        if self._display.verbosity >= 3:
            client.on_request = self._requests(str(task_vars.get("inventory_hostname", "")))
        return client

    def progress(self, task_vars: dict[str, Any]) -> Callable[[str], None]:
        """Return a function that shows a line while the task runs."""
        host = str(task_vars.get("inventory_hostname", ""))

        def show(text: str) -> None:
            self._display.display(f"[{host}] {text}")

        return show

    def _requests(self, host: str) -> Callable[[str, str, str, float], None]:
        """Return a function that shows one request to the API server; threads call it, one line is shown at a time."""
        one = threading.Lock()

        def show(method: str, target: str, outcome: str, seconds: float) -> None:
            with one:
                self._display.vvv(f"{method} {target} {outcome} {seconds:.3f} s", host=host)

        return show

    @property
    def checking(self) -> bool:
        """Tell whether the task runs in check mode."""
        return bool(self._task.check_mode)
