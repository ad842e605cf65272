# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies that draw whole valid descriptions.

Values come from the tables of cases of the other tests, and from strategies where the space is wider than examples.
Fields that are not yet built keep their defaults, as the tables of fields say: a field that gets built is drawn.
"""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Errors, Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import Field, get, read_map
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.instance_types import INSTANCE_TYPES
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_fields import MODEL_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_rules import RESERVED_NAMES
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.platform_fields import PLATFORM_FIELDS, variable
from hypothesis import strategies as st

from tests.unit.fleet import test_model_fields, test_platform, test_pools

Item = dict[str, Any]
COMMITS = st.text("0123456789abcdef", min_size=40, max_size=40)
NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True).filter(
    lambda name: name not in RESERVED_NAMES
)
# What YAML can carry and people write: no control characters, no halves of surrogate pairs.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
LABEL_VALUES = st.from_regex(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", fullmatch=True)
LABEL_KEYS = st.from_regex(r"(example\.com/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", fullmatch=True)
DURATIONS = st.from_regex(r"([1-9][0-9]{0,4}[hms]){1,3}", fullmatch=True)
LONGER: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "weights.revision": COMMITS | st.sampled_from(["main", "v1.0", "refs/pr/1"]),
    "engine.context_length": st.integers(1024, 2**31 - 1),
    "engine.max_sequences": st.integers(1, 2**31 - 1),
    "engine.gpu_memory_utilization": st.floats(0.1, 0.98),
    "engine.env": st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,20}X", fullmatch=True).filter(
            lambda name: not name.startswith(("HF_", "POD_"))
        ),
        TEXTS,
        max_size=3,
    ),
    "resources.requests": st.fixed_dictionaries(
        {"memory": st.sampled_from(["1Gi", "4096Mi", "5e9", 2147483648])},
        optional={
            "cpu": st.sampled_from(["100m", 1, "1.5"]),
            "ephemeral-storage": st.just("1Gi"),
            "a.b/efa": st.just(1),
        },
    ),
    "resources.limits": st.fixed_dictionaries({"memory": st.sampled_from(["8Gi", "12Gi"])}),
    "scaling.min": st.integers(0, 3),
    "scaling.max": st.integers(1, 6),
    "scaling.saturation_target": st.floats(0.01, 1),
    # Which adapters they are is settled when those are known.
    "gateway.canaries": st.just([{"adapter": "some", "weight": 20}]),
    "gateway.timeout": DURATIONS,
    "metrics_interval": DURATIONS,
    "startup.budget": st.sampled_from(["60s", "1m", "2h", "1h1m1s", "99999s"]),
    "labels": st.dictionaries(LABEL_KEYS, LABEL_VALUES, max_size=3),
    "annotations": st.dictionaries(LABEL_KEYS, TEXTS, max_size=3),
}


def _values(path: str) -> st.SearchStrategy[Any]:
    """What a field of a model takes, also while it is not yet built."""
    built, unbuilt, _refused = test_model_fields.CASES[path]
    known = [copy.deepcopy(value) for value in (*built, *unbuilt)]
    if path in LONGER:
        return LONGER[path]
    return st.sampled_from(known) if known else st.nothing()


def put(item: Item, path: str, value: Any) -> None:
    """Set the value at a dotted path; None takes it away."""
    *groups, last = path.split(".")
    for group in groups:
        item = item.setdefault(group, {})
    if value is None:
        item.pop(last, None)
    else:
        item[last] = value


def _forget_unbuilt(item: Item, fields: tuple[Field, ...]) -> None:
    """Take away the values of fields that accept only their defaults so far."""
    filled = read_map(fields, copy.deepcopy(item), Where("x", Errors()))
    for field in fields:
        value = get(filled, field.path)
        if field.built or value is None or (field.built_for and field.built_for(value, filled)):
            continue
        if value != field.default:
            put(item, field.path, None)


def _settle(model: Item) -> None:
    """Bring a model's values together where rules across fields ask for it."""
    gateway = model.setdefault("gateway", {})
    if len(get(model, "weights.revision")) != 40:
        put(model, "weights.allow_moving_revision", True)
    if get(model, "weights.load") != "stream":
        put(model, "weights.stream_concurrency", None)
    if gateway.get("enabled") is False:
        for key in ("endpoint_picker", "canaries", "fallback"):
            gateway.pop(key, None)
    adapters = [adapter["name"] for adapter in model.get("adapters") or []]
    if gateway.get("endpoint_picker") or not adapters or (get(model, "gpu.nodes") or 1) > 1:
        gateway.pop("canaries", None)
    elif gateway.get("canaries"):
        gateway["canaries"] = [{"adapter": name, "weight": 20} for name in adapters[:4]]
    if not gateway.get("endpoint_picker"):
        put(model, "scaling.saturation_target", None)
    most = get(model, "scaling.max") or 3
    if (get(model, "gpu.nodes") or 1) > 1:
        put(model, "rollout.strategy", None)
        put(model, "scaling.min", max(1, get(model, "scaling.min") or 1))
    if get(model, "scaling.min") is not None:
        put(model, "scaling.min", min(get(model, "scaling.min"), most))
    elif most < 1:
        put(model, "scaling.max", None)
    for hours in get(model, "scaling.schedule") or []:
        hours["replicas"] = min(hours["replicas"], most)
    if get(model, "engine.kv_offload_gib"):
        put(model, "resources.requests", {"memory": "4Gi"})
        put(model, "resources.limits", {"memory": "12Gi"})
    if get(model, "resources.limits") and not get(model, "resources.requests"):
        put(model, "resources.requests", {"memory": "4Gi"})
    if "a.b/efa" in (get(model, "resources.requests") or {}) and get(model, "resources.limits"):
        model["resources"]["limits"]["a.b/efa"] = 1


