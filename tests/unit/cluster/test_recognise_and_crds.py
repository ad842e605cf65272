# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which API server is which, and what of a chart's printed CRDs is applied."""

from __future__ import annotations

import pytest
from ansible_collections.llmfleet.eks.plugins.action.chart_crds import definitions
from ansible_collections.llmfleet.eks.plugins.action.recognise import same_server


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://ABC.eks.amazonaws.com", "https://abc.eks.amazonaws.com:443/", True),
        ("https://10.245.0.1:6443", "https://10.245.0.1:6443", True),
        ("https://10.245.0.1:6443", "https://10.245.0.1", False),
        ("https://one.eks.amazonaws.com", "https://two.eks.amazonaws.com", False),
    ],
)
def test_same_server(one: str, other: str, same: bool) -> None:
    assert same_server(one, other) is same


def test_only_definitions_are_taken() -> None:
    text = """
# a comment, as charts have them before the first document
---
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
---
---
kind: ConfigMap
metadata: {name: notes}
"""
    assert [item["metadata"]["name"] for item in definitions(text)] == ["widgets.example.com"]
