# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default output without its noise: a short line when a task begins, and only what changed or failed after it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: terminal
type: stdout
short_description: The default output, quieter
version_added: 1.0.0
description:
  - What ansible.builtin.default prints, but one short line when a task of this collection begins, so that what is told
    while it runs stands below it. Tasks that only prepare others have no line, and nothing is printed for what is as it
    should be.
  - Results of tasks of this collection are never printed whole, with any number of C(-v); those of other tasks are,
    from C(-v) on, as by default. A failure of an action of this collection is its message.
  - Made to be used together with the callback P(llmfleet.eks.operator#callback), which tells what the tasks did.
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - set as stdout in configuration (C(stdout_callback = llmfleet.eks.terminal))
"""

import re
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible_collections.llmfleet.eks.plugins.plugin_utils.callback_tasks import action_of, ours, role_of, view_of

_OPERATOR = "llmfleet.eks.operator"
# Tasks that read no more than variables: nobody waits for them.
_PREPARING = frozenset(
    f"ansible.builtin.{name}"
    for name in (
        "assert",
        "debug",
        "import_role",
        "import_tasks",
        "include_role",
        "include_tasks",
        "include_vars",
        "meta",
        "set_fact",
        "validate_argument_spec",
    )
)
_MESSAGE_ONLY = frozenset(f"ansible.builtin.{name}" for name in ("assert", "fail", "validate_argument_spec"))
# A filter of ours is told by what it is used in, with the variable at fault at the end.
_OF_A_FILTER = re.compile(r".*The filter plugin 'llmfleet\.eks\.\w+' failed: (.*)", re.DOTALL)
_PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
# amazon.aws.iam_role says this every time it runs, whatever it is told, of a result that nobody here reads.
_ALWAYS_SAID = "assume_role_policy_document_raw"


def _of_our_playbooks(task: Any) -> bool:
    """Tell whether a task stands in a playbook of this collection."""
    return Path(str(task.get_path() or "").rpartition(":")[0]).resolve().parent == _PLAYBOOKS


class CallbackModule(DefaultCallback):
    """ansible.builtin.default, told what to leave out."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "llmfleet.eks.terminal"

    def _task_start(self, task: Any, prefix: str | None = None) -> None:
        super()._task_start(task, prefix)
        if ours(task) and action_of(task) not in _PREPARING and self._last_task_banner != task._uuid:
            self._print_task_banner(task)

    def _print_task_banner(self, task: Any) -> None:
        if not ours(task):
            super()._print_task_banner(task)
            return
        name = self._last_task_name or task.get_name().strip()
        self._display.display(name.removeprefix("llmfleet.eks."), color=constants.COLOR_HIGHLIGHT)
        self._last_task_banner = task._uuid

    def _run_is_verbose(self, result: Any, verbosity: int = 0) -> bool:
        return not ours(result.task) and bool(super()._run_is_verbose(result, verbosity))

    def _handle_warnings(self, res: Any) -> None:
        told = res.get("deprecations")
        if told and all(_ALWAYS_SAID in str(entry) for entry in told):
            res.pop("deprecations")
        super()._handle_warnings(res)

    def _silent(self, result: Any) -> bool:
        """Tell whether nothing is to be printed for a result that is no failure."""
        if isinstance(result.task, TaskInclude):
            return True
        if result.result.get("changed"):
            return view_of(result).tells() and _OPERATOR in (constants.CALLBACKS_ENABLED or ())
        return not self._run_is_verbose(result)

    def _said(self, result: Any) -> bool:
        """Print the message of a debug task of ours; tell whether it was one."""
        if action_of(result.task) != "ansible.builtin.debug" or not role_of(result.task) or "msg" not in result.result:
            return False
        message = result.result["msg"]
        for part in message if isinstance(message, list) else [message]:
            for line in str(part).splitlines():
                self._display.display(f"[{result.host.get_name()}] {line}")
        return True

    def _failed(self, result: Any) -> bool:
        """Print the message of a task of ours that says all there is to say; tell whether it was one."""
        message = str(result.result.get("msg") or "")
        of_a_filter = _OF_A_FILTER.fullmatch(message)
        action = action_of(result.task)
        own = action.startswith("llmfleet.eks.") or action in _MESSAGE_ONLY or of_a_filter is not None
        if not message or not own or not (ours(result.task) or _of_our_playbooks(result.task)):
            return False
        if self._last_task_banner != result.task._uuid:
            self._print_task_banner(result.task)
        if self._display.verbosity >= 2:  # with the place in the playbook and, where that is set, the traceback
            self._handle_warnings_and_exception(result)
        else:
            self._handle_warnings(result.result)
        item = view_of(result).label
        text = "\n".join(f"  {line}" for line in (of_a_filter[1] if of_a_filter else message).splitlines())
        self._display.display(
            f"fatal: [{self.host_label(result)}]: FAILED!{f' (item={item})' if item else ''}\n{text}",
            color=constants.COLOR_ERROR,
            stderr=self.get_option("display_failed_stderr"),
        )
        return True

    def v2_runner_on_ok(self, result: Any) -> None:
        """Print what changed, and what a debug task says."""
        if self._silent(result):
            self._handle_warnings(result.result)
            self._said(result)
        else:
            super().v2_runner_on_ok(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Print what changed, and what a debug task says."""
        if self._silent(result):
            self._handle_warnings(result.result)
            self._said(result)
        else:
            super().v2_runner_item_on_ok(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Print a failure: of ours its message."""
        if result.task.loop and "results" in result.result or not self._failed(result):
            super().v2_runner_on_failed(result, ignore_errors)
        elif ignore_errors:
            self._display.display("...ignoring", color=constants.COLOR_SKIP)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Print a failure: of ours its message."""
        if not self._failed(result):
            super().v2_runner_item_on_failed(result)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Say nothing of files that our roles include."""
        if not ours(included_file._task):
            super().v2_playbook_on_include(included_file)
