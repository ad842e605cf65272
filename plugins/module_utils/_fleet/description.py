# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the variables of an inventory host to a checked fleet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import model_rules, pool_rules
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.accept import nearest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import (
    DescriptionErrors,
    Errors,
    Where,
    shown,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import Field, get, paths_of, read_map
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fleet import Fleet, Model, Pool, picker_name
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.idle_fields import idle_fields
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.model_fields import MODEL_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import default_bucket
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.node_warnings import node_warnings
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.plain import plain
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.platform_fields import (
    AWS_FIELDS,
    CLUSTER_FIELDS,
    PLATFORM_FIELDS,
    known_variables,
    names_of,
    variable,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.pool_fields import POOL_FIELDS
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.vllm_options import VERSION

Item = dict[str, Any]
# Models that a message names.
_MOST_NAMES = 50
Rules = Callable[[Item, Mapping[str, Any], Where], None]


@dataclass
class _Read:
    """An item that was read: its place, what was found there, its table and what was made of it."""

    where: Where
    fields: tuple[Field, ...]
    item: Item

    @property
    def lines(self) -> list[str]:
        found = self.where.errors
        return found.ordered(self.where.path, paths_of(self.fields)) if found.found else []


def describe(variables: Mapping[str, Any]) -> Fleet:
    """Check the variables of a host and return its fleet.

    variables: all that begin with llmfleet_, with values as YAML gives them; others are left aside. Raises
    DescriptionErrors with every error, in order of the variables and of the fields' tables.
    """
    given = {name: plain(value) for name, value in variables.items() if name.startswith("llmfleet_")}
    errors = Errors()
    pools = _read_list(given, "gpu_pools", POOL_FIELDS, pool_rules.check_pool, pools_errors := Errors())
    usable = {read.item["name"]: read.item for read in pools if read.item["name"] is not None}
    models = _read_list(given, "models", MODEL_FIELDS, model_rules.check_model, models_errors := Errors())
    broken = {read.item["name"] for read in pools if read.where.errors.found}
    for read in models:
        model_rules.check_against_pools(read.item, usable, read.where, broken)
    _check_names(models)
    _refuse_doubles([(read.item["name"], read.where.at("name")) for read in pools])
    warnings: list[str] = []
    of_pool: dict[Any, list[Item]] = {}
    for read in models:
        of_pool.setdefault(get(read.item, "gpu.pool"), []).append(read.item)
    for read in pools:
        warnings += pool_rules.check_capacity(of_pool.get(read.item["name"], []), read.item, read.where)
    cluster = _read_map(given, "cluster", CLUSTER_FIELDS, _check_cluster)
    for read in pools:
        pool_rules.check_zones(read.item, cluster.item["region"], read.where)
    aws = _read_map(given, "aws", AWS_FIELDS, None)
    platform = _read_platform(given, cluster, errors)
    _check_only(platform, [read.item["name"] for read in models], errors)
    warnings += _check_sources(platform, given, models, errors)
    lines = list(models_errors.lines)
    lines += [line for read in models for line in read.lines] + pools_errors.lines
    lines += [line for read in (*pools, cluster, aws) for line in read.lines] + errors.lines
    if lines:
        raise DescriptionErrors(lines)
    warnings += [
        warning
        for read in models
        for warning in (
            *_image_warning(read),
            *_recreate_warning(read),
            *node_warnings(read.item, usable[get(read.item, "gpu.pool")], read.where),
            *_idle_warnings(read, platform),
        )
    ]
    return Fleet(
        cluster=cluster.item,
        aws=aws.item,
        platform=platform,
        pools=tuple(Pool(read.item["name"], read.item) for read in pools),
        models=tuple(Model(read.item["name"], read.item) for read in models),
        warnings=tuple(warnings),
    )


def _check_sources(platform: Item, given: Item, models: list[_Read], errors: Errors) -> list[str]:
    """A directory is one of a volume that is named; the warning where no model has a directory."""
    name = variable("weights_source_claim")
    claim, places = platform["weights_source_claim"], []
    for read in models:
        source = get(read.item, "weights.source")
        if source is not None and source.startswith("/"):
            places.append((source, read.where.at("weights").at("source")))
    if given.get(name) is None:
        for source, place in places:
            accepted = f"hub, s3://bucket/prefix, or the volume's claim in {name}"
            place.refuse(source, "a directory of no volume", accepted)
    elif claim is not None and claim == platform["weights_claim"]:
        errors.add(name, shown(claim), "the volume that weights are brought to", "another claim")
    elif claim is not None and not places:
        return [f"{name}: got {shown(claim)}: drives nothing: no model has a directory as weights.source"]
    return []


def _image_warning(read: _Read) -> list[str]:
    image = get(read.item, "engine.image")
    if image is None:
        return []
    path = read.where.at("engine").at("image").path
    return [f"{path}: got {shown(image)}: its arguments are checked against those of vLLM {VERSION}"]


def _idle_warnings(read: _Read, platform: Item) -> list[str]:
    return idle_fields(Model(read.item["name"], read.item), read.where.path, platform, MODEL_FIELDS)


def _recreate_warning(read: _Read) -> list[str]:
    most = get(read.item, "scaling.max")
    if get(read.item, "rollout.strategy") != "recreate" or most < 2:
        return []
    path = read.where.at("rollout").at("strategy").path
    return [f"{path}: got 'recreate': every change takes all replicas down, up to {most}, until new ones have started"]


def _name_of(item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str) or not name:
        return "?"
    return name if len(name) <= 63 else f"{name[:62]}…"


def _place(name: str, item: Any, index: int | None = None) -> Where:
    """The place of an item, with its name as people know it, and with errors of its own."""
    position = "" if index is None else f"[{index}]"
    # A map without a name of its own, such as llmfleet_aws, is known by its variable alone.
    known_as = f" ({_name_of(item)})" if name != "aws" else ""
    return Where(f"{variable(name)}{position}{known_as}", Errors())


def _read_list(given: Item, name: str, fields: tuple[Field, ...], rules: Rules, errors: Errors) -> list[_Read]:
    """Read a list of items, each with its rules; errors: takes what is wrong with the list itself."""
    value = given.get(variable(name))
    if value is None:
        errors.add(variable(name), "nothing", "required", "list of maps")
        return []
    if not isinstance(value, list):
        Where(variable(name), errors).misshapen(value, "not a list", "list of maps")
        return []
    return [_read(fields, raw, _place(name, raw, index), rules) for index, raw in enumerate(value)]


def _read_map(given: Item, name: str, fields: tuple[Field, ...], rules: Rules | None) -> _Read:
    """Read a variable that is one map."""
    raw = given.get(variable(name))
    required = any(field.required for field in fields)
    if raw is None and required:
        where = _place(name, raw)
        where.errors.add(variable(name), "nothing", "required", f"map with {', '.join(f.path for f in fields)}")
        return _Read(where, fields, dict.fromkeys((field.path for field in fields), None))
    return _read(fields, {} if raw is None else raw, _place(name, raw), rules)


def _read(fields: tuple[Field, ...], raw: Any, where: Where, rules: Rules | None) -> _Read:
    item = read_map(fields, raw, where)
    if rules is not None and isinstance(raw, dict):
        rules(item, raw, where)
    return _Read(where, fields, item)


def _refuse_doubles(named: list[tuple[Any, Where]]) -> None:
    seen: dict[str, str] = {}
    for name, place in named:
        if name is None:
            continue
        if name in seen:
            place.refuse(name, f"also the name of {seen[name]}", "a name of its own")
        else:
            seen[name] = place.path.rsplit(".", 1)[0]


def _check_names(models: list[_Read]) -> None:
    """Models and adapters share one space of names: a request names one of them. Fallbacks name other models."""
    named = []
    for read in models:
        named.append((read.item["name"], read.where.at("name")))
        for position, adapter in enumerate(read.item.get("adapters") or []):
            named.append((adapter["name"], read.where.at("adapters").at(position).at("name")))
    _refuse_doubles(named)
    # A map for its order and its speed.
    names = {read.item["name"]: None for read in models if read.item["name"] is not None}
    for read in models:
        _check_group_names(read, models)
        _check_picker_name(read, models)
        for position, fallback in enumerate(get(read.item, "gateway.fallback") or []):
            named_model, own = fallback["model"], read.item["name"]
            if named_model is not None and (named_model not in names or named_model == own):
                place = read.where.at("gateway").at("fallback").at(position).at("model")
                place.refuse(fallback["model"], "not another model of the fleet", _others(names, own))


def _others(names: Mapping[str, None], own: Any) -> str:
    """What a fallback may be; names that are too many to be read are counted."""
    if len(names) > _MOST_NAMES:
        return f"one of the fleet's {len(names)} models, other than itself"
    return ", ".join(name for name in names if name != own) or "none: there is no other"


def _check_group_names(read: _Read, models: list[_Read]) -> None:
    """Groups of several nodes are numbered, and each has a Service of its name: <model>-0, <model>-1, …"""
    name, nodes, most = (get(read.item, path) for path in ("name", "gpu.nodes", "scaling.max"))
    if name is None or nodes is None or most is None or nodes < 2:
        return
    # A rolling update makes one more than scaling.max.
    groups = {f"{name}-{number}" for number in range(most + 1)}
    for other in models:
        if other.item["name"] in groups:
            reason = f"also a group of {name}, which takes several nodes"
            other.where.at("name").refuse(other.item["name"], reason, "another name")


def _check_picker_name(read: _Read, models: list[_Read]) -> None:
    """The picker of a model has objects of the kinds that a model has, too."""
    name = read.item["name"]
    if name is None or not (get(read.item, "gateway.endpoint_picker") or get(read.item, "gateway.canaries")):
        return
    for other in models:
        if other.item["name"] == picker_name(name):
            reason = f"also the endpoint picker of {name}"
            other.where.at("name").refuse(other.item["name"], reason, "another name")


def _check_cluster(cluster: Item, given: Mapping[str, Any], where: Where) -> None:
    for key, other in (("kubeconfig", "context"), ("context", "kubeconfig")):
        if given.get(key) is None and given.get(other) is not None:
            where.at(key).missing(f"both kubeconfig and context, or neither: {other} is given")


def _read_platform(given: Item, cluster: _Read, errors: Errors) -> Item:
    """Read the variables that stand alone; unknown ones that begin as ours do are errors."""
    platform: Item = {}
    for field in PLATFORM_FIELDS:
        name = variable(field.path)
        # One variable is one place: the table's own reader needs it below nothing.
        part = Errors()
        value = {} if given.get(name) is None else {field.path: given[name]}
        platform |= read_map((field,), value, Where("llmfleet", part))
        hint = f": not an integer: -e name=value gives text, and -e '{{\"{name}\": 2}}' a number;"
        for line in part.lines:
            told = line.replace(": not an integer;", hint, 1) if isinstance(given[name], str) else line
            errors.found.append((name, told.replace(f"llmfleet.{field.path}", name, 1)))
    for name in given:
        if name not in known_variables():
            errors.add(name, "an unknown variable", f"not one of ours{nearest(name, known_variables())}", "its removal")
    _check_derived(platform, cluster, errors)
    return platform


def _check_only(platform: Item, names: list[Any], errors: Errors) -> None:
    """Turn llmfleet_only into a list of names that are all models of the fleet."""
    if platform["only"] is None:
        return
    platform["only"] = names_of(platform["only"])
    unknown = [name for name in platform["only"] if name not in names]
    if unknown:
        accepted = ", ".join(name for name in names if name is not None) or "none: llmfleet_models is empty"
        if len(names) > _MOST_NAMES:
            accepted = f"names of the fleet's {len(names)} models"
        Where(variable("only"), errors).refuse(", ".join(unknown), "not a model of the fleet", accepted)


def _check_derived(platform: Item, cluster: _Read, errors: Errors) -> None:
    """Namespaces differ, and the bucket's name is not too long."""
    if platform["models_namespace"] is not None and platform["models_namespace"] == platform["gateway_namespace"]:
        Where(variable("gateway_namespace"), errors).refuse(
            platform["gateway_namespace"], "also the models' namespace", "a namespace of its own"
        )
    parts = [cluster.item[key] for key in ("region", "account", "name")]
    if None in parts or platform["bucket"] is not None:
        return
    bucket = default_bucket(*parts)
    if len(bucket) > 63:
        cluster.where.at("name").refuse(
            parts[2], f"the bucket's name {bucket} has {len(bucket)} characters", "at most 63: set llmfleet_bucket"
        )
