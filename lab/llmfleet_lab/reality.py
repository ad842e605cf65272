# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table that says, part by part, what of the lab is real, what is emulated and what is a stand-in."""

from __future__ import annotations

from dataclasses import dataclass

from llmfleet_lab import versions


@dataclass(frozen=True)
class Entry:
    """``kind``: real (upstream's own program), emulated (the API's shapes and rules, not the service) or stand-in."""

    part: str
    kind: str
    what: str


TABLE = (
    Entry("API server, etcd, controllers, scheduler", "real", f"Kubernetes {versions.KUBERNETES}, etcd without fsync"),
    Entry("kubelet, kube-proxy", "real", f"Kubernetes {versions.KUBERNETES}, one node on a bridge of the lab"),
    Entry("containerd, runc", "real", f"containerd {versions.CONTAINERD}, Debian's runc and ptp CNI plugin"),
    Entry("network policies", "stand-in", "accepted by the API server; the ptp plugin enforces none of them"),
    Entry("CoreDNS", "real", versions.COREDNS),
    Entry("Helm", "real", versions.HELM),
    Entry("Envoy Gateway and its chart", "real", versions.ENVOY_GATEWAY),
    Entry("Envoy", "real", f"{versions.ENVOY}, in an image made here under the upstream's name"),
    Entry(
        "body-based router, endpoint picker",
        "real",
        f"{versions.INFERENCE_EXTENSION} of the Gateway API inference extension, with its kinds",
    ),
    Entry(
        "LeaderWorkerSet", "real", f"{versions.LEADER_WORKER_SET}, its controller and chart; added by the command lws"
    ),
    Entry(
        "kinds of KEDA, Karpenter, LeaderWorkerSet, prometheus-operator, External Secrets",
        "stand-in",
        "definitions only, added by the command crds: the API server checks objects of them, no controller acts",
    ),
    Entry("vLLM", "real", f"{versions.VLLM}, its CPU build; injected into a small image by the runtime handler nvidia"),
    Entry(
        "stand-in engine",
        "stand-in",
        "echoes prompts; only for a model whose engine.env asks for it, in tests of the rest",
    ),
    Entry("nvidia runtime handler", "stand-in", "mounts the vLLM tree where the real one mounts the driver"),
    Entry("GPUs", "stand-in", "nvidia.com/gpu counted by the kubelet as an extended resource; the work runs on CPU"),
    Entry("container images", "stand-in", "made on this machine under the upstream's names: no registry is asked"),
    Entry("S3", "real", f"versitygw {versions.VERSITYGW}, an S3 server over a folder"),
    Entry("bucket settings versitygw lacks", "emulated", "public access block, encryption, lifecycle: moto"),
    Entry("IAM, STS, EC2, EKS, Secrets Manager", "emulated", "moto; the EKS cluster it describes is the lab's own"),
    Entry(
        "S3 Files, EKS pod identity associations, EKS add-ons",
        "emulated",
        "the lab's own backends, on botocore's service model",
    ),
    Entry("pod identity webhook and agent", "emulated", "TokenReview, and keys from the emulated STS"),
    Entry("AWS DNS names", "stand-in", "pods are given AWS_ENDPOINT_URL by the webhook"),
    Entry("EFS CSI driver", "stand-in", "a CSI node plugin named efs.csi.aws.com that bind-mounts the bucket's folder"),
    Entry("Hugging Face Hub", "stand-in", "a server that speaks its API over repositories made at set-up"),
    Entry("the model", "stand-in", "a Llama of random weights, under 2 MB: real format, no sense"),
)


def as_text() -> str:
    """The table as aligned text."""
    width = max(len(entry.part) for entry in TABLE)
    return "\n".join(f"{entry.part:<{width}}  {entry.kind:<8}  {entry.what}" for entry in TABLE)


def as_markdown() -> str:
    """The table as Markdown, as lab/README.md has it."""
    rows = [f"| {entry.part} | {entry.kind} | {entry.what} |" for entry in TABLE]
    return "\n".join(["| part | | what it is |", "| --- | --- | --- |", *rows])
