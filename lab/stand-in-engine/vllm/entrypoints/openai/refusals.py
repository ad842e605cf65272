# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vLLM's parser takes and its engine refuses: one rule of it, for tests of rollouts that fail."""

from __future__ import annotations

import argparse
import sys


def refused(arguments: list[str]) -> int:
    """Return 1, and say why in vLLM's words, when the batch is smaller than the sequences it has to hold; else 0."""
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    parser.add_argument("--max-num-seqs", type=int, default=0)
    parser.add_argument("--max-num-batched-tokens", type=int)
    given, _rest = parser.parse_known_args(arguments)
    tokens, sequences = given.max_num_batched_tokens, given.max_num_seqs
    if tokens is None or tokens >= sequences:
        return 0
    print(
        f"ValueError: max_num_batched_tokens ({tokens}) must be greater than or equal to max_num_seqs ({sequences}).",
        file=sys.stderr,
    )
    return 1
