# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Garbage collection under the real ansible-playbook, against an S3 server and a stand-in API server over loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.ownership import ownership_labels
from moto.server import ThreadedMotoServer

from tests.unit.fleet.api_stand_in import ApiServer
from tests.unit.fleet.bad_descriptions import COMMIT
from tests.unit.fleet.test_playbooks import run

BUCKET = "eu-west-3-123456789012-prod-weights"
OLD, OLDER, LORA = "0" * 40, "1" * 40, "a" * 40
PLAYBOOK = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - llmfleet.eks.delete_unused_weights:
        confirm: "{{ llmfleet_gc_confirm | default('') }}"
        price: "{{ price | default(omit) }}"
      register: done
    - ansible.builtin.copy:
        content: "{{ done | to_json }}"
        dest: "{{ out }}"
        mode: "0600"
      check_mode: false
      vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""


@dataclass
class World:
    """A bucket of weights, an API server, and the variables of a fleet on them."""

    folder: Path
    s3: Any
    api: ApiServer
    variables: dict[str, Any]

    def put(
        self, folder: str, contents: dict[str, int], ledger: bool = True, mark: bool = True, **changes: Any
    ) -> None:
        """Put a revision as a fetch leaves it. folder: below models/."""
        *_start, name, revision = folder.split("/")
        metadata = {"llmfleet-identity": "sha256:x"} if mark else {}
        for path, size in contents.items():
            self.s3.put_object(Bucket=BUCKET, Key=f"models/{folder}/{path}", Body=b"x" * size, Metadata=metadata)
        if ledger:
            listed = [{"path": path, "size": size, "sha256": "x"} for path, size in contents.items()]
            body = {"version": 1, "model": name, "requested_revision": revision, "files": listed, **changes}
            self.s3.put_object(
                Bucket=BUCKET, Key=f"models/{folder}/.llmfleet/ledger.json", Body=json.dumps(body).encode()
            )

    def present(self) -> set[str]:
        """Keys of everything below models/, without that."""
        found = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {each["Key"].removeprefix("models/") for each in found}

    def run(self, *more: str, fails: bool = False) -> tuple[str, dict[str, Any]]:
        """Run it; output, and result ({} when it failed)."""
        playbook, out = self.folder / "gc.yml", self.folder / "out.json"
        playbook.write_text(PLAYBOOK, encoding="utf-8")
        out.unlink(missing_ok=True)
        done = run(self.folder, {"one": self.variables}, playbook, "-e", f"out={out}", *more)
        output = " ".join((done.stdout + done.stderr).split())
        assert (done.returncode != 0) is fails, output
        return output, json.loads(out.read_text()) if out.exists() else {}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The endpoint of an S3 server."""
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def world(server: str, tmp_path: Path, variables: Any) -> Iterator[World]:
    """A fleet of one model with an adapter, whose weights are there, and a bucket that is the cluster's."""
    config, credentials, kubeconfig = (tmp_path / name for name in ("config", "credentials", "kubeconfig"))
    config.write_text(f"[profile t]\nendpoint_url = {server}\ns3 =\n    addressing_style = path\n", encoding="utf-8")
    credentials.write_text("[t]\naws_access_key_id = test\naws_secret_access_key = test\n", encoding="utf-8")
    s3 = boto3.client(
        "s3", endpoint_url=server, region_name="eu-west-3", aws_access_key_id="test", aws_secret_access_key="test"
    )
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    tags = [{"Key": key, "Value": value} for key, value in ownership_labels("prod", "storage").items()]
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": tags})
    api = ApiServer()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    kubeconfig.write_text(yaml.safe_dump(api.kubeconfig()), encoding="utf-8")
    variables["llmfleet_aws"] = {"profile": "t", "config_file": str(config), "credentials_file": str(credentials)}
    variables["llmfleet_cluster"] |= {"kubeconfig": str(kubeconfig), "context": "lab"}
    variables["llmfleet_models"][0]["adapters"] = [{"name": "sql", "repository": "o/sql", "revision": LORA}]
    made = World(tmp_path, s3, api, variables)
    made.put(f"qwen/{COMMIT}", {"config.json": 2, "model.safetensors": 10})
    made.put(f"qwen/adapters/sql/{LORA}", {"adapter_model.safetensors": 3})
    yield made
    api.shutdown()
    api.server_close()
    for each in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=BUCKET, Key=each["Key"], UploadId=each["UploadId"])
    for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    for version in s3.list_object_versions(Bucket=BUCKET).get("DeleteMarkers", []):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    s3.delete_bucket(Bucket=BUCKET)


CONFIRM = ("-e", "llmfleet_gc_confirm=prod")


