# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The description once it has been checked."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import duration
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.errors import Errors, Where
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.fields import get
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.instance_types import INSTANCE_TYPES, InstanceType
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.naming import (
    ADAPTERS_FOLDER,
    Names,
    default_bucket,
)


@dataclass(frozen=True)
class Pool:
    """A GPU pool. fields: every field of the description, with defaults."""

    name: str
    fields: Mapping[str, Any]

    @property
    def static(self) -> bool:
        """Whether its nodes exist already."""
        return bool(self.fields["static"])

    @property
    def gpus(self) -> int:
        """GPUs of a node."""
        return int(self.fields["gpu_count"])

    @property
    def types(self) -> list[InstanceType]:
        """Instance types of the pool that have so many GPUs, smallest memory first; none for a static pool."""
        return pool_types(self.fields)

    @property
    def selector(self) -> dict[str, str]:
        """Node selector of the pods."""
        own = {} if self.static else {"karpenter.sh/nodepool": self.name}
        return own | dict(self.fields["node_selector"])

    @property
    def tolerations(self) -> list[dict[str, str]]:
        """Tolerations of the pool's taints."""
        return [
            {"key": taint["key"], "effect": taint["effect"], "operator": "Exists"}
            if not taint.get("value")
            else {"key": taint["key"], "effect": taint["effect"], "operator": "Equal", "value": taint["value"]}
            for taint in self.fields["taints"]
        ]


def pool_types(fields: Mapping[str, Any]) -> list[InstanceType]:
    """Instance types that a pool's fields allow, smallest memory first."""
    families, types = fields.get("instance_families"), fields.get("instance_types")
    if not families and not types:
        return []
    found = [
        item
        for item in INSTANCE_TYPES.values()
        if item.gpus == fields.get("gpu_count")
        and (not families or item.family in families)
        and (not types or item.name in types)
    ]
    return sorted(found, key=lambda item: (item.memory_gib, item.vcpus, item.name))


@dataclass(frozen=True)
class Adapter:
    """A LoRA of a model. token_secret: name of the Secret that its fetcher gets, None for none."""

    name: str
    repository: str
    revision: str
    token_secret: str | None

    @property
    def folder(self) -> str:
        """Where it is below the model's own folder, in the bucket and on the mount."""
        return f"{ADAPTERS_FOLDER}/{self.name}/{self.revision}"


@dataclass(frozen=True)
class Model:
    """A model. fields: every field of the description, with defaults; resources are filled in."""

    name: str
    fields: Mapping[str, Any]

    def get(self, path: str) -> Any:
        """The value of a field by its dotted path."""
        fields = self.fields
        return get(fields if isinstance(fields, dict) else dict(fields), path)

    @property
    def revision(self) -> str:
        """The revision of the weights."""
        return str(self.get("weights.revision"))

    @property
    def prefix(self) -> str:
        """Where the weights are in the bucket."""
        return f"models/{self.name}/{self.revision}"

    @property
    def adapters(self) -> list[Adapter]:
        """The adapters that it serves."""
        return [
            Adapter(each["name"], each["repository"], each["revision"], each["token_secret"])
            for each in self.get("adapters")
        ]

    @property
    def served_names(self) -> list[str]:
        """The names that clients may ask for: the model's and its adapters'."""
        return [self.name, *(adapter.name for adapter in self.adapters)]

    @property
    def prefixes(self) -> list[str]:
        """Where the fetchers of the model and of its adapters write in the bucket.

        Adapters have one: a policy of a role may have 10,240 characters.
        """
        return [self.prefix, *([f"models/{self.name}/{ADAPTERS_FOLDER}"] if self.adapters else [])]

    @property
    def nodes(self) -> int:
        """Nodes that one replica takes."""
        return int(self.get("gpu.nodes"))

    @property
    def may_have_replicas(self) -> bool:
        """Whether there can be more than one replica at a time."""
        return int(self.get("scaling.max")) > 1

    @property
    def timeout_seconds(self) -> int:
        """Seconds that a request may take."""
        return duration.seconds(self.get("gateway.timeout"))

    @property
    def picked(self) -> bool:
        """Whether an endpoint picker chooses its replicas: shares of canaries need one too."""
        return bool(self.get("gateway.endpoint_picker") or self.get("gateway.canaries"))

    @property
    def picker(self) -> str:
        """The name of its endpoint picker."""
        return picker_name(self.name)

    @property
    def routed(self) -> bool:
        """Whether the gateway serves it."""
        return bool(self.get("gateway.enabled"))


