# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendering: names and texts of files, the folder they go to, the page of variables, the filters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.llmfleet.eks.plugins.filter.desired import FilterModule
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet import folder
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired import desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.desired_types import Desired
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.files import files, to_yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._fleet.reference import page

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def wanted(variables: Any, fleet_of: Any) -> Desired:
    """What a fleet wants, with nothing known of the cloud."""
    return desired(fleet_of(variables), {"weights/fetcher/__main__.py": "a = 1\nb = 2\n"})


def test_one_object_a_file(wanted: Desired) -> None:
    found = files(wanted)
    assert len(found) == len(wanted.objects) + len(wanted.aws) + len(wanted.charts)
    assert list(found) == sorted(found)
    for path in (
        "models/deployment-llm-qwen.yaml",
        "models/httproute-llm-qwen.yaml",
        "storage/persistentvolume-prod-weights.yaml",
        "storage/persistentvolumeclaim-llm-weights.yaml",
        "nodes/nodepool-l4.yaml",
        "gateway/gateway-llm-gateway-llm-gateway.yaml",
        "aws/s3files_file_system-prod-weights.yaml",
        "charts/envoy-gateway.yaml",
    ):
        assert path in found
    assert all(path == path.lower() and text.startswith("---\n") for path, text in found.items())
    assert [yaml.safe_load(found[f"{e['layer']}/deployment-llm-qwen.yaml"]) for e in wanted.objects if _is(e)] == [
        entry["object"] for entry in wanted.objects if _is(entry)
    ]
    resource = yaml.safe_load(found["aws/s3files_file_system-prod-weights.yaml"])
    assert resource["resource"] == "s3files_file_system" and resource["properties"]["accept_bucket_warning"] is True
    chart = yaml.safe_load(found["charts/envoy-gateway.yaml"])
    assert chart["version"] == "1.9.1" and "values" in chart and "layer" not in chart


def _is(entry: dict[str, Any]) -> bool:
    return bool(entry["object"]["kind"] == "Deployment" and entry["layer"] == "models")


def test_secrets_are_redacted(wanted: Desired) -> None:
    secret = yaml.safe_load(files(wanted)["gateway/secret-llm-gateway-llm-api-keys.yaml"])
    assert set(secret["stringData"].values()) == {"REDACTED"}
    entry = {
        "kind": "Secret",
        "metadata": {"name": "x"},
        "data": {"a": "c3dvcmRmaXNo"},
        "stringData": {"b": "swordfish"},
    }
    text = files(Desired(objects=[{"layer": "gateway", "component": "secrets", "object": entry}]))[
        "gateway/secret-x.yaml"
    ]
    assert yaml.safe_load(text)["data"] == {"a": "REDACTED"} and "swordfish" not in text and "c3dvc" not in text


def test_two_things_of_one_name_are_an_error() -> None:
    entry = {"layer": "models", "component": "models", "object": {"kind": "Pod", "metadata": {"name": "x"}}}
    with pytest.raises(ValueError, match="two files of the name models/pod-x.yaml"):
        files(Desired(objects=[entry, entry]))


def test_yaml_has_no_anchors_and_blocks_for_texts() -> None:
    shared = {"a": 1}
    text = to_yaml({"x": shared, "y": shared, "script": "a\nb\n", "octal": "0775", "no": "no"})
    assert "&" not in text and "script: |" in text
    assert yaml.safe_load(text) == {"x": shared, "y": shared, "script": "a\nb\n", "octal": "0775", "no": "no"}


def _tree(path: Path) -> dict[str, str]:
    return {
        str(item.relative_to(path)): item.read_text(encoding="utf-8")
        for item in path.rglob("*")
        if item.is_file() and item.name != folder.MARKER
    }