def unused(world: World) -> None:
    """Revisions that nothing needs: of the model, of a model that is gone, of an adapter, and one never completed."""
    world.put(f"qwen/{OLD}", {"config.json": 2, "model.safetensors": 30})
    world.put("gone/main", {"model.safetensors": 40})
    world.put(f"qwen/adapters/sql/{OLDER}", {"adapter_model.safetensors": 5})
    world.put(f"gone/{OLDER}", {"part.safetensors": 7}, ledger=False)


def test_a_dry_run_tells_sizes_and_costs_and_deletes_nothing(world: World) -> None:
    unused(world)
    before = world.present()
    for more in ((), ("--check",), ("--check", *CONFIRM)):
        output, result = world.run(*more)
        assert world.present() == before
        sizes = {each["prefix"]: each["bytes"] for each in result["unused"]}
        assert sizes.keys() == {
            f"models/qwen/{OLD}",
            "models/gone/main",
            f"models/qwen/adapters/sql/{OLDER}",
            f"models/gone/{OLDER}",
        }
        assert sizes[f"models/gone/{OLDER}"] == 7 and sizes[f"models/qwen/{OLD}"] > 32
        assert not result["deleted"] and result["changed"] is (CONFIRM[1] in more)
        assert f"unused: models/gone/{OLDER}: 7 B in 1 object, less than 0.01 USD a month, never completed" in output
        assert "S3 Standard in eu-west-3: 0.024 USD a GB and month, list price as of 2025-10, https://aws" in output
        assert "unused in all: 4 revisions" in output
        assert ("nothing was deleted: -e llmfleet_gc_confirm=prod deletes them" in output) is (not result["changed"])
    assert not [line for line in world.api.asked if not line.startswith("GET ")]


def test_with_the_clusters_name_they_go_and_nothing_else(world: World) -> None:
    needed = world.present()
    unused(world)
    # What no fetch has written, and what is not laid out as the fetcher does it.
    foreign = {f"qwen/{OLD}/notes.txt", ".cache/gone/x/code.so", "readme.txt", "other/file.bin", f"Qwen/{OLD}/x"}
    for key in foreign:
        world.s3.put_object(Bucket=BUCKET, Key=f"models/{key}", Body=b"mine")
    world.s3.put_object(Bucket=BUCKET, Key=f"elsewhere/{OLD}/model.safetensors", Body=b"mine")
    output, result = world.run(*CONFIRM)
    assert result["deleted"] and result["changed"]
    assert world.present() == needed | foreign | {f"elsewhere/{OLD}/model.safetensors"}
    assert f"models/qwen/{OLD}: no fetch has written models/qwen/{OLD}/notes.txt: left alone" in output
    output, result = world.run(*CONFIRM)
    assert not result["changed"] and result["unused"] == [] and "no revision in the bucket is unused" in output


def test_another_name_is_refused_before_anything_is_read(world: World) -> None:
    unused(world)
    before = world.present()
    output, _result = world.run("-e", "llmfleet_gc_confirm=lab", fails=True)
    assert "llmfleet_gc_confirm: got 'lab'; accepted: 'prod', the name of the cluster. Nothing was deleted" in output
    assert world.present() == before and world.api.asked == []


def engine(name: str, args: list[str], model: str = "qwen", kind: str = "Deployment", **more: Any) -> dict[str, Any]:
    """Something whose pods serve a folder of a model."""
    mount = {"name": "weights", "mountPath": "/models", "subPath": model}
    template = {"spec": {"containers": [{"name": "vllm", "args": args, "volumeMounts": [mount]}]}}
    spec = {"replicas": 1, "template": template, **more.pop("spec", {})}
    return {
        "kind": kind,
        "metadata": {"name": name, "namespace": "llm", "uid": name, **more.pop("metadata", {})},
        "spec": spec,
        **more,
    }


@pytest.mark.parametrize("plural", ["deployments", "replicasets", "jobs", "pods", "statefulsets"])
def test_what_the_cluster_uses_stays(world: World, plural: str) -> None:
    unused(world)
    world.api.objects[plural] = [engine("x", ["--model", f"/models/{OLD}"])]
    output, result = world.run(*CONFIRM)
    assert f"models/qwen/{OLD} stays: it is not in the description, but" in output and "llm/x uses it" in output
    assert {f"qwen/{OLD}/model.safetensors", f"qwen/{OLD}/.llmfleet/ledger.json"} <= world.present()
    assert len(result["unused"]) == 3


def test_an_adapter_that_is_served_stays(world: World) -> None:
    unused(world)
    world.api.objects["deployments"] = [engine("x", ["--lora-modules", f"sql=/models/adapters/sql/{OLDER}"])]
    _output, result = world.run(*CONFIRM)
    assert f"qwen/adapters/sql/{OLDER}/adapter_model.safetensors" in world.present()
    assert len(result["unused"]) == 3


