# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of destroy's plan: everything in AWS by name, counts by layer, what is kept and why."""

from __future__ import annotations

from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.unit.playbooks.conftest import ROOT

CLUSTER = {"name": "prod", "account": "123456789012", "region": "eu-west-3"}
BUCKET = "eu-west-3-123456789012-prod-weights"


def lines(
    plan: list[dict[str, Any]], resources: list[dict[str, Any]], kept: list[dict[str, Any]], name: str = "plan"
) -> list[str]:
    """Render the template as the task does."""
    variables = {
        "llmfleet_cluster": CLUSTER,
        **dict.fromkeys(("teardown_plan", "teardown_left"), {"plan": plan}),
        **dict.fromkeys(("teardown_resources", "teardown_left_resources"), {"resources": resources, "kept": kept}),
    }
    text = (ROOT / f"roles/teardown/templates/{name}.txt.j2").read_text()
    return str(Templar(loader=DataLoader(), variables=variables).template(trust_as_template(text))).splitlines()


def thing(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "namespace": "", "name": name, "deleting": False, **more}


def resource(kind: str, identifier: str, name: str, layer: str = "storage") -> dict[str, Any]:
    return {"kind": kind, "identifier": identifier, "name": name, "status": "", "parent": "", "layer": layer}


def test_everything_is_counted_and_everything_in_aws_is_named() -> None:
    models = {
        "layer": "models",
        "releases": [],
        "stages": [
            {"stage": "workloads", "objects": [thing("Deployment", "a"), thing("Service", "a")]},
            {"stage": "settings", "objects": [thing("ConfigMap", "a")]},
        ],
    }
    gateway = {"layer": "gateway", "releases": [{"name": "eg", "namespace": "n"}], "stages": []}
    resources = [
        resource("access_point", "fsap-1", "prod-weights"),
        resource("mount_target", "fsmt-1", "fsmt-1 in subnet-1"),
        resource("mount_target", "fsmt-2", "fsmt-2 in subnet-2"),
        resource("file_system", "fs-1", "prod-weights"),
        resource("iam_role", "prod-fs", "prod-fs"),
        resource("security_group", "sg-1", "old", layer=""),
    ]
    assert lines([models, gateway], resources, [{"name": BUCKET, "unreadable": ""}]) == [
        "to be removed from prod (account 123456789012, eu-west-3), in this order:",
        "  models: 3 objects",
        "  gateway: 0 objects, 1 Helm release (eg)",
        "  AWS, layer unknown: 1 resource",
        "    1 security_group: old (sg-1)",
        "  AWS, layer storage: 5 resources",
        "    1 access_point: prod-weights (fsap-1)",
        "    2 mount_target: fsmt-1 in subnet-1, fsmt-2 in subnet-2",
        "    1 file_system: prod-weights (fs-1)",
        "    1 iam_role: prod-fs",
        f"kept: bucket {BUCKET} with the weights: they took long to fetch, and the next site.yml finds them again",
        "  to delete it: empty it with all versions (S3 console: Empty), then: aws s3api delete-bucket "
        f"--region eu-west-3 --bucket {BUCKET}",
    ]


def test_nothing_is_left_but_the_bucket() -> None:
    told = lines([], [], [{"name": BUCKET, "unreadable": ""}])
    assert told[0] == "nothing of the platform is left in prod" and told[1].startswith(f"kept: bucket {BUCKET} ")
    assert lines([], [], []) == ["nothing of the platform is left in prod"]
    assert lines([], [], [{"name": BUCKET, "unreadable": "not allowed"}])[1:] == [
        f"kept, if it is there: bucket {BUCKET}: not allowed"
    ]


def test_what_holds_things_of_others_is_named_as_kept() -> None:
    others = [f"Deployment d{number}" for number in range(7)]
    objects = [
        thing("Namespace", "llm", foreign=others),
        thing("Namespace", "going", foreign=others, deleting=True),
        thing("Namespace", "free", foreign=[]),
    ]
    step = {"layer": "models", "releases": [], "stages": [{"stage": "namespaces", "objects": objects}]}
    assert lines([step], [], [])[1:] == [
        "  models: 3 objects",
        "kept while it holds what is not of the platform: Namespace llm with Deployment d0, Deployment d1, "
        "Deployment d2, Deployment d3, Deployment d4 and 2 more",
    ]


def test_what_is_left_is_told_by_name() -> None:
    objects = [thing("Namespace", "llm", foreign=["Deployment d"]), thing("Job", "j", namespace="llm")]
    step = {
        "layer": "models",
        "releases": [{"name": "eg", "namespace": "n"}],
        "stages": [{"stage": "namespaces", "objects": objects}],
    }
    assert lines([step], [resource("security_group", "sg-1", "old")], [], "left") == [
        "left of the platform in prod:",
        "Namespace llm, which holds what is not of the platform: Deployment d",
        "Job llm/j",
        "Helm release n/eg",
        "AWS security_group old (sg-1)",
        "Run destroy.yml again when what holds them is gone: it takes up what is left",
    ]
