# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions of kinds whose controllers the lab does not run: enough for its API server to check objects of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from llmfleet_lab.golang import MODULES
from llmfleet_lab.kubernetes import Kubectl
from llmfleet_lab.module_files import Files, ModuleFiles

PART = "definitions"

DEFINITIONS = ModuleFiles(
    MODULES / "definitions",
    {
        "external-secrets": Files(
            "github.com/external-secrets/external-secrets",
            "config/crds/bases",
            tuple(
                f"external-secrets.io_{kind}.yaml"
                for kind in ("externalsecrets", "secretstores", "clustersecretstores")
            ),
        ),
        "inference-extension": Files("sigs.k8s.io/gateway-api-inference-extension", "config/crd/bases"),
        "karpenter": Files("github.com/aws/karpenter-provider-aws", "pkg/apis/crds", ("karpenter.*.yaml",)),
        "keda": Files("github.com/kedacore/keda/v2", "config/crd/bases", ("keda.sh_*.yaml",)),
        "leader-worker-set": Files("sigs.k8s.io/lws", "config/crd/bases"),
        # The kinds of scrapes and rules only: the others are large, and nothing here makes objects of them.
        "prometheus-operator": Files(
            "github.com/prometheus-operator/prometheus-operator",
            "example/prometheus-operator-crd",
            tuple(
                f"monitoring.coreos.com_{kind}.yaml" for kind in ("podmonitors", "servicemonitors", "prometheusrules")
            ),
        ),
    },
)


def definitions(folder: Path) -> list[dict[str, Any]]:
    """The definitions of the built part in ``folder``."""
    documents = (
        document
        for file in sorted(folder.rglob("*.yaml"))
        for document in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader)
    )
    return [document for document in documents if document and document["kind"] == "CustomResourceDefinition"]


def load(kubectl: Kubectl, folder: Path) -> tuple[list[str], list[str]]:
    """Apply the definitions that the cluster does not have and wait until they are served; names: new, left as found.

    What is there stays as it is: it came with a chart or from the folder of extra definitions.
    """
    present = set(kubectl.run("get", "customresourcedefinitions", "-o", "name").split())
    names = {definition["metadata"]["name"]: definition for definition in definitions(folder)}
    found = sorted(name for name in names if f"customresourcedefinition.apiextensions.k8s.io/{name}" in present)
    new = sorted(set(names) - set(found))
    if new:
        kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": [names[name] for name in new]}))
        crds = [f"customresourcedefinition/{name}" for name in new]
        kubectl.run("wait", "--for=condition=Established", "--timeout=60s", *crds)
    return new, found
