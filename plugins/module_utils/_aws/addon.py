# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EKS add-ons: what EKS itself installs in a cluster and keeps there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.llmfleet.eks.plugins.module_utils._aws import tags as tagging
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.addon_values import data_of, known, text_of
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError, doing
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.results import Result, Run, plain
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.retries import call, pages
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.waiters import (
    ADDON_ACTIVE,
    ADDON_DELETED,
    ADDON_SETTLED,
    ADDON_UPDATED,
    Waiter,
    wait_for,
)
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import (
    CLUSTER_LABEL,
    MANAGED_BY_LABEL,
)

# EKS takes no change while one is under way.
CHANGING = frozenset({"CREATING", "UPDATING"})
# A change that failed is asked for again; DEGRADED is told, as the same request again would not mend it.
UNFINISHED = frozenset({"CREATE_FAILED", "UPDATE_FAILED"})
FAILED = UNFINISHED | {"DEGRADED", "DELETE_FAILED"}


@dataclass(frozen=True)
class Addon:
    """A wanted add-on. version: None for the default of EKS, and then the one that is there stays.

    configuration_values: None leaves them alone, {} are the add-on's own. drop_unknown_values: leave out those that the
    schema of the version does not have. resolve_conflicts: what becomes of fields that others have set. tags: None
    leaves them alone, {} removes all.
    """

    cluster_name: str
    name: str
    version: str | None = None
    configuration_values: Mapping[str, Any] | None = None
    drop_unknown_values: bool = False
    resolve_conflicts: str = "OVERWRITE"
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True

    @property
    def label(self) -> str:
        """For messages."""
        return f"the add-on {self.name} of {self.cluster_name}"


def list_addons(eks: Any, cluster: str) -> list[str]:
    """The names of a cluster's add-ons; [] when there is no such cluster."""
    try:
        with doing(f"list the add-ons of the EKS cluster {cluster}"):
            return [str(name) for name in pages(eks.list_addons, "addons", clusterName=cluster)]
    except AwsError as error:
        if error.missing:
            return []
        raise


def read(eks: Any, cluster: str, name: str) -> dict[str, Any]:
    """One add-on as a play sees it; {} when it, or the cluster, does not exist."""
    try:
        with doing(f"read the add-on {name} of {cluster}"):
            answer = call(eks.describe_addon, clusterName=cluster, addonName=name)
    except AwsError as error:
        if error.missing:
            return {}
        raise
    return plain(answer["addon"])


def fitted(eks: Any, wanted: Addon) -> tuple[Addon, list[str]]:
    """The add-on without the values that its version cannot take, when asked for, and the paths of those.

    Which values an add-on takes differs by version, and EKS refuses all of them for an unknown one.
    """
    if not wanted.drop_unknown_values or not wanted.configuration_values or wanted.version is None:
        return wanted, []
    with doing(f"read which values the add-on {wanted.name} {wanted.version} takes"):
        answer = call(eks.describe_addon_configuration, addonName=wanted.name, addonVersion=wanted.version)
    values, dropped = known(wanted.configuration_values, data_of(answer.get("configurationSchema")))
    return replace(wanted, configuration_values=values), dropped


def differences(wanted: Addon, found: Mapping[str, Any]) -> dict[str, Any]:
    """What an update has to say, as parameters of UpdateAddon; {} when version and configuration are as wanted."""
    changes: dict[str, Any] = {}
    if wanted.version is not None and found.get("addon_version") != wanted.version:
        changes["addonVersion"] = wanted.version
    values = wanted.configuration_values
    if values is not None and data_of(found.get("configuration_values")) != values:
        changes["configurationValues"] = text_of(values)
    return changes


def ensure_present(eks: Any, wanted: Addon, run: Run) -> Result:
    """Install the add-on, or bring version, configuration and tags of the existing one to the wanted values.

    One that does not carry the owner's tags is left as it is when version and configuration are as wanted, and refused
    otherwise. Raises AwsError, WaitError.
    """
    before = read(eks, wanted.cluster_name, wanted.name)
    if before.get("status") == "DELETING" and not run.check:
        _wait(eks, wanted, ADDON_DELETED, run)
        before = {}
    if not before or before["status"] == "DELETING":
        return _create(eks, wanted, run)
    changes = differences(wanted, before)
    foreign = _foreign(wanted, before)
    if changes and foreign:
        what = ", ".join(f"{key} is not {value}" for key, value in sorted(changes.items()))
        raise AwsError(f"{wanted.label} {foreign}, and is not changed: {what}")
    change = tagging.TagChange({}, ()) if foreign else _tag_change(wanted, before)
    retry = before["status"] in UNFINISHED and not foreign
    if not changes and not change and not retry:
        return Result(False, before, _settled(eks, wanted, ADDON_ACTIVE, before, run))
    if run.check:
        return Result(True, before, _predicted(before, changes, tagging.applied(before["tags"], change)))
    _change_tags(eks, before["addon_arn"], change, wanted)
    if not changes and not retry:
        found = _settled(eks, wanted, ADDON_ACTIVE, before, run)
        return Result(True, before, {**found, "tags": tagging.applied(before["tags"], change)})
    _update(eks, wanted, before, changes, run)
    return Result(True, before, read(eks, wanted.cluster_name, wanted.name))


