# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""models.yml and the fit of models under the real ansible-playbook, against an S3 server over loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.chosen import of_models, of_models_selector
from moto.server import ThreadedMotoServer

from tests.unit.fleet.fit_models import QWEN3, SIZES, files
from tests.unit.fleet.test_playbooks import ROOT, run

BUCKET = "eu-west-3-123456789012-prod-weights"
MODELS = ROOT / "playbooks" / "models.yml"
FIT = """
- hosts: all
  connection: local
  gather_facts: false
  tasks:
    - llmfleet.eks.fit:
        refuse: "{{ refuse | default(true) | bool }}"
      register: fitted
    - ansible.builtin.copy:
        content: "{{ fitted | to_json }}"
        dest: "{{ out }}"
        mode: "0600"
      check_mode: false
      vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""
# What roles have for llmfleet.eks.apply and for verify.
CHOSEN = """
- hosts: all
  connection: local
  gather_facts: false
  vars_files: [VERIFY]
  tasks:
    - llmfleet.eks.describe:
      register: described
    - ansible.builtin.copy:
        content: >-
          {{ {'models': __llmfleet_desired | llmfleet.eks.component('models'),
              'weights': __llmfleet_desired | llmfleet.eks.component('weights'),
              'only': __llmfleet_fleet.platform.only | default('omitted', true),
              'verify': __verify_models | map(attribute='name') | list} | to_json }}
        dest: "{{ out }}"
        mode: "0600"
      vars:
        ansible_python_interpreter: "{{ ansible_playbook_python }}"
        __llmfleet_desired: "{{ described.desired }}"
        __llmfleet_fleet: "{{ described.fleet }}"
