# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an engine ended, out of logs in the form in which vLLM 0.32 writes them."""

from __future__ import annotations

from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.crash import LINES, telling

CORE = "(EngineCore pid=29) ERROR 11-25 19:55:28 [core.py:1510]"
FRAMES = ['  File "/opt/vllm/vllm/v1/engine/core_client.py", line 682, in __init__', "    with launch_core_engines("]
END = "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"


def test_the_root_cause_is_told_when_the_end_points_back_to_it() -> None:
    log = [
        "(APIServer pid=1) INFO 11-25 19:54:50 [api_utils.py:286] non-default args: {'model': '/models/x'}",
        f"{CORE} EngineCore failed to start.",
        f"{CORE} Traceback (most recent call last):",
        f"{CORE}     raise ValueError(",
        f"{CORE} ValueError: No available memory for the cache blocks.",
        "Process EngineCore:",
        "Traceback (most recent call last):",
        "ValueError: No available memory for the cache blocks.",
        "(APIServer pid=1) INFO 11-25 19:55:34 [utils.py:628] [shutdown] Process manager: send sigterm",
        "Traceback (most recent call last):",
        *FRAMES * 30,
        END,
    ]
    assert telling("\n".join(log)) == f"ValueError: No available memory for the cache blocks.\n{END}"


def test_the_last_two_causes_in_their_order() -> None:
    log = [f"[a.py:1] {name}: x" for name in ("OSError", "torch.OutOfMemoryError", "KeyError", "KeyError")]
    assert telling("\n".join([*log, *FRAMES * 30, END])) == f"torch.OutOfMemoryError: x\nKeyError: x\n{END}"


def test_else_the_end_as_it_is() -> None:
    log = [
        "[a.py:1] OSError: not this",
        *(f"{at}" for at in range(20)),
        "x.ValidationError: 1 error",
        "  Value error, y",
    ]
    assert telling("\n".join(log)).splitlines() == log[-LINES:]
    assert telling("\n".join([*FRAMES * 30, END])).splitlines() == [*(FRAMES * 30)[-LINES + 1 :], END]
    assert telling("") == ""


def test_what_only_mentions_an_error_is_no_cause() -> None:
    log = ["[a.py:1] fell back after ImportError: no triton", "[a.py:1] KeyError: x", *FRAMES * 30, END]
    assert telling("\n".join(log)) == f"KeyError: x\n{END}"


def test_long_lines_are_cut() -> None:
    assert telling("x" * 9000) == "x" * 500
