# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flags of vLLM that a user may add, and those that fields of the description decide."""

from __future__ import annotations

import functools
import re
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import nearest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import HIDDEN, Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_options import OPTIONS

MOST, LONGEST = 16, 256
TEXT = f"at most {MOST} tokens, --flag or --flag=value, each at most {LONGEST} characters"
_SHAPE = re.compile(r"(--[A-Za-z0-9][A-Za-z0-9_.+-]*)(?:=([^\x00-\x1f\x7f]*))?", re.DOTALL)
_OURS = "nothing: the platform sets it"
# Flag (or its beginning, with a star) -> the field that decides it.
MANAGED = {
    "--model": "weights.repository and weights.revision",
    "--served-model-name": "name",
    "--max-model-len": "engine.context_length",
    "--max-num-seqs": "engine.max_sequences",
    "--gpu-memory-utilization": "engine.gpu_memory_utilization",
    "--quantization": "engine.quantization",
    "--enable-prefix-caching": "engine.prefix_caching",
    "--cpu-offload-gb": "engine.kv_offload_gib",
    "--kv-offloading-size": "engine.kv_offload_gib",
    "--kv-offloading-backend": "engine.kv_offload_gib",
    "--enable-auto-tool-choice": "engine.tool_call_parser",
    "--tool-call-parser": "engine.tool_call_parser",
    "--reasoning-parser": "engine.reasoning_parser",
    "--enable-lora": "adapters",
    "--max-loras": "adapters",
    "--max-lora-rank": "adapters_max_rank",
    "--lora-modules": "adapters",
    "--port": _OURS,
    "--host": _OURS,
    "--uds": _OURS,
    "--root-path": _OURS,
    "--load-format": "weights.load",
    "--model-loader-extra-config": "weights.stream_concurrency",
    "--tensor-parallel-size": "gpu.count",
    "--pipeline-parallel-size": "gpu.nodes",
    "--data-parallel-*": "scaling.max",
    "--nnodes": "gpu.nodes",
    "--node-rank": "gpu.nodes",
    "--headless": "gpu.nodes",
    "--distributed-executor-backend": "gpu.nodes",
    "--download-dir": "weights.source",
    "--revision": "weights.revision",
    "--hf-token": "weights.token_secret",
    "--api-key": "nothing: the gateway checks the keys",
    "--ssl-*": "nothing: the gateway ends TLS",
    "--config": "the fields of engine",
    "--shutdown-timeout": "gateway.timeout",
    "--master-*": "gpu.nodes",
    # Not a setting: the engine would print its help and end.
    "--help": "nothing: the engine would not start",
}


@functools.cache
def _spellings() -> dict[str, dict[str, Any]]:
    """Every spelling of every option that begins with two dashes -> the option."""
    return {name: option for option in OPTIONS for name in option["names"] if name.startswith("--")}


def long_names() -> list[str]:
    """All flags of two dashes."""
    return list(_spellings())


def managed_flag(option: dict[str, Any]) -> str | None:
    """Return the entry of MANAGED that an option falls under, None when a user may set it."""
    for flag in MANAGED:
        for name in option["names"]:
            if name == flag or (flag.endswith("*") and name.startswith(flag[:-1])):
                return flag
    return None


def _refusal_of(flag: str) -> tuple[str, str]:
    """Reason and accepted alternative for a managed flag."""
    field = MANAGED[flag]
    return f"managed flag {flag}", field if field.startswith(("nothing", "the ")) else f"the field {field}"


def _candidates(flag: str) -> list[dict[str, Any]]:
    """The options that the parser could take a flag for: the one of that name, else those that begin with it.

    As vLLM's parser, it takes underscores for dashes, and a dot or plus for the start of a path into a JSON value.
    """
    name = "--" + re.split(r"[.+]", flag[2:], maxsplit=1)[0].replace("_", "-")
    spellings = _spellings()
    if name in spellings:
        return [spellings[name]]
    found = [option for spelling, option in spellings.items() if spelling.startswith(name)]
    if not found and name.startswith("--no-"):
        found = [spellings["--" + name[5:]]] if "--" + name[5:] in spellings else []
        return [option for option in found if managed_flag(option)]
    return found