def test_the_same_commit_below_another_model_is_not_in_use(world: World) -> None:
    world.put(f"renamed/{COMMIT}", {"model.safetensors": 9})
    world.api.objects["deployments"] = [engine("qwen", ["--model", f"/models/{COMMIT}"])]
    _output, result = world.run()
    assert [each["prefix"] for each in result["unused"]] == [f"models/renamed/{COMMIT}"]


def replica_set(name: str, revision: int, args: list[str], served: bool, replicas: int = 0) -> dict[str, Any]:
    """A release of the Deployment qwen."""
    metadata = {
        "annotations": {"deployment.kubernetes.io/revision": str(revision)},
        "labels": {"llmfleet.io/served": "true"} if served else {},
        "ownerReferences": [{"uid": "qwen"}],
    }
    return engine(name, args, kind="ReplicaSet", metadata=metadata, spec={"replicas": replicas})


@pytest.mark.parametrize("served", [True, False])
def test_a_release_that_may_be_gone_back_to_stays(world: World, served: bool) -> None:
    unused(world)
    now, before = ["--model", f"/models/{COMMIT}"], ["--model", f"/models/{OLD}"]
    world.api.objects["deployments"] = [engine("qwen", now)]
    world.api.objects["replicasets"] = [replica_set("new", 2, now, served, 1), replica_set("old", 1, before, True)]
    _output, result = world.run()
    assert (f"models/qwen/{OLD}" in {each["prefix"] for each in result["unused"]}) is served


def test_jobs_and_pods_that_have_ended_use_nothing(world: World) -> None:
    unused(world)
    done = {"conditions": [{"type": "Complete", "status": "True"}]}
    world.api.objects["jobs"] = [engine("x", [f"/weights/qwen/{OLD}"], kind="Job", status=done)]
    world.api.objects["pods"] = [engine("x", [f"/weights/qwen/{OLD}"], kind="Pod", status={"phase": "Succeeded"})]
    assert len(world.run()[1]["unused"]) == 4


def test_without_an_answer_of_the_cluster_nothing_is_deleted(world: World) -> None:
    unused(world)
    before = world.present()
    world.api.forbidden = {"replicasets"}
    output, _result = world.run(*CONFIRM, fails=True)
    assert "replicasets is forbidden" in output and world.present() == before


def test_a_bucket_of_somebody_else_is_not_touched(world: World) -> None:
    unused(world)
    before = world.present()
    world.s3.delete_bucket_tagging(Bucket=BUCKET)
    output, _result = world.run(*CONFIRM, fails=True)
    assert f"bucket {BUCKET} does not carry the tags of the cluster prod" in output and world.present() == before


def test_a_ledger_of_something_else_keeps_its_folder(world: World) -> None:
    world.put(f"qwen/{OLD}", {"model.safetensors": 3}, model="other")
    world.put(f"qwen/{OLDER}", {"model.safetensors": 3}, files="none")
    before = world.present()
    output, result = world.run(*CONFIRM)
    assert world.present() == before and result["unused"] == []
    assert f"models/qwen/{OLD} stays: of its ledger, it is of other at {OLD}" in output
    assert f"models/qwen/{OLDER} stays: of its ledger, it is no ledger" in output


def test_unfinished_uploads_of_unused_revisions_go(world: World) -> None:
    uploads = [f"models/gone/{OLD}/a.safetensors", f"models/qwen/{COMMIT}/b.safetensors", f"x/{OLD}/c"]
    for key in uploads:
        world.s3.create_multipart_upload(Bucket=BUCKET, Key=key)
    output, _result = world.run(*CONFIRM)
    assert f"unused: models/gone/{OLD}: 0 B in no objects, 0.00 USD a month, 1 unfinished upload" in output
    left = [each["Key"] for each in world.s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]]
    assert sorted(left) == sorted(uploads[1:])


def test_only_the_folders_of_chosen_models(world: World) -> None:
    unused(world)
    _output, result = world.run("-e", "llmfleet_only=qwen")
    assert {each["prefix"].split("/")[1] for each in result["unused"]} == {"qwen"}


def test_versions_that_stay_and_cost_are_told(world: World) -> None:
    unused(world)
    world.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert "has no lifecycle rule that expires them: they go on costing the same" in world.run()[0]
    rule = {
        "ID": "x",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
    }
    world.s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    assert "the bucket keeps deleted versions for 3 days" in world.run()[0]


def test_the_price_can_be_given(world: World) -> None:
    unused(world)
    output, result = world.run("-e", "price=1.5")
    assert result["price"] == "weights_storage_price: 1.5 USD a GB and month" and "2025" not in output
