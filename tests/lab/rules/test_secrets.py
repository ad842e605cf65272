# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thirty secrets of different shapes, planted wherever the platform meets secrets: none is ever shown."""

from __future__ import annotations

import json
import secrets as random_secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.llmfleet.eks.plugins.module_utils._aws.session import session
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from llmfleet_lab.paths import Paths

from tests.lab.conftest import ROOT, Playbook
from tests.lab.snapshot import REGION, aws_settings
from tests.lab.watching import Arguments, left_behind, shown

pytestmark = pytest.mark.full
KEYS_SECRET = "llmfleet/lab/api-keys"


def token(length: int = 24) -> str:
    return random_secrets.token_urlsafe(length)


def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def client_keys() -> dict[str, str]:
    """Keys of clients at the gateway, of ten shapes that a header can carry."""
    return {
        "plain": token(),
        "openai": f"sk-{token()}",
        "project": f"sk-proj-{token(48)}",
        "hex": random_secrets.token_hex(32),
        "uuid": "-".join(random_secrets.token_hex(size) for size in (4, 2, 2, 2, 6)),
        "jwt": f"eyJhbGciOiJIUzI1NiJ9.{token(40)}.{token(32)}",
        "padded": f"{token(20)}==",
        "slashes": f"{token(8)}/{token(8)}+{token(8)}",
        "number": str(random_secrets.randbelow(10**24) + 10**24),
        "long": token(300),
    }


def engine_values() -> dict[str, str]:
    """Values of the engine's environment, of eighteen shapes."""
    return {
        "HUB": f"hf_{token()}",
        "GITHUB": f"ghp_{token()}",
        "GITLAB": f"glpat-{token(15)}",
        "SLACK": f"xoxb-{token()}",
        "AWS_ID": f"AKIA{random_secrets.token_hex(8).upper()}",
        "AWS_KEY": random_secrets.token_urlsafe(30) + "/" + token(6),
        "URL": f"https://user:{token()}@example.invalid/path?x=1",
        "DSN": f"postgresql://u:{token()}@db.example.invalid:5432/x",
        "PEM": pem(),
        "JSON": json.dumps({"key": token(), "nested": {"other": token()}}),
        "YAML": f"key: {token()}\nother: {token()}\n",
        "QUOTES": f'it\'s "{token()}"',
        "BACKSLASH": f"a\\{token()}\\b",
        "SPACES": f"  {token()}  {token()}  ",
        "UNICODE": f"pässwört-{token()}-密码",
        "DOLLAR": f"${{HOME}}{token()}$(id)",
        "HASH": f"#{token()} # not a comment",
        "COLON": f"{token()}: {token()}",
    }


@pytest.fixture
def kept_keys(paths: Paths) -> Iterator[dict[str, str]]:
    """The client keys in Secrets Manager: planted ones beside the lab's, which are put back afterwards."""
    manager = session(aws_settings(paths), REGION).client("secretsmanager")
    before = manager.get_secret_value(SecretId=KEYS_SECRET)["SecretString"]
    planted = client_keys()
    manager.put_secret_value(SecretId=KEYS_SECRET, SecretString=json.dumps({**json.loads(before), **planted}))
    yield planted
    manager.put_secret_value(SecretId=KEYS_SECRET, SecretString=before)


@pytest.fixture
def description(stand_in: list[str], tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """Arguments that give the model's engine the planted values, every second one vaulted; and the values."""
    values = {f"PLANTED_{name}": value for name, value in engine_values().items()}
    password = tmp_path / "vault-password"
    password.write_text(token())
    model = json.loads(Path(stand_in[1].removeprefix("@")).read_text())["llmfleet_models"][0]
    lines = {}
    for number, (name, value) in enumerate(values.items()):
        lines[name] = vaulted(value, password) if number % 2 else json.dumps(value)
    text = yaml.safe_dump({"llmfleet_models": [model]}, sort_keys=False)
    indent = next(line for line in text.splitlines() if "LLMFLEET_LAB_ENGINE" in line).partition("LLM")[0]
    planted = "".join(f"{indent}{name}: {value}\n" for name, value in lines.items())
    engine = next(line for line in text.splitlines(keepends=True) if "LLMFLEET_LAB_ENGINE" in line)
    file = tmp_path / "models.yml"
    file.write_text(text.replace(engine, engine + planted))
    return ["-e", f"@{file}", "--vault-password-file", str(password)], values


def vaulted(value: str, password: Path) -> str:
    """The value as an inline vaulted variable."""
    command = ["ansible-vault", "encrypt_string", "--vault-password-file", str(password), "--stdin-name", "x"]
    done = subprocess.run(command, input=value, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.partition("x: ")[2]


def test_thirty_secrets_and_none_is_shown(
    playbook: Playbook,
    paths: Paths,
    tmp_path: Path,
    kept_keys: dict[str, str],
    description: tuple[list[str], dict[str, str]],
) -> None:
    arguments, values = description
    rendered = tmp_path / "rendered"  # holds the objects as they are: it was asked for
    kubeconfig = yaml.safe_load(paths.kubeconfig.read_text())["users"][0]["user"]
    credentials = (paths.secrets / "aws/credentials").read_text()
    of_the_lab = [
        kubeconfig["client-key-data"],
        next(line.partition("=")[2].strip() for line in credentials.splitlines() if "secret_access_key" in line),
    ]
    planted = [*kept_keys.values(), *values.values(), *of_the_lab]
    assert len(set(planted)) >= 30
    since = time.time() - 1
    outputs = []
    with Arguments() as watched:
        for run in (("site", "-vvv", "--check", "--diff"), ("site", "-vvv", "--diff"), ("render", "-vvv")):
            extra = ["-e", f"llmfleet_render_to={rendered}"] if run[0] == "render" else []
            done = playbook(*run, *arguments, *extra)
            outputs.append(done.stdout)
            assert not shown(planted, done.stdout), f"in the output of {' '.join(run)}"
            assert done.returncode == 0, done.stdout[-4000:]
        outputs.append(playbook("destroy", "-vvv", "--diff", *arguments, "-e", "llmfleet_destroy_confirm=lab").stdout)
    assert not shown(planted, outputs[-1]), "in the output of destroy"
    assert not shown(planted, "\n".join(watched.seen)), "in the arguments of a process"
    assert any("ansible-playbook" in line for line in watched.seen)
    places = [Path.home() / ".ansible", Path(tempfile.gettempdir()), ROOT]
    inputs = {argument.removeprefix("@") for argument in arguments}
    for path, content in left_behind(places, since).items():
        if path not in inputs and not path.startswith((str(ROOT / ".git"), str(rendered))):
            assert not shown(planted, content), f"in {path}"