def ensure_absent(eks: Any, wanted: Addon, run: Run) -> Result:
    """Delete the add-on with what it installed; a cluster that does not exist has none."""
    before = read(eks, wanted.cluster_name, wanted.name)
    if not before:
        return Result(False)
    if run.check:
        return Result(True, before, {})
    if before["status"] in CHANGING:
        _wait(eks, wanted, ADDON_SETTLED, run)
    if before["status"] != "DELETING":
        try:
            with doing(f"delete {wanted.label}"):
                call(eks.delete_addon, clusterName=wanted.cluster_name, addonName=wanted.name, preserve=False)
        except AwsError as error:
            if not error.missing:
                raise
            return Result(True, before, {})
    if run.wait:
        _wait(eks, wanted, ADDON_DELETED, run)
    return Result(True, before, {})


def _create(eks: Any, wanted: Addon, run: Run) -> Result:
    request: dict[str, Any] = {
        "clusterName": wanted.cluster_name,
        "addonName": wanted.name,
        "resolveConflicts": wanted.resolve_conflicts,
        "tags": tagging.normalise(wanted.tags or {}),
    }
    if wanted.version is not None:
        request["addonVersion"] = wanted.version
    if wanted.configuration_values is not None:
        request["configurationValues"] = text_of(wanted.configuration_values)
    if run.check:
        predicted = {key: value for key, value in request.items() if key != "resolveConflicts"}
        return Result(True, {}, plain({**predicted, "status": "ACTIVE" if run.wait else "CREATING"}))
    try:
        with doing(f"create {wanted.label}"):
            call(eks.create_addon, **request)
    except AwsError as error:
        # Somebody else, or our own call whose reply was lost, made it in the meantime: take that one on.
        if error.code != "ResourceInUseException" or not read(eks, wanted.cluster_name, wanted.name):
            raise
        return Result(True, {}, ensure_present(eks, wanted, run).after)
    if run.wait:
        _wait(eks, wanted, ADDON_ACTIVE, run)
    return Result(True, {}, read(eks, wanted.cluster_name, wanted.name))


def _update(eks: Any, wanted: Addon, before: Mapping[str, Any], changes: Mapping[str, Any], run: Run) -> None:
    """Write changes, {} to ask again for what failed; with all that shall stay, as EKS may reset what is not said."""
    if before["status"] in CHANGING:
        _wait(eks, wanted, ADDON_SETTLED, run)
    request = {"addonVersion": before["addon_version"], **changes}
    if "configurationValues" not in request and before.get("configuration_values"):
        request["configurationValues"] = before["configuration_values"]
    if before.get("service_account_role_arn"):
        request["serviceAccountRoleArn"] = before["service_account_role_arn"]
    with doing(f"update {wanted.label}"):
        call(
            eks.update_addon,
            clusterName=wanted.cluster_name,
            addonName=wanted.name,
            resolveConflicts=wanted.resolve_conflicts,
            **request,
        )
    if run.wait:
        _wait(eks, wanted, ADDON_UPDATED if before["status"] in FAILED else ADDON_ACTIVE, run)


def _settled(eks: Any, wanted: Addon, waiter: Waiter, found: dict[str, Any], run: Run) -> dict[str, Any]:
    """The add-on once it is active, when that is to be waited for."""
    if found["status"] == "ACTIVE" or run.check or not run.wait:
        return found
    _wait(eks, wanted, waiter, run)
    return read(eks, wanted.cluster_name, wanted.name)


def _wait(eks: Any, wanted: Addon, waiter: Waiter, run: Run) -> None:
    def once() -> dict[str, Any] | None:
        found = read(eks, wanted.cluster_name, wanted.name)
        return {"status": found["status"], "statusMessage": _issues(found)} if found else None

    wait_for(waiter, f"{wanted.name} of {wanted.cluster_name}", once, run.left)


def _issues(found: Mapping[str, Any]) -> str:
    """What EKS says about the health of an add-on: "ConfigurationConflict: Conflicts found …"."""
    listed = (found.get("health") or {}).get("issues") or []
    return "; ".join(f"{issue.get('code', '')}: {issue.get('message', '')}" for issue in listed)


def _foreign(wanted: Addon, found: Mapping[str, Any]) -> str:
    """Whose the add-on is when it is not of whom the wanted tags name; "" when it is, or when they name nobody."""
    tags = tagging.normalise(wanted.tags or {})
    owner = {key: tags[key] for key in (CLUSTER_LABEL, MANAGED_BY_LABEL) if key in tags}
    if all(found["tags"].get(key) == value for key, value in owner.items()):
        return ""
    other = found["tags"].get(CLUSTER_LABEL)
    whose = f"belongs to the cluster named {other!r}" if other else "was not made by llmfleet"
    return f"{whose} (tag {CLUSTER_LABEL})"


def _tag_change(wanted: Addon, found: Mapping[str, Any]) -> tagging.TagChange:
    tags = None if wanted.tags is None else tagging.normalise(wanted.tags)
    return tagging.difference(found["tags"], tags, purge=wanted.purge_tags)


def _change_tags(eks: Any, arn: str, change: tagging.TagChange, wanted: Addon) -> None:
    with doing(f"change the tags of {wanted.label}"):
        if change.to_set:
            call(eks.tag_resource, resourceArn=arn, tags=change.to_set)
        if change.to_remove:
            call(eks.untag_resource, resourceArn=arn, tagKeys=list(change.to_remove))


def _predicted(before: Mapping[str, Any], changes: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    return {**before, **{key: value for key, value in plain(changes).items() if key != "tags"}, "tags": dict(tags)}
