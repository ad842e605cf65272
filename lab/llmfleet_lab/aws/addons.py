# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS add-ons: what EKS keeps and says of them. Nothing is installed in the cluster. moto's EKS has none."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from llmfleet_lab.aws import addon_schema
from llmfleet_lab.aws.eks_resources import EksResources, check_tags, invalid
from llmfleet_lab.aws.faults import AwsFault
from llmfleet_lab.aws.operations import Call
from llmfleet_lab.aws.pagination import page
from llmfleet_lab.aws.request import Request
from llmfleet_lab.aws.response import Response
from llmfleet_lab.aws.s3files.resources import Lifecycle, Store
from llmfleet_lab.aws.world import World

# name -> its default version. Other versions of the form are taken too.
DEFAULTS = {"aws-efs-csi-driver": "v3.3.0-eksbuild.1"}
_VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")
_STATES = {"creating": "CREATING", "updating": "UPDATING", "available": "ACTIVE", "deleting": "DELETING"}
FAILURES = ("CREATE_FAILED", "UPDATE_FAILED", "DEGRADED", "DELETE_FAILED")


@dataclass(frozen=True)
class Failure:
    """How a change ends: status is one of FAILURES; code and message are of the issue in its health."""

    status: str
    code: str
    message: str


@dataclass
class Addon:
    """One add-on. failure: how the change that is under way ends, or ended; None when it ends well."""

    cluster: str
    name: str
    arn: str
    version: str
    configuration: str
    life: Lifecycle
    role_arn: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    failure: Failure | None = None

    @property
    def status(self) -> str:
        """As DescribeAddon says; "" when it is gone."""
        state = self.life.state()
        if self.failure is not None and state in ("available", "deleted"):
            return self.failure.status
        return _STATES.get(state, "")


class Addons(EksResources[tuple[str, str], Addon]):
    """The operations. store: its clock and delays, which are those of S3 Files."""

    def __init__(self, world: World, store: Store) -> None:
        self._store = store
        self._next_failure: dict[str, Failure] = {}
        handlers = {
            "CreateAddon": self._create,
            "DescribeAddon": self._describe,
            "DescribeAddonConfiguration": self._configuration,
            "ListAddons": self._list,
            "UpdateAddon": self._update,
            "DeleteAddon": self._delete,
        }
        super().__init__(world, "addon", handlers, store.lock, store.clock)

    def serve(self, request: Request, call: Call) -> Response:
        """Answer one request, after what is gone by now was forgotten. Raises AwsFault."""
        with self._lock:
            self._items = {key: item for key, item in self._items.items() if item.status}
            return super().serve(request, call)

    def fail_next(self, document: Any) -> dict[str, Any]:
        """Let the next change of an add-on end in a failure. Raises ValueError for a bad document."""
        members = {"addonName", "status", "code", "message"}
        if not isinstance(document, dict) or set(document) != members or document["status"] not in FAILURES:
            raise ValueError(f"expected an object with {', '.join(sorted(members))}; status: {', '.join(FAILURES)}")
        with self._lock:
            failure = Failure(document["status"], str(document["code"]), str(document["message"]))
            self._next_failure[str(document["addonName"])] = failure
        return dict(document)

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster, name = self._cluster(request), request["addonName"]
        if (cluster, name) in self._items:
            message = f"Addon already exists: {name}"
            raise AwsFault("ResourceInUseException", message, 409, {"clusterName": cluster, "addonName": name})
        version = self._version(name, request.get("addonVersion"))
        self._check(request)
        item = Addon(
            cluster=cluster,
            name=name,
            arn=self._arn(f"{cluster}/{name}/{uuid.uuid4()}"),
            version=version,
            configuration=request.get("configurationValues", ""),
            life=self._store.life(),
            role_arn=request.get("serviceAccountRoleArn"),
            tags=dict(request.get("tags", {})),
            failure=self._next_failure.pop(name, None),
        )
        self._items[cluster, name] = item
        return {"addon": self._described(item)}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"addon": self._described(self._item(request))}

    def _configuration(self, request: dict[str, Any]) -> dict[str, Any]:
        version = self._version(request["addonName"], request["addonVersion"])
        return {
            "addonName": request["addonName"],
            "addonVersion": version,
            "configurationSchema": json.dumps(addon_schema.SCHEMA),
        }

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        cluster = self._cluster(request)
        found = sorted(item.name for item in self._listed() if item.cluster == cluster)
        names, token = page(found, request.get("maxResults", 100), request.get("nextToken"), invalid)
        return {"addons": names, "nextToken": token}

    def _update(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._item(request)
        if item.status in ("CREATING", "UPDATING", "DELETING"):
            raise AwsFault("ResourceInUseException", f"Addon {item.name} cannot be updated: it is {item.status}", 409)
        version = self._version(item.name, request.get("addonVersion", item.version))
        self._check(request)
        # What is not said goes back to the add-on's own.
        item.version, item.configuration = version, request.get("configurationValues", "")
        item.role_arn = request.get("serviceAccountRoleArn", item.role_arn)
        item.failure = self._next_failure.pop(item.name, None)
        item.modified = datetime.now(UTC)
        item.life.enter("updating")
        update = {"id": str(uuid.uuid4()), "status": "InProgress", "type": "AddonUpdate", "createdAt": item.modified}
        return {"update": update}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        item = self._item(request)
        if item.status != "DELETING":
            item.failure = self._next_failure.pop(item.name, None)
            item.life.enter("deleting")
        return {"addon": {**self._described(item), "status": "DELETING"}}

    def _item(self, request: dict[str, Any]) -> Addon:
        cluster, name = self._cluster(request), request["addonName"]
        item = self._items.get((cluster, name))
        if item is None:
            message = f"No addon: {name} found in cluster: {cluster}"
            raise AwsFault("ResourceNotFoundException", message, 404, {"clusterName": cluster, "addonName": name})
        return item

    def _version(self, name: str, version: str | None) -> str:
        if name not in DEFAULTS:
            raise invalid(f"Addon {name} specified is not supported")
        if version is not None and not _VERSION.fullmatch(version):
            raise invalid(f"Addon version {version} specified is not supported")
        return version or DEFAULTS[name]

    def _check(self, request: Mapping[str, Any]) -> None:
        """Check tags and configuration as EKS does before it begins."""
        check_tags(request.get("tags", {}))
        if request.get("configurationValues"):
            wrong = addon_schema.wrong(request["configurationValues"])
            if wrong:
                raise invalid(f"ConfigurationValue provided in request is not supported: {wrong}")

    def _described(self, item: Addon) -> dict[str, Any]:
        status = item.status or "DELETING"
        failed = item.failure is not None and status == item.failure.status
        issue = {"code": item.failure.code, "message": item.failure.message} if failed and item.failure else None
        return {
            "addonName": item.name,
            "clusterName": item.cluster,
            "status": status,
            "addonVersion": item.version,
            "health": {"issues": [issue] if issue else []},
            "addonArn": item.arn,
            "createdAt": item.created,
            "modifiedAt": item.modified,
            "serviceAccountRoleArn": item.role_arn,
            "tags": item.tags,
            "owner": "aws",
            "publisher": "eks",
            "configurationValues": item.configuration or None,
        }
