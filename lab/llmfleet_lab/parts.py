# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything the lab is made of, in the order in which the main job needs it."""

from __future__ import annotations

from pathlib import Path

from llmfleet_lab import definitions, go_parts, tinymodel, versions
from llmfleet_lab.archive import Image
from llmfleet_lab.build import Part
from llmfleet_lab.golang import GoPrograms
from llmfleet_lab.paths import LAB_SOURCE
from llmfleet_lab.recipes import Chart, DebianBase, Generated, ImageRecipe, PythonTree
from llmfleet_lab.tinymodel import lay_out_hub
from llmfleet_lab.vllm_tree import VllmTree

# Which programs of which part are on the lab's PATH.
PROGRAMS = {
    "kubernetes": tuple(go_parts.KUBERNETES_PROGRAMS.programs),
    "containerd": tuple(go_parts.CONTAINERD_PROGRAMS.programs),
    "helm": ("helm",),
    "versitygw": ("versitygw",),
    "csi": ("csi",),
}

GATEWAY_IMAGE = f"docker.io/envoyproxy/gateway:v{versions.ENVOY_GATEWAY}"

# Image parts and the names they are imported under.
IMAGES = {
    "image-pause": ("lab.local/pause:1",),
    "image-coredns": (f"registry.k8s.io/coredns/coredns:v{versions.COREDNS}",),
    "image-envoy-gateway": (GATEWAY_IMAGE,),
    "image-body-router": (f"registry.k8s.io/gateway-api-inference-extension/bbr:v{versions.INFERENCE_EXTENSION}",),
    "image-endpoint-picker": (f"registry.k8s.io/gateway-api-inference-extension/epp:v{versions.INFERENCE_EXTENSION}",),
    "image-envoy": (f"docker.io/envoyproxy/envoy:distroless-v{versions.ENVOY}",),
    "image-vllm": (f"docker.io/vllm/vllm-openai:v{versions.VLLM}",),
    "image-fetcher": ("public.ecr.aws/lambda/python:3.13",),
}

# The same of parts that the lab starts without.
EXTRA_IMAGES = {"image-leader-worker-set": (f"registry.k8s.io/lws/lws:v{versions.LEADER_WORKER_SET}",)}


def own_program(name: str) -> GoPrograms:
    """A Go program of the lab itself, lab/<name>."""
    return GoPrograms(module=LAB_SOURCE / name, programs={name: f"llmfleet.dev/lab/{name}"}, own_source=True)


def all_parts() -> dict[str, Part]:
    """All parts by name."""
    parts = [
        Part("debian", DebianBase()),
        Part("vllm", VllmTree(LAB_SOURCE / "vllm/requirements.txt"), ("debian",)),
        Part("kubernetes", go_parts.KUBERNETES_PROGRAMS),
        Part("containerd", go_parts.CONTAINERD_PROGRAMS),
        Part("versitygw", go_parts.VERSITYGW_PROGRAM),
        Part("csi", own_program("csi")),
        Part("pause", own_program("pause")),
        Part("coredns", go_parts.COREDNS_PROGRAM),
        Part("helm", go_parts.HELM_PROGRAM),
        Part("envoy-gateway", go_parts.ENVOY_GATEWAY_PROGRAM),
        Part("inference-extension", go_parts.INFERENCE_EXTENSION_PROGRAMS),
        Part("envoy", PythonTree(LAB_SOURCE / "envoy/requirements.txt")),
        Part("fetcher", PythonTree(LAB_SOURCE / "fetcher/requirements.txt")),
        Part("hub-repositories", Generated(lay_out_hub, (Path(tinymodel.__file__),))),
        Part(
            "chart-envoy-gateway",
            Chart(
                part="envoy-gateway",
                folder="charts/gateway-helm",
                version=versions.ENVOY_GATEWAY,
                values={"GatewayImage": GATEWAY_IMAGE, "GatewayImagePullPolicy": "IfNotPresent"},
            ),
            ("envoy-gateway",),
        ),
        *_image_parts(),
        Part("leader-worker-set", go_parts.LEADER_WORKER_SET_PROGRAM, on_demand=True),
        Part(definitions.PART, definitions.DEFINITIONS, on_demand=True),
    ]
    return {part.name: part for part in parts}


def _image_parts() -> list[Part]:
    def part(name: str, files: dict[str, str], entrypoint: tuple[str, ...], base: str = "", user: str = "") -> Part:
        names = IMAGES.get(name) or EXTRA_IMAGES[name]
        image = Image(names[0], entrypoint, user=user)
        needs = {source.partition(":")[0] for source in files.values()} | ({base} if base else set())
        return Part(name, ImageRecipe(image, files, base), tuple(sorted(needs)), on_demand=name in EXTRA_IMAGES)

    envoy = {"/usr/local/bin/envoy": "envoy:envoy/_bin/envoy"}
    return [
        part("image-pause", {"/pause": "pause:pause"}, ("/pause",), user="65535:65535"),
        part("image-coredns", {"/coredns": "coredns:coredns"}, ("/coredns",)),
        part(
            "image-envoy-gateway",
            {"/usr/local/bin/envoy-gateway": "envoy-gateway:envoy-gateway"},
            ("/usr/local/bin/envoy-gateway",),
            user="65532:65532",
        ),
        part("image-body-router", {"/bbr": "inference-extension:bbr"}, ("/bbr",), user="65532:65532"),
        part("image-endpoint-picker", {"/epp": "inference-extension:epp"}, ("/epp",), user="65532:65532"),
        part("image-envoy", envoy, ("/usr/local/bin/envoy",), base="debian", user="65532:65532"),
        part("image-vllm", {}, ("python3", "-m", "vllm.entrypoints.openai.api_server"), base="debian"),
        part("image-fetcher", {"/var/runtime": "fetcher:."}, ("python3",), base="debian"),
        part(
            "image-leader-worker-set",
            {"/manager": "leader-worker-set:manager"},
            ("/manager",),
            user="65532:65532",
        ),
    ]