@st.composite
def models(draw: st.DrawFn, pools: list[Item]) -> Item:
    """A model on one of the pools, its adapters not yet named apart from others'."""
    pool = draw(st.sampled_from(pools))
    model: Item = {"name": draw(NAMES)}
    paths = st.sampled_from([field.path for field in MODEL_FIELDS])
    wanted = draw(st.lists(paths, min_size=draw(st.integers(0, 12)), max_size=16, unique=True))
    if "gateway.canaries" in wanted:
        wanted.append("adapters")
    for field in MODEL_FIELDS:
        if field.path not in ("name", "gpu.pool", "gpu.count") and (field.required or field.path in wanted):
            value = draw(_values(field.path)) if field.path != "weights.stream_concurrency" else 8
            put(model, field.path, copy.deepcopy(value))
    put(model, "gpu.pool", pool["name"])
    put(model, "gpu.count", draw(st.integers(1, pool.get("gpu_count", 1))))
    if pool.get("static") and "allocatable" not in pool and "requests" not in model.get("resources", {}):
        put(model, "resources.requests", {"memory": "4Gi"})
    _settle(model)
    _forget_unbuilt(model, MODEL_FIELDS)
    _settle(model)
    return model


@st.composite
def pools(draw: st.DrawFn, name: str) -> Item:
    """A pool, its limit still to be set."""
    cases = {
        path: st.sampled_from([copy.deepcopy(value) for value in accepted])
        for path, (accepted, _refused) in test_pools.CASES.items()
        if accepted
    }
    shared = ("node_selector", "taints", "runtime_class")
    pool: Item = {"name": name}
    if draw(st.booleans()):
        pool |= {"static": True, "gpu_count": draw(st.integers(1, 8))}
        if draw(st.booleans()):
            pool["allocatable"] = {"cpu": "64", "memory": "512Gi"}
    else:
        item = INSTANCE_TYPES[draw(st.sampled_from(sorted(INSTANCE_TYPES)))]
        kind = draw(st.sampled_from(["instance_families", "instance_types"]))
        pool |= {kind: [item.family if kind == "instance_families" else item.name], "gpu_count": item.gpus}
        pool |= {"ami": draw(cases["ami"]), "limit": 1}
        shared += ("startup_taints", "labels", "capacity_types", "zones")
        shared += ("consolidate_after", "expire_after", "terminate_after")
    for path in draw(st.sets(st.sampled_from(shared))):
        pool[path] = draw(cases[path])
    return pool


def _apart(items: list[Item]) -> None:
    """Name the models and adapters of a fleet apart, and let fallbacks be other models."""
    taken: set[str] = set()
    for item in [*items, *(adapter for model in items for adapter in model.get("adapters") or [])]:
        while item["name"] in taken:
            item["name"] = f"{item['name'][:35].rstrip('-')}-x{len(taken)}"
        taken.add(item["name"])
    for index, model in enumerate(items):
        others = [{"model": other["name"]} for other in items[:index] + items[index + 1 :]]
        if get(model, "gateway.fallback"):
            put(model, "gateway.fallback", others[:2])
        if get(model, "gateway.canaries"):
            put(model, "gateway.canaries", [{"adapter": a["name"], "weight": 20} for a in model["adapters"][:4]])


@st.composite
def descriptions(draw: st.DrawFn) -> Item:
    """The variables of a host: one to three pools, up to four models, and some of the variables that stand alone."""
    found = [draw(pools(name)) for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))]
    items = draw(st.lists(models(found), min_size=draw(st.sampled_from([0, 1, 1, 2])), max_size=4))
    _apart(items)
    for pool in found:
        if not pool.get("static"):
            users = [model for model in items if get(model, "gpu.pool") == pool["name"]]
            least = sum((get(m, "scaling.min") or 1) * (get(m, "gpu.nodes") or 1) for m in users)
            pool["limit"] = (least + draw(st.integers(1, 9))) * pool["gpu_count"]
    name = draw(st.from_regex(r"[0-9A-Za-z]([A-Za-z0-9_-]{0,18}[0-9A-Za-z])?", fullmatch=True))
    variables: Item = {
        "llmfleet_cluster": {
            "name": name,
            "region": "eu-west-3",
            "account": draw(st.from_regex(r"[0-9]{12}", fullmatch=True)),
        },
        "llmfleet_gpu_pools": found,
        "llmfleet_models": items,
    }
    for field in PLATFORM_FIELDS:
        accepted, _refused, _unbuilt = test_platform.PLATFORM[field.path]
        if field.built and accepted and draw(st.integers(0, 3)) == 0:
            variables[variable(field.path)] = copy.deepcopy(draw(st.sampled_from(accepted)))
    if variables.pop(variable("only"), None) and items:
        variables[variable("only")] = [draw(st.sampled_from(items))["name"]]
    return variables
