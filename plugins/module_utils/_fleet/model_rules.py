# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules across the fields of a model, and between a model and its pool. Values of None were refused before."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import quantity, resources
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import get
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_values import COMMIT, COMMIT_TEXT
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import ADAPTERS_FOLDER, FETCHER_ACCOUNT

_GIB = 1024 * 1024 * 1024
KV_RESERVE_GIB = 4
# Of the models' namespace: Kubernetes makes the one, the fetcher runs as the other.
RESERVED_NAMES = ("default", FETCHER_ACCOUNT)


def check_model(model: dict[str, Any], given: Mapping[str, Any], where: Where) -> None:
    """Report every rule that a model breaks by itself. given: the model as written, without defaults."""
    if model["name"] in RESERVED_NAMES:
        where.at("name").refuse(model["name"], "the name of a ServiceAccount that is not a model's", "another name")
    _check_revisions(model, where)
    if get(dict(given), "weights.stream_concurrency") is not None and get(model, "weights.load") == "mount":
        where.at("weights").at("stream_concurrency").refuse(
            get(model, "weights.stream_concurrency"), "only with weights.load stream", "nothing"
        )
    _check_scaling(model, where)
    _check_gateway(model, where)
    _check_nodes(model, where)
    _check_tokens(model, where)
    strategy = get(model, "rollout.strategy")
    if get(model, "rollout") is not None and strategy is None:
        # Several nodes exclude recreate.
        alone = get(model, "scaling.max") == 1 and get(model, "gpu.nodes") == 1
        model["rollout"]["strategy"] = "recreate" if alone else "rolling"


def _check_revisions(model: dict[str, Any], where: Where) -> None:
    """A branch or tag can be allowed for the model, and with it for its adapters."""
    revision = get(model, "weights.revision")
    if revision is not None and revision.split("/")[0] == ADAPTERS_FOLDER:
        where.at("weights").at("revision").refuse(revision, "the folder of the adapters", "another branch or tag")
        return
    if get(model, "weights.allow_moving_revision") is not False:
        return
    places = [(get(model, "weights.revision"), where.at("weights").at("revision"))]
    for index, adapter in enumerate(model.get("adapters") or []):
        places.append((adapter["revision"], where.at("adapters").at(index).at("revision")))
    for revision, place in places:
        if revision is not None and not COMMIT.fullmatch(revision):
            place.refuse(revision, "not a commit", COMMIT_TEXT)


def _check_tokens(model: dict[str, Any], where: Where) -> None:
    """A serving pod never has what opens the hub."""
    fetchers = {"weights.token_secret": get(model, "weights.token_secret")}
    for index, adapter in enumerate(model.get("adapters") or []):
        fetchers[f"adapters[{index}].token_secret"] = adapter["token_secret"]
    for index, name in enumerate(get(model, "env_from_secrets") or []):
        same = [path for path, secret in fetchers.items() if secret == name]
        if same:
            place = Where(where.at("env_from_secrets").at(index).path, where.errors, secret=True)
            place.refuse(name, f"also {same[0]}, which the fetcher alone is given", "other Secrets")


def _check_scaling(model: dict[str, Any], where: Where) -> None:
    least, most = get(model, "scaling.min"), get(model, "scaling.max")
    scaling = where.at("scaling")
    if least is not None and most is not None and least > most:
        scaling.at("min").refuse(least, f"above scaling.max {most}", f"at most {most}")
    for index, hours in enumerate(get(model, "scaling.schedule") or []):
        place = scaling.at("schedule").at(index)
        if hours["start"] is not None and hours["start"] == hours["end"]:
            place.at("end").refuse(hours["end"], "equals start", "another time")
        if hours["replicas"] is not None and most is not None and hours["replicas"] > most:
            place.at("replicas").refuse(hours["replicas"], f"above scaling.max {most}", f"at most {most}")
    saturation = get(model, "scaling.saturation_target")
    if saturation is not None and get(model, "gateway.endpoint_picker") is False:
        scaling.at("saturation_target").refuse(saturation, "needs gateway.endpoint_picker", "nothing")


def _check_gateway(model: dict[str, Any], where: Where) -> None:
    gateway = where.at("gateway")
    canaries = get(model, "gateway.canaries") or []
    if get(model, "gateway.enabled") is False:
        for key in ("endpoint_picker", "canaries", "fallback"):
            value = get(model, f"gateway.{key}")
            if value:
                gateway.at(key).refuse(value, "needs gateway.enabled", "nothing")
    if canaries and get(model, "gateway.endpoint_picker"):
        gateway.at("canaries").refuse(canaries, "excludes gateway.endpoint_picker", "one of both")
    adapters = [adapter["name"] for adapter in model.get("adapters") or []]
    seen: list[Any] = []
    for index, canary in enumerate(canaries):
        name = canary["adapter"]
        # An adapter whose name was refused may be the one that is meant.
        if name is not None and name not in adapters and None not in adapters:
            accepted = ", ".join(adapters) or "none: the model has no adapters"
            gateway.at("canaries").at(index).at("adapter").refuse(name, "not an adapter of the model", accepted)
        if name is not None and name in seen:
            gateway.at("canaries").at(index).at("adapter").refuse(name, "twice in the list", "distinct adapters")
        seen.append(name)
    weights = [canary["weight"] for canary in canaries if canary["weight"] is not None]
    if sum(weights) > 99:
        gateway.at("canaries").refuse(weights, f"weights sum to {sum(weights)}", "a sum of at most 99")


