# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin: check the description of a host and answer what it wants."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import describe_host, known_on_disk


class ActionModule(ActionBase):
    """Runs on the controller, contacts nothing and writes nothing."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return fleet and desired; fail with every error of the description."""
        _checked, args = self.validate_argument_spec({"known": {"type": "dict", "default": {}}})
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            fleet = describe_host(task_vars or {}, self._templar.template)
        except DescriptionErrors as errors:
            return {**result, "failed": True, "errors": errors.lines, "msg": "\n".join(errors.lines)}
        try:
            known = known_on_disk()
        except OSError as error:
            raise AnsibleActionFail(f"the collection is damaged: {error}") from error
        known |= {str(key): str(value) for key, value in args["known"].items() if value not in (None, "")}
        for warning in fleet.warnings:
            self._display.warning(warning)
        return {
            **result,
            "changed": False,
            "fleet": fleet.as_dict(),
            "desired": desired(fleet, known).as_dict(),
            # Objects carry values of engine.env, which may be secret.
            "_ansible_no_log": True,
        }
