# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPU instance types of EC2, and what EKS leaves of them for pods.

Sizes are those of https://aws.amazon.com/ec2/instance-types/ (accelerated computing); pods: the most that the VPC CNI
gives addresses to: interfaces of the default network card x (addresses of an interface - 1) + 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

GIB = 1024 * 1024 * 1024
MIB = 1024 * 1024
# GiB of a GPU that a process can see, in tenths, rounded down: its error correction keeps a part of the nominal memory.
# From the "total capacity" that PyTorch names when it runs out of memory on these.
_GPU_VISIBLE = {"a10g": 220, "l4": 220, "l40s": 443, "a100": 393, "h100": 791}
# Karpenter's VM_MEMORY_OVERHEAD_PERCENT: what the hypervisor keeps of the nominal memory, by its default.
VM_OVERHEAD = Fraction(75, 1000)


@dataclass(frozen=True)
class InstanceType:
    """One type. memory_gib: nominal. gpu_memory_gib: of one GPU, nominal."""

    name: str
    vcpus: int
    memory_gib: int
    gpus: int
    gpu_name: str
    gpu_memory_gib: int
    pods: int

    @property
    def family(self) -> str:
        """The part before the dot."""
        return self.name.split(".")[0]

    @property
    def gpu_visible(self) -> int:
        """Bytes of one GPU that a process can see; nine tenths of the nominal memory where it was not looked up."""
        return _GPU_VISIBLE.get(self.gpu_name, 9 * self.gpu_memory_gib) * GIB // 10

    @property
    def allocatable(self) -> dict[str, Decimal]:
        """What pods can request: cpu in cores, memory in bytes.

        Reservations of EKS' node bootstrap (https://github.com/awslabs/amazon-eks-ami and
        https://karpenter.sh/docs/concepts/nodeclasses/#speckubelet): CPU 6 % of the first core, 1 % of the second,
        0.5 % of the third and fourth, 0.25 % of those above; memory 255 MiB and 11 MiB a pod; 100 MiB of hard
        eviction; before that the hypervisor's share.
        """
        millis = 60 + 10 * min(1, max(0, self.vcpus - 1)) + 5 * min(2, max(0, self.vcpus - 2))
        reserved_cpu = Decimal(millis) + Decimal("2.5") * max(0, self.vcpus - 4)
        memory = int(self.memory_gib * GIB * (1 - VM_OVERHEAD)) - (255 + 11 * self.pods + 100) * MIB
        return {"cpu": Decimal(self.vcpus) - reserved_cpu / 1000, "memory": Decimal(memory)}


def _types(family: str, gpu: str, gpu_memory: int, *rows: tuple[str, int, int, int, int]) -> list[InstanceType]:
    return [
        InstanceType(f"{family}.{size}", vcpus, memory, gpus, gpu, gpu_memory, pods)
        for size, vcpus, memory, gpus, pods in rows
    ]


_ALL = [
    *_types(
        "g5",
        "a10g",
        24,
        ("xlarge", 4, 16, 1, 58),
        ("2xlarge", 8, 32, 1, 58),
        ("4xlarge", 16, 64, 1, 234),
        ("8xlarge", 32, 128, 1, 234),
        ("16xlarge", 64, 256, 1, 234),
        ("12xlarge", 48, 192, 4, 737),
        ("24xlarge", 96, 384, 4, 737),
        ("48xlarge", 192, 768, 8, 345),
    ),
    *_types(
        "g6",
        "l4",
        24,
        ("xlarge", 4, 16, 1, 58),
        ("2xlarge", 8, 32, 1, 58),
        ("4xlarge", 16, 64, 1, 234),
        ("8xlarge", 32, 128, 1, 234),
        ("16xlarge", 64, 256, 1, 737),
        ("12xlarge", 48, 192, 4, 234),
        ("24xlarge", 96, 384, 4, 737),
        ("48xlarge", 192, 768, 8, 737),
    ),
    *_types(
        "g6e",
        "l40s",
        48,
        ("xlarge", 4, 32, 1, 58),
        ("2xlarge", 8, 64, 1, 58),
        ("4xlarge", 16, 128, 1, 234),
        ("8xlarge", 32, 256, 1, 234),
        ("16xlarge", 64, 512, 1, 737),
        ("12xlarge", 48, 384, 4, 292),
        ("24xlarge", 96, 768, 4, 492),
        ("48xlarge", 192, 1536, 8, 492),
    ),
    *_types("p4d", "a100", 40, ("24xlarge", 96, 1152, 8, 737)),
    *_types("p5", "h100", 80, ("4xlarge", 16, 256, 1, 118), ("48xlarge", 192, 2048, 8, 100)),
]
INSTANCE_TYPES = {item.name: item for item in _ALL}
FAMILIES = tuple(dict.fromkeys(item.family for item in _ALL))