def _check_nodes(model: dict[str, Any], where: Where) -> None:
    nodes = get(model, "gpu.nodes")
    if nodes is None or nodes <= 1:
        return
    place = where.at("gpu").at("nodes")
    if get(model, "rollout.strategy") == "recreate":
        place.refuse(nodes, "excludes rollout.strategy recreate", "1")
    if get(model, "gateway.canaries"):
        place.refuse(nodes, "excludes gateway.canaries", "1")
    if get(model, "scaling.min") == 0:
        place.refuse(nodes, "excludes scaling.min 0", "1")


def check_against_pools(
    model: dict[str, Any], pools: Mapping[str, dict[str, Any]], where: Where, broken: Container[Any] = ()
) -> None:
    """Report what a model's pool cannot give, and fill in the model's resources.

    pools: those that have a name. broken: names of those about which something was reported already.
    """
    name, count = get(model, "gpu.pool"), get(model, "gpu.count")
    if name is None or not isinstance(model.get("resources"), dict):
        return
    pool = pools.get(name)
    if pool is None:
        accepted = ", ".join(pools) or "none: llmfleet_gpu_pools has no usable pool"
        where.at("gpu").at("pool").refuse(name, "no such pool", accepted)
        return
    has = pool["gpu_count"]
    if count is None or has is None:
        return
    if count > has:
        where.at("gpu").at("count").refuse(count, f"a node of {name} has {has}", f"an integer from 1 to {has}")
        return
    if name in broken:
        # What its nodes have is not known before that is mended.
        pool = {**pool, "static": True, "allocatable": None}
    _fill_resources(model, pool, count, where.at("resources"), quiet=name in broken)


def _fill_resources(model: dict[str, Any], pool: dict[str, Any], count: int, where: Where, quiet: bool) -> None:
    if where.errors.below(where.path):
        return
    parts = model["resources"]
    for key in ("requests", "limits"):
        # An integer is a quantity too; from here on all are strings.
        if parts[key] is not None:
            parts[key] = {name: str(amount) for name, amount in parts[key].items()}
    if parts["requests"] is None:
        parts["requests"] = resources.default_requests(pool, count)
        if parts["requests"] is None:
            if not quiet:
                text = "map of quantities: no default, because nothing is known of the pool's nodes"
                where.at("requests").missing(text)
            return
    elif (has := resources.fits(pool, parts["requests"])) is not None:
        where.at("requests").refuse(parts["requests"], "no node of the pool can hold it", has)
    if parts["limits"] is None:
        parts["limits"] = resources.default_limits(parts["requests"])
    _check_limits(parts, pool, where)
    _check_kv_offload(model, where)


def _check_limits(parts: dict[str, Any], pool: dict[str, Any], where: Where) -> None:
    """Limits are not below requests; a limit without a request is the request too, as Kubernetes takes it."""
    requests, limits = parts["requests"], parts["limits"]
    for key, limit in limits.items():
        request = requests.get(key)
        if request is not None and quantity.parse(limit) < quantity.parse(request):
            where.at("limits").at(key).refuse(limit, f"below the request {request}", f"{request} or more")
        elif request is None and (has := resources.fits(pool, {key: limit})) is not None:
            where.at("limits").at(key).refuse(limit, "requested too, and no node of the pool can hold it", has)
    for key, request in requests.items():
        _check_device(key, request, limits.get(key), where)


def _check_device(key: str, request: str, limit: str | None, where: Where) -> None:
    """Resources that have a domain are devices and the like: whole, and never promised twice."""
    if "/" not in key:
        return
    if quantity.parse(request) % 1:
        where.at("requests").at(key).refuse(request, "not a whole number", "whole numbers of what has a domain")
    elif limit is None:
        where.at("limits").at(key).missing(request)
    elif quantity.parse(limit) > quantity.parse(request):
        where.at("limits").at(key).refuse(limit, f"not the request {request}", request)


def _check_kv_offload(model: dict[str, Any], where: Where) -> None:
    size = get(model, "engine.kv_offload_gib")
    memory = get(model, "resources.limits").get("memory")
    if not size or memory is None:
        return
    most = max(0, int(quantity.parse(memory) / _GIB) - KV_RESERVE_GIB)
    if size > most:
        path = where.path.rsplit(".", 1)[0]
        place = Where(f"{path}.engine.kv_offload_gib", where.errors)
        place.refuse(size, f"the memory limit is {memory}", f"an integer from 0 to {most}")
