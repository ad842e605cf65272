# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What callbacks read from ansible's tasks and results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.plugin_utils.operator_view import (
    COLLECTION,
    TaskView,
    plain_arguments,
    plain_label,
)


def role_of(task: Any) -> str:
    """Return the name of the role of this collection that a task belongs to, "" for any other task."""
    role = getattr(task, "_role", None)
    name = str(role.get_name()) if role is not None else ""
    return name.removeprefix(f"{COLLECTION}.") if name.startswith(f"{COLLECTION}.") else ""


def action_of(task: Any) -> str:
    """Return the full name of a task's action."""
    return str(getattr(task, "resolved_action", None) or task.action)


def ours(task: Any) -> bool:
    """Tell whether a task is of a role of this collection, or uses an action of it."""
    return bool(role_of(task)) or action_of(task).startswith(f"{COLLECTION}.")


def view_of(result: Any, seconds: float = 0.0) -> TaskView:
    """Return what can be told of a result."""
    task, data = result.task, result.result
    arguments = plain_arguments(task.args)
    return TaskView(
        name=str(task.get_name()).split(" : ", 1)[-1].strip(),
        action=action_of(task),
        arguments=arguments,
        result=data,
        role=role_of(task),
        layer=_layer(task, data, arguments),
        label=plain_label(data.get("_ansible_item_label")),
        seconds=seconds,
        check=bool(task.check_mode),
        shown="censored" not in data,
    )


def _layer(task: Any, data: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """Return a task's layer: as its result says, as it is written, or of the step of the teardown it is a part of."""
    step = task.get_vars().get("teardown_step")
    given = data.get("layer") or arguments.get("layer") or (step.get("layer") if isinstance(step, Mapping) else "")
    return plain_label(given)
