# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions: which credentials and endpoint an inventory's llmfleet_aws leads to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.errors import AwsError
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import (
    RETRIES,
    client,
    environment,
    session,
    settings,
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """A configuration and a credentials file with the profiles default and lab."""
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text(
        "[default]\nregion = us-east-1\n[profile lab]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:4566\n"
    )
    credentials.write_text(
        "[default]\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = s\n"
        "[lab]\naws_access_key_id = AKIDLAB\naws_secret_access_key = s\n"
    )
    return {"config_file": str(config), "credentials_file": str(credentials)}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment that must not win over a given profile."""
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")


def test_the_profile_gives_credentials_and_endpoint_and_the_region_is_ours(files: dict[str, str]) -> None:
    made = session({"profile": "lab", **files}, "eu-west-3")
    assert made.get_credentials().access_key == "AKIDLAB"
    s3files = client(made, "s3files")
    assert s3files.meta.endpoint_url == "http://127.0.0.1:4566"
    assert s3files.meta.region_name == "eu-west-3"


def test_a_credentials_file_alone_means_its_default_profile(files: dict[str, str]) -> None:
    made = session(files, "eu-west-3")
    assert made.get_credentials().access_key == "AKIDDEFAULT"
    assert client(made, "eks").meta.endpoint_url == "https://eks.eu-west-3.amazonaws.com"


@pytest.mark.parametrize("aws", [None, {}, {"profile": ""}, {"profile": None}])
def test_nothing_given_means_the_usual_search(aws: Any) -> None:
    assert session(aws, "eu-west-3").get_credentials().access_key == "AKIDENVIRONMENT"
    assert environment(aws) == RETRIES


def test_two_sessions_do_not_mix(files: dict[str, str]) -> None:
    lab, default = session({"profile": "lab", **files}, "eu-west-3"), session(files, "us-east-1")
    assert lab.get_credentials().access_key == "AKIDLAB"
    assert default.get_credentials().access_key == "AKIDDEFAULT"


def test_an_unknown_profile_is_named_before_any_request(files: dict[str, str]) -> None:
    with pytest.raises(AwsError, match=r"profile \(nobody\) could not be found.*llmfleet_aws.profile"):
        session({"profile": "nobody", **files}, "eu-west-3")


@pytest.mark.parametrize(
    ("aws", "message"),
    [
        ({"config_file": "/nowhere/config"}, "llmfleet_aws.config_file: got '/nowhere/config', which is not a file"),
        ({"credentials_file": "/nowhere/c"}, "llmfleet_aws.credentials_file: got '/nowhere/c', which is not a file"),
        ({"profile": 7}, "llmfleet_aws.profile: got 7; accepted: a string"),
        ({"region": "x"}, "llmfleet_aws: got the unknown key 'region'; accepted: profile, config_file"),
    ],
)
def test_bad_settings_are_named(aws: dict[str, Any], message: str) -> None:
    for use in (settings, environment):
        with pytest.raises(AwsError, match=message):
            use(aws)


def test_a_home_directory_is_expanded(files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(Path(files["config_file"]).parent))
    assert settings({"config_file": "~/config"}) == {"config_file": files["config_file"]}


def test_retries_of_the_surrounding_environment_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "4")
    assert environment({}) == {"AWS_RETRY_MODE": "standard"}


def test_the_environment_of_a_module_leads_to_the_same_credentials(
    files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    variables = environment({"profile": "lab", **files}, "eu-west-3")
    assert variables == {
        **RETRIES,
        "AWS_PROFILE": "lab",
        "AWS_CONFIG_FILE": files["config_file"],
        "AWS_SHARED_CREDENTIALS_FILE": files["credentials_file"],
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": "eu-west-3",
        "AWS_DEFAULT_REGION": "eu-west-3",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    made = boto3.Session()
    assert made.get_credentials().access_key == "AKIDLAB"
    assert made.client("eks").meta.endpoint_url == "http://127.0.0.1:4566"
