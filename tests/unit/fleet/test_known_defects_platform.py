# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defects of hand-made setups that what is rendered must not have: nodes, gateway, watching, names, versions."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import versions as card
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired

from tests.unit.fleet.reference import (
    NAMES,
    Object,
    Variables,
    containers,
    description,
    engine,
    engines,
    entries,
    manifests,
    pod_of,
)

# A version, or a digest.
PINNED = re.compile(r".+(:[a-z-]*v?\d+\.\d+[\w.-]*|@sha256:[0-9a-f]{64})")


@pytest.fixture
def fleet() -> Variables:
    """The reference fleet, to be changed."""
    return description()


def _one(fleet: Variables, kind: str, name: str | None = None) -> Object:
    (found,) = [item for item in manifests(fleet, kind) if name in (None, item["metadata"]["name"])]
    return found


# Nodes


def test_nodes_do_not_drift_by_themselves(fleet: Variables, errors: Any) -> None:
    assert len(manifests(fleet, "NodePool")) == 2
    for pool in manifests(fleet, "NodePool"):
        assert pool["spec"]["template"]["spec"]["expireAfter"] == "Never"
        assert pool["spec"]["disruption"]["consolidationPolicy"] == "WhenEmpty"
    for item in manifests(fleet, "EC2NodeClass"):
        assert "latest" not in json.dumps(item["spec"]["amiSelectorTerms"])
    pool = fleet["llmfleet_gpu_pools"][0]
    pool["ami"] = {"ssm_parameter": pool["ami"]["ssm_parameter"].replace("1.50.0", "latest")}
    (line,) = errors(fleet)
    assert "not pinned" in line


def test_a_warm_pod_with_little_traffic_stays(fleet: Variables) -> None:
    for item in engines(fleet):
        assert item["spec"]["template"]["metadata"]["annotations"] == {"karpenter.sh/do-not-disrupt": "true"}


def test_a_second_pool_is_an_entry_of_the_list(fleet: Variables) -> None:
    assert "scheduling" not in _one(fleet, "RuntimeClass")
    pools = {item["metadata"]["name"]: pod_of(item)["nodeSelector"] for item in engines(fleet)}
    assert pools == {
        name: {"karpenter.sh/nodepool": "l4-large" if name in ("qwen-coder", "qwen3-8b") else "l4"} for name in NAMES
    }


# Gateway


def test_nothing_behind_the_gateway_is_answered_without_a_key(fleet: Variables) -> None:
    policies = [item["spec"] for item in manifests(fleet, "SecurityPolicy")]
    # Of the gateway, not of routes: what lists models, and a path that nobody thought of, too.
    targets = [target for policy in policies for target in policy["targetRefs"]]
    listeners = [listener["name"] for listener in _one(fleet, "Gateway")["spec"]["listeners"]]
    assert {target["kind"] for target in targets} == {"Gateway"}
    assert [target["sectionName"] for target in targets] == listeners
    assert all(policy["apiKeyAuth"]["sanitize"] is True for policy in policies)


def test_every_rule_of_a_route_has_its_timeout(fleet: Variables) -> None:
    fleet["llmfleet_models"][0]["gateway"] = {"timeout": "20m"}
    rules = [
        (route["metadata"]["name"], rule)
        for route in manifests(fleet, "HTTPRoute")
        for rule in route["spec"]["rules"]
        if "backendRefs" in rule
    ]
    assert len(rules) == 7
    # The first hop is that of all models.
    assert rules.pop(0)[1]["timeouts"] == {"request": "20m"}
    for name, rule in rules:
        assert rule["timeouts"] == {"request": "20m" if name == "qwen-coder" else "600s"}
        # Whoever ends waits as long: the engine, its pod, and the proxy.
        args = engine(fleet, name)["args"]
        seconds = duration.seconds(rule["timeouts"]["request"])
        assert int(args[args.index("--shutdown-timeout") + 1]) == seconds
        (deployment,) = manifests(fleet, "Deployment", name)
        assert pod_of(deployment)["terminationGracePeriodSeconds"] > seconds
        assert duration.seconds(_one(fleet, "EnvoyProxy")["spec"]["shutdown"]["drainTimeout"]) >= seconds


def test_the_proxy_is_there_more_than_once(fleet: Variables) -> None:
    kubernetes = _one(fleet, "EnvoyProxy")["spec"]["provider"]["kubernetes"]
    assert kubernetes["envoyDeployment"]["replicas"] == 2 and kubernetes["envoyPDB"] == {"maxUnavailable": 1}