def picker_name(model: str) -> str:
    """Return the name of a model's endpoint picker."""
    return f"{model}-picker"


@dataclass(frozen=True)
class Fleet:
    """All of one cluster. cluster, aws, platform: the fields with defaults. warnings: what may be meant otherwise."""

    cluster: Mapping[str, Any]
    aws: Mapping[str, Any]
    platform: Mapping[str, Any]
    pools: tuple[Pool, ...]
    models: tuple[Model, ...]
    warnings: tuple[str, ...] = ()

    @functools.cached_property
    def names(self) -> Names:
        """Names of what is made."""
        name, region, account = (str(self.cluster[key]) for key in ("name", "region", "account"))
        return Names(
            cluster=name,
            region=region,
            account=account,
            bucket=self.platform["bucket"] or default_bucket(region, account, name),
            models_namespace=self.platform["models_namespace"],
            gateway_namespace=self.platform["gateway_namespace"],
            claim=self.platform["weights_claim"],
            gateway_service=self.platform["gateway_service"],
            api_keys_secret=self.platform["api_keys_secret"],
            node_role=self.platform["node_role"] or f"KarpenterNodeRole-{name}",
        )

    @property
    def chosen(self) -> tuple[Model, ...]:
        """The models that llmfleet_only names, all without it. Whatever is not chosen is wanted all the same."""
        only = self.platform["only"]
        return self.models if only is None else tuple(model for model in self.models if model.name in only)

    @property
    def longest_timeout(self) -> str:
        """The longest time that a request to a routed model may take, as described; a minute without any."""
        routed = [model for model in self.models if model.routed]
        longest = max(routed, key=lambda model: model.timeout_seconds, default=None)
        return "60s" if longest is None else str(longest.get("gateway.timeout"))

    def place(self, model: Model, errors: Errors) -> Where:
        """The place of a model in the description."""
        return Where(f"llmfleet_models[{self._positions[model.name]}] ({model.name})", errors)

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        return {model.name: index for index, model in enumerate(self.models)}

    @functools.cached_property
    def _pools_by_name(self) -> dict[str, Pool]:
        return {pool.name: pool for pool in self.pools}

    def pool(self, name: str) -> Pool:
        """The pool of a name. Raises KeyError."""
        return self._pools_by_name[name]

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON can carry it, values of engine.env left out: they may be secret."""
        models = [
            {
                **model.fields,
                "engine": {**model.fields["engine"], "env": sorted(model.fields["engine"]["env"])},
            }
            for model in self.models
        ]
        names = self.names
        return {
            "cluster": dict(self.cluster),
            "aws": dict(self.aws),
            "platform": {**self.platform, "gateway_keys_secret": gateway_keys_secret(self)},
            "pools": [dict(pool.fields) for pool in self.pools],
            "models": models,
            "chosen": [model.name for model in self.chosen],
            "warnings": list(self.warnings),
            "names": {
                **asdict(names),
                "hop_secret": names.hop_secret,
                "volume": names.volume,
                "file_system": names.file_system,
                "security_group": names.security_group,
                "file_system_role": names.file_system_role,
                "csi_node_role": names.csi_node_role,
                "csi_controller_role": names.csi_controller_role,
                "fetcher_role": names.fetcher_role,
            },
        }


def gateway_keys_secret(fleet: Fleet) -> str:
    """The secret of AWS Secrets Manager that has the client keys."""
    return str(fleet.platform["gateway_keys_secret"] or f"llmfleet/{fleet.cluster['name']}/api-keys")
