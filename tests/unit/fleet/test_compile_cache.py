# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of compiled code: what it depends on, and that an engine starts without it."""

from __future__ import annotations

import copy
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.compile_cache import INSTEAD, OR_INSTEAD, cache_root
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.weights_pod import MAKE_CACHE

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ADAPTER = {"name": "sql", "repository": "o/sql", "revision": "a" * 40}


def _root(variables: Any, fleet_of: Any) -> str:
    fleet = fleet_of(variables)
    (model,) = fleet.models
    return cache_root(model, fleet.pool(model.get("gpu.pool")))


def test_people_can_read_it(variables: Any, fleet_of: Any) -> None:
    *folders, digest = _root(variables, fleet_of).split("/")
    assert folders == ["", "cache", "v0.32.0", "l4", "0123456789ab"] and len(digest) == 10
    variables["llmfleet_models"][0] |= {"gpu": {"pool": "lab"}, "engine": {"image": f"x/y@sha256:{'0' * 64}"}}
    assert _root(variables, fleet_of).startswith("/cache/000000000000/lab/")
    variables["llmfleet_models"][0]["engine"]["image"] = "registry.example:5000/vllm:V1_2"
    assert _root(variables, fleet_of).startswith("/cache/v1-2/lab/")


OTHER = {
    "image": {"engine": {"image": "mirror/vllm:v0.32.0"}},
    "revision": {"weights": {"repository": "Qwen/Qwen3-8B", "revision": "f" * 40}},
    "GPU": {"gpu": {"pool": "lab"}},
    "context": {"engine": {"context_length": 8192}},
    "sequences": {"engine": {"max_sequences": 8}},
    "quantization": {"engine": {"quantization": "fp8"}},
    "offload": {"engine": {"kv_offload_gib": 1}},
    "extra": {"engine": {"extra_args": ["--enforce-eager"]}},
    "adapters": {"adapters": [ADAPTER]},
    "two adapters": {"adapters": [ADAPTER, {**ADAPTER, "name": "css"}]},
    "rank": {"adapters": [ADAPTER], "adapters_max_rank": 8},
    "nodes": {"gpu": {"pool": "l4", "nodes": 2}},
}
SAME = {
    "replicas": {"scaling": {"min": 2}},
    "timeout": {"gateway": {"timeout": "5m"}},
    "parsers": {"engine": {"tool_call_parser": "hermes", "reasoning_parser": "qwen3"}},
    "loader": {"weights": {"repository": "Qwen/Qwen3-8B", "revision": COMMIT, "load": "stream"}},
    "labels": {"labels": {"a": "b"}},
    "environment": {"engine": {"env": {"A": "b"}}},
}


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_another_folder(change: Any, variables: Any, fleet_of: Any) -> None:
    before = _root(variables, fleet_of)
    assert _root(copy.deepcopy(variables), fleet_of) == before
    variables["llmfleet_models"][0].update(change)
    assert _root(variables, fleet_of) != before


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_the_same_folder(change: Any, variables: Any, fleet_of: Any) -> None:
    before = _root(variables, fleet_of)
    variables["llmfleet_models"][0].update(change)
    assert _root(variables, fleet_of) == before


def test_all_changes_differ_from_each_other(variables: Any, fleet_of: Any) -> None:
    model, roots = variables["llmfleet_models"][0], []
    for change in OTHER.values():
        variables["llmfleet_models"] = [copy.deepcopy(model) | change]
        roots.append(_root(variables, fleet_of))
    assert len(set(roots)) == len(OTHER)


def test_another_adapter_of_the_same_kind_compiles_nothing(variables: Any, fleet_of: Any) -> None:
    variables["llmfleet_models"][0]["adapters"] = [ADAPTER]
    before = _root(variables, fleet_of)
    variables["llmfleet_models"][0]["adapters"] = [{**ADAPTER, "name": "css", "revision": "b" * 40}]
    assert _root(variables, fleet_of) == before


def test_a_wider_pool_of_the_same_gpu_keeps_it(variables: Any, fleet_of: Any) -> None:
    before = _root(variables, fleet_of)
    pool = variables["llmfleet_gpu_pools"][0]
    del pool["instance_families"]
    pool["instance_types"] = ["g6.xlarge", "g6.2xlarge"]
    assert _root(variables, fleet_of) == before
    pool["instance_types"] = ["g5.xlarge"]
    assert _root(variables, fleet_of) != before


def _start(root: Path) -> tuple[str, str]:
    """VLLM_CACHE_ROOT as the engine sees it, and what was said."""
    command = ["sh", "-c", OR_INSTEAD, "sh", "printenv", "VLLM_CACHE_ROOT"]
    run = subprocess.run(command, env={**os.environ, "VLLM_CACHE_ROOT": str(root)}, capture_output=True, text=True)
    assert run.returncode == 0
    return run.stdout.strip(), run.stderr


def test_an_engine_uses_the_folder_and_makes_it(tmp_path: Path) -> None:
    root = tmp_path / "v1" / "l4" / "x"
    for _time in range(2):
        assert _start(root) == (str(root), "")
    assert (root / ".used").exists()


def test_an_engine_starts_without_the_folder(tmp_path: Path) -> None:
    # A file in the way: root, who runs tests, may write everywhere else.
    (tmp_path / "v1").write_text("", encoding="utf-8")
    seen, said = _start(tmp_path / "v1" / "l4")
    assert seen == INSTEAD and "cannot be written: compiling for this start only" in said
    (tmp_path / "v2" / ".used").mkdir(parents=True)
    (tmp_path / "v2" / ".used").rmdir()
    (tmp_path / "v2" / ".used").symlink_to("/proc/none/none")
    assert _start(tmp_path / "v2")[0] == INSTEAD


def test_arguments_reach_the_engine_as_they_are() -> None:
    args = ["a b", '{"concurrency":16}', "$HOME", "*", ""]
    run = subprocess.run(
        ["sh", "-c", OR_INSTEAD, "sh", "printf", "%s\\n", *args],
        env={"PATH": os.environ["PATH"], "VLLM_CACHE_ROOT": "/proc/none"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split("\n")[:-1] == args


def test_the_job_makes_the_folder_and_never_fails_at_it(tmp_path: Path) -> None:
    def run(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["sh", "-c", MAKE_CACHE, "sh", str(path)], capture_output=True, text=True)

    for _time in range(2):
        done = run(tmp_path / ".cache" / "qwen")
        assert (done.returncode, done.stderr) == (0, "") and (tmp_path / ".cache" / "qwen").is_dir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    failed = run(tmp_path / "file" / "qwen")
    assert failed.returncode == 0 and "engines compile at every start" in failed.stderr
