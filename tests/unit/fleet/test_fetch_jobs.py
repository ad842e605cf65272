# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jobs that bring weights: of models and of their adapters."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired

COMMIT = "0123456789abcdef0123456789abcdef01234567"
Object = dict[str, Any]


def _model(variables: Any) -> Object:
    return variables["llmfleet_models"][0]  # type: ignore[no-any-return]


def _job(found: dict[str, Object], name: str = "qwen-weights") -> Object:
    (job,) = [item for key, item in found.items() if key.startswith(f"Job/{name}-")]
    return job


def test_fetch_job(variables: Any, objects: Any) -> None:
    _model(variables)["weights"] |= {"token_secret": "hf", "files": ["*.safetensors"]}
    variables["llmfleet_weights_hub_endpoint"] = "http://hub:1"
    found = objects()
    pod = _job(found)["spec"]["template"]["spec"]
    (cache, fetch), (check,) = pod["initContainers"], pod["containers"]
    settings = {item["name"]: item.get("value") for item in fetch["env"]}
    assert json.loads(settings["LLMFLEET_WEIGHTS"]) == {
        "model": "qwen",
        "repository": "Qwen/Qwen3-8B",
        "revision": COMMIT,
        "source": "hub",
        "files": ["*.safetensors"],
        "token_secret": "hf",
        "bucket": "eu-west-3-123456789012-prod-weights",
        "prefix": f"models/qwen/{COMMIT}",
        "ledger": f"models/qwen/{COMMIT}/.llmfleet/ledger.json",
        "mount": f"/weights/qwen/{COMMIT}",
        "hub_endpoint": "http://hub:1",
        "cache": "models/.cache/qwen",
    }
    assert settings["PYTHONPATH"] == "/var/runtime"
    assert {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf", "key": "token"}}} in fetch["env"]
    assert "HF_TOKEN" not in str(check["env"])
    assert fetch["command"] == ["python3", "-m", "fetcher", "fetch"]
    assert check["command"] == ["python3", "-m", "fetcher", "check"]
    assert fetch["workingDir"] == check["workingDir"] == "/opt/llmfleet"
    package = {"name": "package", "mountPath": "/opt/llmfleet/fetcher", "readOnly": True}
    assert package in fetch["volumeMounts"] and package in check["volumeMounts"]
    assert {"name": "weights", "mountPath": "/weights", "readOnly": True} in check["volumeMounts"]
    # The fetcher writes to S3 and never through the mount: what is written there is the cache's folder only.
    assert "weights" not in [mount["name"] for mount in fetch["volumeMounts"]]
    assert cache["volumeMounts"] == [{"name": "weights", "mountPath": "/weights"}] and "env" not in cache
    assert cache["command"][-1] == "/weights/.cache/qwen"
    assert pod["serviceAccountName"] == "weights-fetcher" and pod["restartPolicy"] == "Never"
    assert "ttlSecondsAfterFinished" not in _job(found)["spec"]


@pytest.mark.parametrize(
    "change",
    [
        lambda v: _model(v)["weights"].update(files=["*.json"]),
        lambda v: _model(v)["weights"].update(token_secret="hf"),
        lambda v: _model(v)["weights"].update(revision="f" * 40),
        lambda v: v.update(llmfleet_weights_image="mirror/python:3.13"),
        lambda v: v.update(llmfleet_weights_hub_endpoint="http://hub:1"),
    ],
)
def test_another_job_for_everything_that_cannot_be_changed(change: Any, variables: Any, objects: Any) -> None:
    before = _job(objects())
    assert _job(objects())["metadata"]["name"] == before["metadata"]["name"]
    change(variables)
    assert _job(objects())["metadata"]["name"] != before["metadata"]["name"]


def test_another_script_is_another_config_map_and_job(objects: Any) -> None:
    one, other, cut = objects("a\n"), objects("b\n"), objects("a")
    name = next(key for key in one if key.startswith("ConfigMap/weights-fetcher-"))
    assert name not in other and one[name]["immutable"] is True and one[name]["data"] == {"__main__.py": "a\n"}
    assert _job(one)["metadata"]["name"] != _job(other)["metadata"]["name"]
    # A reader that cuts the last line end makes no other one.
    assert list(one) == list(cut)


def test_what_does_not_concern_the_weights_keeps_the_job(variables: Any, objects: Any) -> None:
    before = _job(objects())["metadata"]["name"]
    _model(variables)["engine"] = {"max_sequences": 8}
    _model(variables)["scaling"] = {"min": 2}
    assert _job(objects())["metadata"]["name"] == before


ADAPTER = {"name": "sql", "repository": "o/sql", "revision": "a" * 40}


def _settings(job: Object) -> Object:
    fetch = next(item for item in job["spec"]["template"]["spec"]["initContainers"] if item["name"] == "fetch")
    return json.loads(next(item["value"] for item in fetch["env"] if item["name"] == "LLMFLEET_WEIGHTS"))  # type: ignore[no-any-return]


def test_an_adapter_is_another_job_and_leaves_the_models_alone(variables: Any, objects: Any) -> None:
    before = _job(objects())
    _model(variables)["adapters"] = [ADAPTER]
    one = objects()
    assert _job(one) == before
    job = _job(one, "sql-adapter")
    assert job["metadata"]["labels"]["app.kubernetes.io/name"] == "qwen"
    _model(variables)["adapters"] = [ADAPTER, {**ADAPTER, "name": "css", "repository": "o/css"}]
    two = objects()
    assert _job(two) == before and _job(two, "sql-adapter") == job and _job(two, "css-adapter") != job
    _model(variables)["adapters"] = [{**ADAPTER, "revision": "b" * 40}]
    assert _job(objects(), "sql-adapter")["metadata"]["name"] != job["metadata"]["name"]


def test_settings_of_an_adapter(variables: Any, objects: Any) -> None:
    _model(variables)["weights"] |= {"token_secret": "hf", "files": ["*.json"], "source": "s3://mirror/hub"}
    _model(variables)["adapters"] = [{**ADAPTER, "token_secret": "other"}, {**ADAPTER, "name": "css"}]
    found = objects()
    settings = _settings(_job(found, "sql-adapter"))
    folder = f"qwen/adapters/sql/{'a' * 40}"
    files = settings.pop("files")
    assert settings == {
        "model": "sql",
        "repository": "o/sql",
        "revision": "a" * 40,
        "source": "s3://mirror/hub",
        "token_secret": "other",
        "bucket": "eu-west-3-123456789012-prod-weights",
        "prefix": f"models/{folder}",
        "ledger": f"models/{folder}/.llmfleet/ledger.json",
        "mount": f"/weights/{folder}",
        "hub_endpoint": "https://huggingface.co",
    }
    # The token of the model is not the adapter's.
    assert "'name': 'hf'" not in str(_job(found, "css-adapter")) and "HF_TOKEN" not in str(_job(found, "css-adapter"))
    assert "'name': 'other'" in str(_job(found, "sql-adapter")) and "other" not in str(_job(found))
    assert "adapter_config.json" in files and "adapter_model.safetensors" in files


def test_the_files_of_an_adapter_are_not_those_of_its_training(variables: Any, objects: Any) -> None:
    from fnmatch import fnmatchcase

    _model(variables)["adapters"] = [ADAPTER]
    files = _settings(_job(objects(), "sql-adapter"))["files"]
    wanted = ("adapter_config.json", "adapter_model.safetensors", "tokenizer_config.json", "chat_template.jinja")
    others = ("checkpoint-500/adapter_model.safetensors", "optimizer.pt", "training_args.bin", "adapter_model.bin")
    assert all(any(fnmatchcase(path, glob) for glob in files) for path in wanted)
    assert not any(fnmatchcase(path, glob) for path in others for glob in files)


def test_names_of_jobs_are_labels_and_differ(variables: Any, objects: Any) -> None:
    _model(variables)["adapters"] = [{**ADAPTER, "name": "a" * 62 + end} for end in "bc"]
    names = [item["metadata"]["name"] for key, item in objects().items() if key.startswith("Job/a")]
    assert len(names) == 2 and all(len(name) <= 63 and name == name.strip("-") for name in names)
    _model(variables)["adapters"] = [{**ADAPTER, "name": "a" * 43 + "-b"}]
    assert "--" not in next(key for key in objects() if key.startswith("Job/a"))


def test_a_proxy_is_for_the_hub_alone(variables: Any, objects: Any, fleet_of: Any) -> None:
    variables["llmfleet_weights_proxy"] = "http://proxy:3128"
    pod = _job(objects())["spec"]["template"]["spec"]
    (_cache, fetch), (check,) = pod["initContainers"], pod["containers"]
    environ = {item["name"]: item.get("value", "") for item in fetch["env"]}
    assert environ["HTTPS_PROXY"] == environ["HTTP_PROXY"] == "http://proxy:3128"
    # Neither the bucket nor what gives the role.
    for host in ("bucket.s3.eu-west-3.amazonaws.com", "169.254.170.23", "[fd00:ec2::23]"):
        assert any(host.endswith(part) for part in environ["NO_PROXY"].split(","))
    assert "PROXY" not in str(check["env"])
    found = desired(fleet_of(variables), {}).objects
    (policy,) = [e["object"] for e in found if e["object"]["metadata"]["name"] == "allow-fetcher-to-hub-and-s3"]
    assert {"protocol": "TCP", "port": 3128} in policy["spec"]["egress"][0]["ports"]