def test_a_folder_is_made_and_kept_equal(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    assert folder.write(target, {"x/1": "one", "y/2": "two"}) == (["x/1", "y/2"], [])
    assert _tree(target) == {"x/1": "one", "y/2": "two"}
    assert folder.changes(target, {"x/1": "one", "y/2": "two"}) == ([], [])
    assert folder.write(target, {"x/1": "uno"}) == (["x/1"], ["y/2"])
    assert _tree(target) == {"x/1": "uno"} and not (target / "y").exists()


def test_what_others_put_beside_a_rendering_stays(tmp_path: Path) -> None:
    folder.write(tmp_path, {"x/1": "one"})
    (tmp_path / "x" / "mine").write_text("mine", encoding="utf-8")
    folder.write(tmp_path, {"z": "two"})
    assert _tree(tmp_path) == {"x/mine": "mine", "z": "two"}


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(
        folder.FolderError, match="llmfleet_render_to: got .*has other files; accepted: a folder that is"
    ):
        folder.write(tmp_path, {"x": "one"})
    with pytest.raises(folder.FolderError, match="not a folder"):
        folder.write(tmp_path / "mine", {"x": "one"})
    assert _tree(tmp_path) == {"mine": "mine"}


@pytest.mark.parametrize("listed", ["no json", "{}", '{"files": ["../x"]}', '{"files": ["/etc/x"]}', '{"files": [3]}'])
def test_a_damaged_marker_is_refused(listed: str, tmp_path: Path) -> None:
    (tmp_path / folder.MARKER).write_text(listed, encoding="utf-8")
    with pytest.raises(folder.FolderError, match="is damaged"):
        folder.write(tmp_path, {"x": "one"})


def test_a_run_that_was_cut_off_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(tmp_path, {"old": "1"})
    real = Path.write_text

    def cut_off(self: Path, text: str, **more: Any) -> int:
        if self.name == "b":
            raise OSError("disk full")
        return real(self, text, **more)

    monkeypatch.setattr(Path, "write_text", cut_off)
    with pytest.raises(OSError, match="disk full"):
        folder.write(tmp_path, {"a": "1", "b": "2"})
    monkeypatch.undo()
    folder.write(tmp_path, {"c": "3"})
    assert _tree(tmp_path) == {"c": "3"}


def test_the_page_of_variables_is_what_the_tables_say() -> None:
    assert (ROOT / "docs" / "variables.md").read_text(encoding="utf-8") == page()


FILTERS = FilterModule().filters()


def test_component(wanted: Desired) -> None:
    state = wanted.as_dict()
    assert [item["kind"] for item in FILTERS["component"](state, "efs_csi_driver")] == [
        "StorageClass",
        "PersistentVolume",
        "PersistentVolumeClaim",
    ]
    with pytest.raises(AnsibleFilterError, match="component: got 'nosuch'; accepted: namespaces, "):
        FILTERS["component"](state, "nosuch")
    with pytest.raises(AnsibleFilterError, match="got no desired state"):
        FILTERS["component"]({}, "models")


def test_every_object_belongs_to_a_component(wanted: Desired) -> None:
    state = wanted.as_dict()
    of_components = [
        item
        for name in {entry["component"] for entry in state["objects"]}
        for item in FILTERS["component"](state, name)
    ]
    assert len(of_components) == len(state["objects"])


def test_aws_resources(wanted: Desired) -> None:
    state = wanted.as_dict()
    (properties,) = FILTERS["aws_resources"](state, "s3_bucket")
    assert properties["name"] == "eu-west-3-123456789012-prod-weights"
    assert {entry["resource"] for entry in state["aws"]} == {
        kind for kind in _kinds() if FILTERS["aws_resources"](state, kind)
    }
    with pytest.raises(AnsibleFilterError, match="aws_resources: got 'ec2_instance'"):
        FILTERS["aws_resources"](state, "ec2_instance")


def _kinds() -> tuple[str, ...]:
    from ansible_collections.llmfleet.eks.plugins.filter.desired import AWS_RESOURCES

    return AWS_RESOURCES


def test_aws_environment(tmp_path: Path) -> None:
    retries = {"AWS_MAX_ATTEMPTS": "10", "AWS_RETRY_MODE": "standard"}
    assert FILTERS["aws_environment"](None) == FILTERS["aws_environment"]({}) == retries
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    for file in (config, credentials):
        file.touch()
    given = {"profile": "p", "config_file": str(config), "credentials_file": str(credentials)}
    assert FILTERS["aws_environment"](given) == {
        **retries,
        "AWS_PROFILE": "p",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        # Keys of the surrounding environment would be used beside the profile.
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_SESSION_TOKEN": "",
    }
    with pytest.raises(AnsibleFilterError, match="llmfleet_aws: got no map"):
        FILTERS["aws_environment"]("x")
    with pytest.raises(AnsibleFilterError, match="llmfleet_aws.config_file: got '/c', which is not a file"):
        FILTERS["aws_environment"]({"config_file": "/c"})


def test_what_is_answered_is_json(wanted: Desired, variables: Any, fleet_of: Any) -> None:
    assert json.loads(json.dumps(wanted.as_dict())) == wanted.as_dict()
    assert json.loads(json.dumps(fleet_of(variables).as_dict())) == fleet_of(variables).as_dict()
