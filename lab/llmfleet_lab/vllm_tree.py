# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vLLM's CPU build as a folder: installed by hash, cut down to what a CPU loads, and compiled to bytecode."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from llmfleet_lab.errors import LabError, tail
from llmfleet_lab.nvidia_runtime import MOUNT
from llmfleet_lab.recipes import PythonTree

# PyPI's torch is the CUDA build: without these, which its own libraries name, it does not load. All other CUDA
# libraries are opened when a GPU is used, which the lab has not.
CUDA_LIBRARIES = frozenset(
    (
        *("libcublas", "libcublasLt", "libcudart", "libcudnn", "libcufft", "libcufile", "libcupti", "libcurand"),
        *("libcusolver", "libcusparse", "libcusparseLt", "libnccl", "libnvJitLink", "libnvrtc", "libnvrtc-builtins"),
        "libnvshmem_host",
    )
)
# Headers, static libraries and offload runtimes: for building on torch and for Intel's GPUs.
NOT_LOADED = (
    *("torch/include", "torch/bin/protoc*", "nvidia/nvshmem/lib/*.bc", "nvidia/*/include", "nvidia/cu13/bin"),
    *("lib/*.a", "lib/*.dbg", "lib/libomptarget*", "lib/libpi_*", "lib/libsycl*", "lib/libur_*"),
)
# Sees, in the container's own Python, that nothing is missing after the cut.
CHECK = "import torch, vllm.entrypoints.openai.api_server; import vllm._C"
# $1: root folder, $2: tree. In a mount namespace of its own, so that no mount outlives it. Bytecode is taken without
# looking at the source's time: the tree is read-only in containers and may be restored from an archive.
_COMPILE_AND_CHECK = f"""
mount --bind "$2" "$1/mnt"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
chroot "$1" python3 -m compileall -q -j 2 -s /mnt -p {MOUNT} --invalidation-mode unchecked-hash /mnt ||
  echo 'some files are not for this Python and stay source'
exec chroot "$1" env HOME=/tmp PYTHONPATH=/mnt PYTHONDONTWRITEBYTECODE=1 python3 -c '{CHECK}'
"""


def cut(tree: Path) -> None:
    """Remove from an installed tree what a CPU never loads (about a fifth of it)."""
    for pattern in NOT_LOADED:
        for path in list(tree.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    for library in list(tree.glob("nvidia/**/*.so*")):
        stem = library.name.partition(".so")[0]
        # libnvrtc.alt.so.13 and the like are other builds of one that stays.
        if stem not in CUDA_LIBRARIES:
            library.unlink()


@dataclass(frozen=True)
class VllmTree:
    """The tree that the runtime handler ``nvidia`` mounts. ``base`` names the part with the container's Python."""

    requirements: Path
    base: str = "debian"

    def fingerprint(self) -> dict[str, str]:
        """The lock file, what is cut, and how it is compiled."""
        own = repr((sorted(CUDA_LIBRARIES), NOT_LOADED, _COMPILE_AND_CHECK))
        return {**PythonTree(self.requirements).fingerprint(), "cut": own}

    def build(self, inputs: dict[str, Path], out: Path, log: Path) -> None:
        """Install, cut, compile with the base's Python and import it there. LabError when vLLM does not load."""
        PythonTree(self.requirements).build({}, out, log)
        cut(out)
        root = out.with_name(out.name + ".root")
        try:
            with tarfile.open(inputs[self.base] / "layer.tar") as layer:
                layer.extractall(root, filter="tar")
            for name in ("mnt", "dev", "proc", "tmp"):
                (root / name).mkdir(exist_ok=True)
            _in_container(root, out, log)
        finally:
            shutil.rmtree(root, ignore_errors=True)


def _in_container(root: Path, tree: Path, log: Path) -> None:
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-eu", "-c", _COMPILE_AND_CHECK, "sh"]
    with log.open("ab") as sink:
        done = subprocess.run(
            [*command, str(root), str(tree)], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd="/"
        )
    if done.returncode:
        raise LabError(
            f"the vLLM tree cannot be used: a check in its container ended with {done.returncode}\n{tail(log)}"
        )
