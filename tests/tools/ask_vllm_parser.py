# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer what vLLM's own parser makes of arguments: JSON from standard input to standard output.

Input: a list of argument lists. Output: {"recorded": the text of record_vllm_options, "parsed": for each list the
options that differ from their defaults as {longest name: value}, or null when the parser refuses it}.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Read, ask, answer."""
    questions = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        recorded = runpy.run_path(str(Path(__file__).with_name("record_vllm_options.py")))["text"]()
        from vllm.entrypoints.launchers.cli_args import make_arg_parser
        from vllm.utils.argparse_utils import FlexibleArgumentParser

        parser = make_arg_parser(FlexibleArgumentParser())
        names = {a.dest: max(a.option_strings, key=len) for a in parser._actions if a.option_strings}
        default = vars(parser.parse_args([]))
        parsed: list[dict[str, Any] | None] = []
        for question in questions:
            try:
                # The parser prints its usage about every refusal.
                with contextlib.redirect_stderr(io.StringIO()):
                    found = vars(parser.parse_args(question))
            except (SystemExit, Exception):
                parsed.append(None)
                continue
            changed = {names[key]: str(value) for key, value in found.items() if key in names and value != default[key]}
            parsed.append(changed)
    json.dump({"recorded": recorded, "parsed": parsed}, sys.stdout)


if __name__ == "__main__":
    main()
