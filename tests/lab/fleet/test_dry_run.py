# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is rendered, sent to a real API server as server-side apply that is a dry run: nothing is refused.

Both namespaces of a fleet are made for the test: a server refuses objects of namespaces that it has not. Nothing else
is written. Kinds that the server does not have are named in a warning; those of the folder of extra CRDs must be there.
"""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.client import THREADS, Client, open_client
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.errors import ClusterError, UnknownKind
from ansible_collections.llmfleet.eks.plugins.module_utils._cluster.objects import without_nulls
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.description import describe
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.from_tasks import known_on_disk
from llmfleet_lab.definitions import PART, definitions
from llmfleet_lab.kubernetes import extra_crds
from llmfleet_lab.lifecycle import make_plan
from llmfleet_lab.paths import Paths

from tests.unit.fleet.boundaries import all_of_them

DESCRIPTIONS = all_of_them()


@pytest.fixture(scope="module")
def client(paths: Paths) -> Client:
    """A client of the lab's API server."""
    return open_client({"name": "any", "kubeconfig": str(paths.kubeconfig)})


@pytest.fixture(scope="module")
def namespaces(client: Client) -> Iterator[tuple[str, str]]:
    """Names of a models' and a gateway's namespace that exist during the tests."""
    names = (f"dry-{uuid.uuid4().hex[:8]}", f"dry-{uuid.uuid4().hex[:8]}-gateway")
    resource = client.discovery.resource("v1", "Namespace")
    try:
        for name in names:
            client.apply(
                resource.path(None, name), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            )
        yield names
    finally:
        for name in names:
            client.delete(resource.path(None, name))


def _extra_kinds(paths: Paths) -> set[str]:
    """Versions and kinds of the definitions that the lab was given: its own, and those of the folder of extra CRDs."""
    crds = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in extra_crds()]
    crds += definitions(make_plan(paths).folder(PART))
    return {
        f"{crd['spec']['group']}/{version['name']} {crd['spec']['names']['kind']}"
        for crd in crds
        for version in crd["spec"]["versions"]
        if version["served"]
    }


def _send(client: Client, manifest: dict[str, Any]) -> tuple[str, str]:
    """('refused' or 'skipped' or '', what and why) of one object."""
    title = f"{manifest['kind']} {manifest['metadata'].get('namespace', '')}/{manifest['metadata']['name']}"
    try:
        resource = client.discovery.resource(manifest["apiVersion"], manifest["kind"])
    except UnknownKind:
        return "skipped", f"{manifest['apiVersion']} {manifest['kind']}"
    try:
        # Forced: objects of these names may be there and be others', such as the lab's own runtime class.
        client.apply(
            resource.path(manifest["metadata"].get("namespace"), manifest["metadata"]["name"]),
            without_nulls(manifest),
            dry_run=True,
            force=True,
        )
    except ClusterError as error:
        return "refused", f"{title}: {error}"
    return "", title


def _known(cluster: str) -> dict[str, str]:
    """Ids as AWS gives them: definitions hold them to their form."""
    return known_on_disk() | {
        f"vpc/{cluster}": "vpc-0123456789abcdef0",
        f"subnets/{cluster}": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        f"security_group/{cluster}-node": "sg-0123456789abcdef0",
    }


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_server_takes_every_object(name: str, client: Client, paths: Paths, namespaces: tuple[str, str]) -> None:
    models, gateway = namespaces
    variables = DESCRIPTIONS[name] | {"llmfleet_models_namespace": models, "llmfleet_gateway_namespace": gateway}
    # A volume of this name may be there, and hardly anything of a volume can be changed.
    variables["llmfleet_cluster"] = variables["llmfleet_cluster"] | {"name": models}
    objects = [entry["object"] for entry in desired(describe(variables), _known(models)).objects]
    assert objects
    before = client.writes
    # Discovery is filled once, before threads ask for it.
    client.discovery.resource("v1", "Namespace")
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda manifest: _send(client, manifest), objects))
    refused = [text for verdict, text in answers if verdict == "refused"]
    skipped = sorted({text for verdict, text in answers if verdict == "skipped"})
    told = f"\nkinds that the server does not have, skipped: {', '.join(skipped)}" if skipped else ""
    assert client.writes == before
    assert not refused, "\n".join(refused) + told
    assert any(verdict == "" for verdict, _text in answers), told
    assert not set(skipped) & _extra_kinds(paths), told
    if told:
        warnings.warn(pytest.PytestWarning(told.strip()), stacklevel=1)


def test_a_server_refuses_what_is_wrong(client: Client, namespaces: tuple[str, str]) -> None:
    """The way of asking can tell: a field that there is not, and a name that cannot be."""
    models, _gateway = namespaces
    good: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "namespace": models},
        "data": {"a": "b"},
    }
    assert _send(client, good)[0] == ""
    assert _send(client, {**good, "datas": {}})[0] == "refused"
    assert _send(client, {**good, "metadata": {"name": "A_B", "namespace": models}})[0] == "refused"
    assert _send(client, {**good, "apiVersion": "nosuch.example/v1"})[0] == "skipped"
