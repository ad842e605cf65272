# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bytes in a bucket are, and what a month of them costs."""

from __future__ import annotations

from dataclasses import dataclass

# USD for a GB (of 2^30 bytes) and month of S3 Standard, the first 50 TB. Regions that are not here have no figure.
_PRICES = {
    "us-east-1": 0.023,
    "eu-west-1": 0.023,
    "eu-west-3": 0.024,
    "eu-central-1": 0.0245,
    "ap-southeast-1": 0.025,
}
_AS_OF = "2025-10"
_SOURCE = "https://aws.amazon.com/s3/pricing/"
_GB = 1024**3


@dataclass(frozen=True)
class Price:
    """USD for a GB and month, and where the figure comes from."""

    usd: float
    source: str

    def of(self, count: int) -> str:
        """What so many bytes cost a month, for people."""
        cost = count / _GB * self.usd
        return f"{cost:,.2f} USD a month" if cost >= 0.005 or not count else "less than 0.01 USD a month"


def size_text(count: int) -> str:
    """So many bytes, for people."""
    for unit, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} B"


def storage_price(region: str, own: float | None = None) -> Price | None:
    """The price in a region, None where none is known. own: that of the user, for another contract or region."""
    if own is not None:
        return Price(own, f"weights_storage_price: {own} USD a GB and month")
    if region not in _PRICES:
        return None
    usd = _PRICES[region]
    return Price(usd, f"S3 Standard in {region}: {usd} USD a GB and month, list price as of {_AS_OF}, {_SOURCE}")
