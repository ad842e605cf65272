# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of what the lab runs. Go modules are pinned beside their go.sum; a test holds the two equal."""

from __future__ import annotations

KUBERNETES = "1.36.3"
CONTAINERD = "2.3.7"
COREDNS = "1.14.7"
HELM = "4.3.1"
ENVOY_GATEWAY = "1.9.1"
ENVOY = "1.40.0"
VERSITYGW = "1.8.0"
VLLM = "0.32.0"
INFERENCE_EXTENSION = "1.5.0"
LEADER_WORKER_SET = "0.8.0"

# Whose definitions the lab can serve, without their controllers.
EXTERNAL_SECRETS = "1.3.2"
KARPENTER = "1.14.1"
KEDA = "2.21.0"
PROMETHEUS_OPERATOR = "0.85.0"
