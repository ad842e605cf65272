# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin: write what every host of the play wants into a folder, or nothing at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import folder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import DescriptionErrors
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.files import files
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import describe_host, known_on_disk


class ActionModule(ActionBase):
    """Runs once for all hosts of the play: an error of one host keeps the files of all from being written."""

    TRANSFERS_FILES = False
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what was written and removed; fail with every error of every host."""
        _checked, args = self.validate_argument_spec({"to": {"type": "path", "required": True}})
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        target = Path(str(args["to"]))
        lines: list[str] = []
        wanted: dict[str, str] = {}
        try:
            known = known_on_disk()
        except OSError as error:
            raise AnsibleActionFail(f"the collection is damaged: {error}") from error
        for host in hosts:
            several = f"{host}: " if len(hosts) > 1 else ""
            try:
                fleet = self._describe(host, variables)
            except DescriptionErrors as errors:
                lines += [several + line for line in errors.lines]
                continue
            for warning in fleet.warnings:
                self._display.warning(several + warning)
            below = f"{host}/" if several else ""
            wanted |= {below + path: text for path, text in files(desired(fleet, known)).items()}
        try:
            if args["to"]:
                folder.earlier_files(target)
            elif "llmfleet_render_to" not in variables:  # a variable that is empty is an error of the description
                lines.append(folder.missing())
        except folder.FolderError as error:
            lines.append(str(error))
        except OSError as error:
            lines.append(folder.unusable(target, error))
        if lines:
            return {**result, "failed": True, "errors": lines, "msg": "\n".join(lines)}
        try:
            run = folder.changes if self._task.check_mode else folder.write
            written, removed = run(target, wanted)
        except OSError as error:
            raise AnsibleActionFail(folder.unusable(target, error)) from error
        return {
            **result,
            "changed": bool(written or removed),
            "to": str(target),
            "files": sorted(wanted),
            "written": written,
            "removed": removed,
        }

    def _describe(self, host: str, variables: dict[str, Any]) -> Any:
        """Describe a host by its own variables; those of the host that the task runs for are at hand."""
        if host == variables.get("inventory_hostname"):
            return describe_host(variables, self._templar.template)
        of_host = variables["hostvars"][host]
        # Reading a host's variable resolves it: the reading belongs to the attempt.
        names = {name: name for name in of_host if str(name).startswith("llmfleet_")}
        return describe_host(names, lambda name: of_host[name])
