# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes quantities."""

from __future__ import annotations

import re
from decimal import Decimal

_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([eE][+-]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?")
_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_FACTORS = {
    **{suffix: Decimal(10) ** power for suffix, power in _POWERS.items()},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
MIB = 1024 * 1024


def parse(text: str) -> Decimal:
    """Return a quantity as a number of its base unit (cores, bytes). Raises ValueError when it is none."""
    match = _FORM.fullmatch(text)
    if not match:
        raise ValueError(f"not a quantity: {text!r}")
    number, suffix = match.groups()
    if suffix is None:
        return Decimal(number)
    return Decimal(number) * _FACTORS[suffix] if suffix in _FACTORS else Decimal(number + suffix)


def memory(count: int) -> str:
    """Write a number of bytes in the largest binary unit that keeps at least MiB precision."""
    mib = max(1, count // MIB)
    return f"{mib // 1024}Gi" if mib % 1024 == 0 else f"{mib}Mi"


def cpu(millicores: int) -> str:
    """Write a number of thousandths of a core."""
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"