def flag_of(token: str) -> str:
    """Return what of a token may be shown: its flag, never its value."""
    match = re.match(r"(-{1,2}[A-Za-z][A-Za-z0-9_.+-]*)(=|\s|$)", token)
    if not match:
        return HIDDEN
    return match[1] + {"=": "=…", "": ""}.get(match[2], " …")


class ExtraArgs:
    """Reads engine.extra_args."""

    text = TEXT

    def read(self, value: Any, where: Where) -> bool:
        """Report every token that cannot be used; whether all can. Values of tokens are never shown."""
        if not isinstance(value, list):
            where.errors.add(where.path, HIDDEN, "not a list", TEXT)
            return False
        if len(value) > MOST:
            where.errors.add(where.path, f"{len(value)} tokens", "too many", TEXT)
            return False
        refusals = [(index, token, self.refusal(token)) for index, token in enumerate(value)]
        for index, token, refusal in refusals:
            if refusal:
                got = flag_of(token) if isinstance(token, str) else HIDDEN
                where.errors.add(where.at(index).path, got, refusal[0], refusal[1])
        return not any(refusal for _name, _value, refusal in refusals)

    def refusal(self, token: Any) -> tuple[str, str] | None:
        """Return why a token is refused and what is accepted, None when it can be used."""
        if not isinstance(token, str):
            return "not a string", TEXT
        if len(token) > LONGEST:
            return f"{len(token)} characters", TEXT
        match = _SHAPE.fullmatch(token)
        if not match:
            # A flag with its value in one token would be nothing to the parser; what it is meant to be says more.
            head = re.split(r"\s", token, maxsplit=1)[0]
            meant = self._short(head) or self._managed(head)
            return _refusal_of(meant) if meant else ("not a single token --flag or --flag=value", TEXT)
        flag, value = match.groups()
        managed = self._managed(flag)
        if managed:
            return _refusal_of(managed)
        candidates = _candidates(flag)
        name, dot, path = flag.partition(".")
        exact = name.replace("_", "-") in _spellings() and "+" not in path.rstrip("+") and not path.endswith("++")
        if not candidates or not exact:
            return f"not a flag of vLLM{nearest(flag, long_names())}", "flags of the pinned vLLM, in full"
        return self._value_refusal(candidates[0], value, dotted=bool(dot))

    @staticmethod
    def _managed(flag: str) -> str | None:
        """Return the managed flag that the parser may take a flag of two dashes for, None when there is none."""
        if not re.fullmatch(r"--[A-Za-z0-9][A-Za-z0-9_.+-]*", flag):
            return None
        return next((managed for option in _candidates(flag) if (managed := managed_flag(option))), None)

    @staticmethod
    def _short(token: str) -> str | None:
        """Return the managed flag that a flag of one dash is, None when it is none."""
        for option in OPTIONS:
            for name in option["names"]:
                if not name.startswith("--") and token.split("=")[0] == name:
                    return managed_flag(option)
        return None

    @staticmethod
    def _value_refusal(option: dict[str, Any], value: str | None, dotted: bool) -> tuple[str, str] | None:
        """Refuse a value where none is taken, a missing one, and one of the wrong type. Values are not shown."""
        takes = option["values"]
        if dotted and (takes != "one" or "type" in option or "choices" in option):
            return "not a JSON value: nothing in it can be set", "the flag without a dot"
        if takes == "none":
            return None if value is None else ("has a value", "the flag alone")
        if value is None:
            # The parser would take the next token for the value.
            return None if takes == "optional" else ("has no value", "--flag=value")
        if dotted:
            return None
        if "choices" in option and value not in option["choices"]:
            return "not one of the flag's values", ", ".join(option["choices"])
        if option.get("type") in ("int", "float"):
            try:
                int(value) if option["type"] == "int" else float(value)
            except ValueError:
                kind = "an integer" if option["type"] == "int" else "a number"
                return f"not {kind}", f"--flag=value with {kind}"
        return None