"""


@dataclass
class Bucket:
    """A bucket of weights, and llmfleet_aws that leads to it."""

    s3: Any
    aws: dict[str, str]
    variables: dict[str, Any] = field(default_factory=dict)

    def put(self, model: str, config: dict[str, Any] | bytes | None, size: int, **ledger: Any) -> None:
        """Put what the fetcher leaves of a model."""
        prefix = f"models/{model}/{self.variables['llmfleet_models'][0]['weights']['revision']}"
        body = {
            "version": 1,
            "repository": "Qwen/Qwen3-8B",
            "requested_revision": prefix.rsplit("/", 1)[1],
            "files": files(size),
            **ledger,
        }
        self.s3.put_object(Bucket=BUCKET, Key=f"{prefix}/.llmfleet/ledger.json", Body=json.dumps(body).encode())
        if config is not None:
            text = config if isinstance(config, bytes) else json.dumps(config).encode()
            self.s3.put_object(Bucket=BUCKET, Key=f"{prefix}/config.json", Body=text)

    def keys(self) -> dict[str, str]:
        """Key -> ETag of everything in it."""
        found = self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {entry["Key"]: entry["ETag"] for entry in found}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The endpoint of an S3 server."""
    running = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, tmp_path: Path, variables: Any) -> Iterator[Bucket]:
    """An empty bucket, and a fleet of three models with it."""
    config, credentials = tmp_path / "aws-config", tmp_path / "aws-credentials"
    config.write_text(f"[profile t]\nendpoint_url = {server}\ns3 =\n    addressing_style = path\n", encoding="utf-8")
    credentials.write_text("[t]\naws_access_key_id = test\naws_secret_access_key = test\n", encoding="utf-8")
    s3 = boto3.client(
        "s3",
        endpoint_url=server,
        region_name="eu-west-3",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    first = variables["llmfleet_models"][0]
    first |= {"engine": {"context_length": 32768, "quantization": "fp8"}, "scaling": {"min": 1, "max": 1}}
    variables["llmfleet_models"] = [first, {**first, "name": "second"}, {**first, "name": "third"}]
    aws = {"profile": "t", "config_file": str(config), "credentials_file": str(credentials)}
    variables["llmfleet_aws"] = aws
    yield Bucket(s3, aws, variables)
    for key in [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]:
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_bucket(Bucket=BUCKET)


def fitted(tmp_path: Path, bucket: Bucket, *more: str) -> tuple[int, str, dict[str, Any]]:
    """Run the fit: exit code, output, result ({} when the task failed)."""
    playbook, out = tmp_path / "fit.yml", tmp_path / "out.json"
    playbook.write_text(FIT, encoding="utf-8")
    done = run(tmp_path, {"one": bucket.variables}, playbook, "-e", f"out={out}", *more)
    return done.returncode, done.stdout + done.stderr, json.loads(out.read_text()) if out.exists() else {}


def test_what_is_known_is_told_and_what_is_not_yet_is_no_failure(tmp_path: Path, bucket: Bucket) -> None:
    bucket.put("qwen", QWEN3, SIZES["qwen3"])
    bucket.put("third", b"[1]", 5)
    before = bucket.keys()
    code, output, result = fitted(tmp_path, bucket, "--check")
    assert code == 0, output
    assert result["changed"] is False and result["errors"] == []
    assert result["not_known"] == {
        "second": "not known yet: its weights are not in the bucket",
        "third": "not known: config.json is no map",
    }
    (qwen,) = result["models"]
    assert (qwen["gpu"], qwen["kv_token"], qwen["model_context"]) == ("l4", 144 * 1024, 40960)
    # Readable as it runs, without -v.
    assert "[one] qwen: KV cache of 73,568 tokens (144.0 KiB each), 2.2 sequences of 32,768 at once" in output
    assert "[one] second: not known yet: its weights are not in the bucket" in output
    assert bucket.keys() == before


def test_without_a_bucket_nothing_is_known_yet(tmp_path: Path, bucket: Bucket) -> None:
    bucket.variables["llmfleet_bucket"] = "there-is-none"
    code, output, result = fitted(tmp_path, bucket)
    assert code == 0, output
    assert sorted(result["not_known"]) == ["qwen", "second", "third"] and result["models"] == []


def test_what_cannot_start_is_refused_all_at_once(tmp_path: Path, bucket: Bucket) -> None:
    for name in ("qwen", "second", "third"):
        bucket.put(name, QWEN3, SIZES["qwen3"])
    bucket.variables["llmfleet_models"][0] = {
        **bucket.variables["llmfleet_models"][0],
        "engine": {"context_length": 65536},
    }
    bucket.variables["llmfleet_models"][2] = {
        **bucket.variables["llmfleet_models"][2],
        "engine": {"quantization": "awq"},
    }
    wanted = [
        "llmfleet_models[0] (qwen).engine.context_length: got 65536: config.json says max_position_embeddings 40960; "
        "accepted: at most 25600",
        "llmfleet_models[2] (third).engine.quantization: got 'awq': the weights of Qwen/Qwen3-8B are not quantized; "
        "accepted: none, fp8",
    ]
    code, output, result = fitted(tmp_path, bucket)
    assert code != 0 and not result
    assert all(line in " ".join(output.split()) for line in wanted), output
    code, output, result = fitted(tmp_path, bucket, "-e", "refuse=false")
    assert code == 0 and result["errors"] == wanted and "[WARNING]: llmfleet_models[2] (third)" in output
    # Only those that are asked for.
    code, output, result = fitted(tmp_path, bucket, "-e", "llmfleet_only=second")
    assert code == 0 and [model["name"] for model in result["models"]] == ["second"]


def test_a_bucket_that_cannot_be_reached_is_a_failure(tmp_path: Path, bucket: Bucket) -> None:
    bucket.variables["llmfleet_aws"] = {**bucket.aws, "config_file": "/nosuch"}
    code, output, _result = fitted(tmp_path, bucket)
    assert code != 0 and "llmfleet_aws.config_file: got '/nosuch'" in output


def chosen(tmp_path: Path, variables: Any, *more: str) -> dict[str, Any]:
    """What the roles are handed."""
    playbook, out = tmp_path / "chosen.yml", tmp_path / "out.json"
    verify = ROOT / "roles" / "verify" / "vars" / "main.yml"
    playbook.write_text(CHOSEN.replace("VERIFY", str(verify)), encoding="utf-8")
    done = run(tmp_path, {"one": variables}, playbook, "-e", f"out={out}", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(out.read_text()))


def models_of(objects: list[dict[str, Any]]) -> set[str | None]:
    """The models that objects belong to; None for those of no model."""
    return {obj["metadata"]["labels"].get("app.kubernetes.io/name") for obj in objects}


def test_only_some_models_are_acted_on(tmp_path: Path, bucket: Bucket) -> None:
    everything = chosen(tmp_path, bucket.variables)
    # The parent of the ApplySet belongs to no model.
    assert models_of(everything["models"]) - {None} == {"qwen", "second", "third"} == set(everything["verify"])
    assert models_of(everything["weights"]) == {None, "qwen", "second", "third"}
    assert everything["only"] == "omitted"
    some = chosen(tmp_path, bucket.variables, "-e", "llmfleet_only=third,qwen")
    assert set(some["verify"]) == {"qwen", "third"} and some["only"] == ["third", "qwen"]
    # What is wanted is the same: nothing becomes unwanted by not being chosen.
    assert (some["models"], some["weights"]) == (everything["models"], everything["weights"])
    acted = of_models(some["models"], some["only"])
    assert models_of(acted) == {None, "qwen", "third"} and [obj for obj in some["models"] if obj in acted] == acted
    # The fetcher's account and files belong to no model, and every job needs them.
    assert models_of(of_models(some["weights"], some["only"])) == {None, "qwen", "third"}
    assert of_models(some["weights"], None) == some["weights"]


def test_what_was_not_chosen_is_not_pruned() -> None:
    assert of_models_selector(None) == ""
    assert of_models_selector(["a", "b"]) == ",app.kubernetes.io/name in (a,b)"


@pytest.mark.parametrize("role", ["models", "weights"])
def test_every_role_that_applies_models_says_which(role: str) -> None:
    tasks = yaml.safe_load((ROOT / "roles" / role / "tasks" / "main.yml").read_text(encoding="utf-8"))
    applied = [task["llmfleet.eks.apply"] for task in tasks if "llmfleet.eks.apply" in task]
    assert applied and all("__llmfleet_fleet.platform.only" in task["only"] for task in applied)


def test_models_need_no_id_that_only_the_cloud_knows(tmp_path: Path, bucket: Bucket) -> None:
    found = chosen(tmp_path, bucket.variables)
    assert "pending:" not in json.dumps([found["models"], found["weights"]])


def test_an_unknown_model_is_refused_before_anything(tmp_path: Path, bucket: Bucket) -> None:
    code, output, _result = fitted(tmp_path, bucket, "-e", "llmfleet_only=qwen,nosuch")
    line = "llmfleet_only: got 'nosuch': not a model of the fleet; accepted: qwen, second, third"
    assert code != 0 and line in output


def listed(tmp_path: Path, *more: str) -> list[str]:
    """The tasks of models.yml that would run."""
    done = run(tmp_path, {"one": {}}, MODELS, "--list-tasks", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    tasks = [line.split("TAGS:")[0].strip() for line in done.stdout.splitlines() if "llmfleet.eks." in line]
    return [task.removeprefix("llmfleet.eks.") for task in tasks if "Validating arguments" not in task]


def test_the_playbook_tells_the_figures_alone(tmp_path: Path) -> None:
    roles = list(dict.fromkeys(task.split(" : ")[0] for task in listed(tmp_path)))
    assert roles == ["preflight", "weights", "models", "verify"]
    figures = [task for task in listed(tmp_path, "--tags", "fit") if not task.startswith("preflight")]
    assert figures == ["models : Check that the models fit the GPUs of their pools"]
    tasks = listed(tmp_path)
    fit, apply = (
        tasks.index(f"models : {name}")
        for name in (figures[0].split(" : ")[1], "Apply the models and wait until they serve")
    )
    assert fit < apply