def test_routes_are_accepted_and_requests_arrive(fleet: Variables) -> None:
    fleet |= {"llmfleet_models_namespace": "models", "llmfleet_gateway_namespace": "front"}
    gateway = _one(fleet, "Gateway")
    clients, models = gateway["spec"]["listeners"]
    (allowed,) = models["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert clients["allowedRoutes"]["namespaces"] == {"from": "Same"}
    for route in manifests(fleet, "HTTPRoute"):
        (parent,) = route["spec"]["parentRefs"]
        assert (parent["name"], parent["namespace"]) == (gateway["metadata"]["name"], "front")
        accepted = {"http": ["front"], "models": allowed["values"]}[parent["sectionName"]]
        assert route["metadata"]["namespace"] in accepted
    (rule,) = _one(fleet, "NetworkPolicy", "allow-gateway-to-models")["spec"]["ingress"]
    assert rule["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "front"}
    egress = {
        each["ports"][0]["port"]: each["to"][0]
        for each in _one(fleet, "NetworkPolicy", "allow-envoy")["spec"]["egress"]
    }
    assert egress[8000]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "models"}
    for item in manifests(fleet, "Service"):
        where = {"models": {rule["ports"][0]["port"], 8000}, "front": {9004}}[item["metadata"]["namespace"]]
        assert {port["port"] for port in item["spec"]["ports"]} == where and where <= set(egress)


def test_a_peer_of_another_namespace_names_it(fleet: Variables) -> None:
    # Pods of these names run in the policy's own namespace.
    at_home = (
        {"control-plane": "envoy-gateway"},
        {"app.kubernetes.io/managed-by": "envoy-gateway"},
        {"app.kubernetes.io/name": "body-router"},
    )
    for policy in manifests(fleet, "NetworkPolicy"):
        rules = (*policy["spec"].get("ingress", []), *policy["spec"].get("egress", []))
        for peer in (peer for rule in rules for peer in (*rule.get("from", []), *rule.get("to", []))):
            labels = peer.get("podSelector", {}).get("matchLabels", {})
            home = any(each.items() <= labels.items() for each in at_home)
            assert "namespaceSelector" in peer or "ipBlock" in peer or home, policy["metadata"]["name"]


# Watching


def test_a_slow_start_is_seen_on_pods_that_do_not_answer_yet(fleet: Variables) -> None:
    for rules in (item["spec"]["groups"][0]["rules"] for item in manifests(fleet, "VMRule")):
        (expr,) = [rule["expr"] for rule in rules if rule["alert"] == "LLMFleetColdStartOverBudget"]
        assert "kube_pod_status_ready" in expr and "vllm:" not in expr


def test_clients_that_go_away_are_no_failure_of_the_engine(fleet: Variables) -> None:
    for rules in (item["spec"]["groups"][0]["rules"] for item in manifests(fleet, "VMRule")):
        severities = {
            reason: [rule["labels"]["severity"] for rule in rules if f'finished_reason="{reason}"' in rule["expr"]]
            for reason in ("error", "abort")
        }
        assert severities == {"error": ["critical"], "abort": ["warning"]}


def test_alerts_lead_to_no_page_that_is_not_there(fleet: Variables) -> None:
    rules = [rule for item in manifests(fleet, "VMRule") for rule in item["spec"]["groups"][0]["rules"]]
    assert len(rules) > 40
    assert all(rule["annotations"]["runbook"] and "://" not in json.dumps(rule["annotations"]) for rule in rules)


# Names and versions


def test_no_name_is_written_twice(fleet: Variables) -> None:
    fleet["llmfleet_cluster"] |= {"name": "other", "region": "us-east-1", "account": "999999999999"}
    fleet |= {
        "llmfleet_models_namespace": "m1",
        "llmfleet_gateway_namespace": "g1",
        "llmfleet_gateway_service": "s1",
        "llmfleet_monitoring_namespace": "o1",
        "llmfleet_prometheus_url": "http://p1:9",
        "llmfleet_weights_claim": "c1",
    }
    wanted = desired(describe(fleet), {"weights/fetcher/__main__.py": "print()\n"})
    text = json.dumps([wanted.objects, wanted.aws, wanted.charts])
    for old in ("eu-west-3", "123456789012", "reference", "observability.svc", "vmsingle", '"llm"', "llm.svc"):
        assert old not in text.replace('"layer": "observability"', ""), old
    claims = [
        volume["persistentVolumeClaim"]["claimName"]
        for item in (*engines(fleet), *manifests(fleet, "Job"))
        for volume in pod_of(item)["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert set(claims) == {"c1"}


def test_images_and_charts_are_pinned(with_picker: Variables) -> None:
    fleet = with_picker
    images = _images(fleet)
    assert len(images) == 5
    for image in images:
        assert PINNED.fullmatch(image) and "latest" not in image, image
    charts = desired(describe(fleet), {}).charts
    assert len(charts) == 2 and all(re.fullmatch(r"\d+\.\d+\.\d+", chart["version"]) for chart in charts)


def _images(fleet: Variables) -> set[str]:
    proxy = _one(fleet, "EnvoyProxy")["spec"]["provider"]["kubernetes"]["envoyDeployment"]["container"]["image"]
    routers = [each for item in manifests(fleet, "Deployment") for each in pod_of(item)["containers"]]
    return {each["image"] for each in (*containers(fleet), *routers)} | {proxy}


@pytest.fixture
def with_picker(fleet: Variables) -> Variables:
    """The reference fleet in which one model has a picker: it has every image."""
    fleet["llmfleet_models"][1]["gateway"] = {"endpoint_picker": True}
    return fleet


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The images of a card in which each has a digest, as `make digests` leaves it."""
    document = yaml.safe_load(card.CARD.read_text())
    for number, (name, image) in enumerate(document["images"].items()):
        document["images"][name] = f"{image.partition('@')[0]}@sha256:{str(number) * 64}"
    file = tmp_path / "versions.yml"
    file.write_text(yaml.safe_dump(document))
    monkeypatch.setattr(card, "CARD", file)
    card.versions.cache_clear()
    yield document["images"]
    card.versions.cache_clear()


def test_digests_of_the_card_are_kept(with_picker: Variables, pinned: dict[str, str]) -> None:
    assert _images(with_picker) == set(pinned.values())


def test_digests_of_the_inventory_are_kept(with_picker: Variables) -> None:
    fleet = with_picker
    vllm, weights, envoy, router, picker = given = [f"mirror.example:5000/{n}:v1@sha256:{n * 64}" for n in "abcde"]
    for model in fleet["llmfleet_models"]:
        model["engine"] = {**model.get("engine", {}), "image": vllm}
    fleet |= {"llmfleet_weights_image": weights, "llmfleet_envoy_image": envoy}
    fleet |= {"llmfleet_body_router_image": router, "llmfleet_endpoint_picker_image": picker}
    assert _images(fleet) == set(given)


@pytest.mark.parametrize("field", ["engine.image", "llmfleet_weights_image", "llmfleet_envoy_image"])
def test_no_image_that_moves_is_taken(field: str, fleet: Variables, errors: Any) -> None:
    for image in ("a.example:5000/b", "a/b:latest"):
        if field == "engine.image":
            fleet["llmfleet_models"][1]["engine"] = {"image": image}
        else:
            fleet[field] = image
        (line,) = errors(fleet)
        assert f"{field}: got '{image}': not pinned" in line


# The rest

CHANGES: list[tuple[str, Any]] = [
    ("weights.repository", "o/n"),
    ("weights.revision", "f" * 40),
    ("weights.token_secret", "other"),
    ("engine.quantization", "awq"),
    ("engine.context_length", 1024),
    ("engine.max_sequences", 3),
    ("engine.tool_call_parser", "mistral"),
    ("engine.prefix_caching", False),
    ("engine.kv_offload_gib", 1),
    ("scaling.min", 2),
    ("scaling.max", 3),
    ("adapters", []),
    ("resources.requests", {"cpu": "1", "memory": "24Gi"}),
]


@pytest.mark.parametrize(("path", "value"), CHANGES, ids=[path for path, _value in CHANGES])
def test_what_is_declared_drives_something(path: str, value: Any, fleet: Variables) -> None:
    before = copy.deepcopy(entries(fleet))
    place = fleet["llmfleet_models"][0]
    *groups, last = path.split(".")
    for group in groups:
        place = place.setdefault(group, {})
    place[last] = value
    assert entries(fleet) != before


def test_a_field_that_there_is_not_is_refused(fleet: Variables, errors: Any) -> None:
    fleet["llmfleet_models"][0]["securityContext"] = {"readOnlyRootFilesystem": False}
    (line,) = errors(fleet)
    assert line.startswith("llmfleet_models[0] (qwen-coder).securityContext: got an unknown key")


def test_the_volume_is_kept_when_its_claim_goes(fleet: Variables) -> None:
    volume = _one(fleet, "PersistentVolume")["spec"]
    assert volume["persistentVolumeReclaimPolicy"] == "Retain" == _one(fleet, "StorageClass")["reclaimPolicy"]


def test_each_thing_is_made_after_what_it_needs(fleet: Variables) -> None:
    resources = [entry["resource"] for entry in desired(describe(fleet), {}).aws]
    for earlier, later in (
        ("s3_bucket", "s3files_file_system"),
        ("iam_role", "s3files_file_system"),
        ("s3files_file_system", "s3files_mount_target"),
        ("s3files_file_system", "s3files_access_point"),
    ):
        assert resources.index(earlier) < resources.index(later)
    # The handle is read from what was made.
    handle = _one(fleet, "PersistentVolume")["spec"]["csi"]["volumeHandle"]
    assert handle == "s3files:pending:file_system/reference-weights::pending:access_point/reference-weights"
