# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference of all variables, as a page made from the tables that check them."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import Field, Items
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_fields import MODEL_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.platform_fields import (
    AWS_FIELDS,
    CLUSTER_FIELDS,
    PLATFORM_FIELDS,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pool_fields import POOL_FIELDS, STATIC_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_flags import MANAGED
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_options import VERSION

_INTRODUCTION = """# Variables

Made from the tables that check them by `docs/generate_variables.py`: change the tables, not this page.

One inventory host is one cluster. Unknown variables that begin with `llmfleet_` and unknown keys are errors, types are
strict (no string for a number or a bool), and all errors are reported at once before anything is written. What is
marked *later* is checked already, but only its default is accepted so far; what is marked *so far* says what is.

`-e name=value` on the command line gives text: numbers and lists need `-e '{"name": 2}'` or `-e @file.yml`. How long
roles wait, and what else is theirs alone, are variables of the roles: `ansible-doc -t role llmfleet.eks.models`."""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _default(field: Field) -> str:
    if field.required:
        return "required"
    if field.default_text:
        return _cell(field.default_text)
    if field.default is None:
        return "unset"
    if isinstance(field.default, bool):
        return str(field.default).lower()
    if isinstance(field.default, list) and field.default and isinstance(field.default[0], dict):
        return ", ".join(" ".join(f"{key}={value}" for key, value in item.items()) for item in field.default)
    if field.default in ([], {}):
        return "none"
    return ", ".join(field.default) if isinstance(field.default, list) else str(field.default)


def _rows(fields: Sequence[Field], prefix: str = "") -> list[str]:
    rows = []
    for field in fields:
        path = prefix + field.path
        effect = field.effect if field.built else f"*later*: {field.effect}"
        if field.built_text:
            effect = f"*so far {field.built_text}*: {field.effect}"
        accepted = "list of maps:" if isinstance(field.accept, Items) else _cell(field.accept.text)
        rows.append(f"| `{path}` | {_default(field)} | {accepted} | {_cell(effect)} |")
        if isinstance(field.accept, Items):
            rows += _rows(field.accept.fields, f"{path}[].")
    return rows


def _table(title: str, text: str, fields: Sequence[Field], prefix: str = "") -> list[str]:
    head = ["| field | default | accepted | effect |", "| --- | --- | --- | --- |"]
    return ["", f"## {title}", "", text, "", *head, *_rows(fields, prefix)]


def page() -> str:
    """Return the page in Markdown."""
    lines = [_INTRODUCTION]
    lines += _table("llmfleet_models", "A list of maps: one vLLM release each.", MODEL_FIELDS)
    lines += ["", f"### Flags that `engine.extra_args` refuses (vLLM {VERSION})", ""]
    lines += ["In every spelling that vLLM takes: prefixes, underscores, `--no-` forms, short flags.", ""]
    lines += ["| flag | use instead |", "| --- | --- |"]
    lines += [f"| `{flag}` | {_cell(field)} |" for flag, field in MANAGED.items()]
    lines += _table(
        "llmfleet_gpu_pools",
        f"A list of maps. A static pool has nodes that exist already, and takes only {', '.join(STATIC_FIELDS)}.",
        POOL_FIELDS,
    )
    lines += _table(
        "llmfleet_cluster", "A map. The cluster and its VPC exist; they are found, never made.", CLUSTER_FIELDS
    )
    lines += _table("llmfleet_aws", "A map: how boto3 finds its credentials.", AWS_FIELDS)
    lines += _table("Variables that stand alone", "Each is optional.", PLATFORM_FIELDS, "llmfleet_")
    return "\n".join(lines) + "\n"
