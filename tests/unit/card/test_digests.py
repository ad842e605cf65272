# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make digests`` against a stand-in for a registry: what it writes, what it leaves, what it refuses."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.card.registry import INDEX, MANIFEST, Registry, digest_of, serving

ROOT = Path(__file__).resolve().parents[3]
CARD = """\
---
# What works together.
charts: {{}}
images:
  # The engine.
  vllm: {host}/vllm/vllm-openai:v1   # stays behind it
  quoted: "{host}/a/b/c:1.2"

  envoy: {host}/envoyproxy/envoy:v2@{envoy}
engine:
  vllm: 1
"""


@pytest.fixture
def registry() -> Iterator[Registry]:
    with serving() as found:
        found.tags = {("vllm/vllm-openai", "v1"): "one", ("a/b/c", "1.2"): "two", ("envoyproxy/envoy", "v2"): "three"}
        yield found


@pytest.fixture
def card(registry: Registry, tmp_path: Path) -> Path:
    file = tmp_path / "versions.yml"
    file.write_text(CARD.format(host=registry.host, envoy=digest_of(INDEX, "three")))
    file.chmod(0o644)
    return file


@pytest.fixture(scope="module")
def command() -> Iterator[Any]:
    """The command as a module."""
    spec = importlib.util.spec_from_file_location("card_digests", ROOT / "meta/digests.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Its dataclass looks itself up there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def run(card: Path) -> tuple[int, str]:
    command = [sys.executable, str(ROOT / "meta/digests.py"), "--card", str(card)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def refused(card: Path, registry: Registry) -> str:
    """What is said of a card of which nothing may be written."""
    before = card.read_text()
    code, said = run(card)
    assert code == 1 and said.endswith("Nothing was written\n") and card.read_text() == before
    assert list(card.parent.iterdir()) == [card]
    return said.replace(registry.host, "HOST")


def test_digests_of_the_index_come_behind_the_tags_and_nothing_else_changes(card: Path, registry: Registry) -> None:
    before = card.read_text()
    assert run(card)[0] == 0
    one, two = f"@{digest_of(INDEX, 'one')}", f"@{digest_of(INDEX, 'two')}"
    after = card.read_text()
    assert after == before.replace(":v1 ", f":v1{one} ").replace(':1.2"', f':1.2{two}"')
    assert yaml.safe_load(after)["images"]["quoted"] == f"{registry.host}/a/b/c:1.2{two}"
    assert card.stat().st_mode & 0o777 == 0o644 and list(card.parent.iterdir()) == [card]
    assert sum(request.startswith("GET /token") for request in registry.requests) == 3


def test_a_second_run_changes_nothing(card: Path) -> None:
    run(card)
    text, written = card.read_text(), card.stat()
    code, said = run(card)
    assert (code, card.read_text()) == (0, text) and said.count("as it is") == 3
    assert (card.stat().st_ino, card.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)


def test_an_image_of_one_architecture_has_the_digest_of_its_manifest(card: Path, registry: Registry) -> None:
    registry.manifest = lambda repository, reference, accepted: (MANIFEST, "alone")  # type: ignore[method-assign]
    assert run(card)[0] == 0
    assert f":v1@{digest_of(MANIFEST, 'alone')} " in card.read_text()


def test_other_registries_name_the_token_otherwise(card: Path, registry: Registry) -> None:
    registry.token_field = "access_token"
    assert run(card)[0] == 0
    registry.token_field = "nothing"
    said = refused(card, registry)
    assert f"HOST/a/b/c:1.2@{digest_of(INDEX, 'two')}: GET http://HOST/token: the answer has no token" in said


def test_a_digest_stays_when_its_tag_has_moved(card: Path, registry: Registry) -> None:
    # The old one is still there, under another tag.
    registry.tags[("envoyproxy/envoy", "v2.0")] = "three"
    registry.tags[("envoyproxy/envoy", "v2")] = "four"
    code, said = run(card)
    assert code == 0 and f"stays; its tag is at {digest_of(INDEX, 'four')} now" in said
    assert f":v2@{digest_of(INDEX, 'three')}\n" in card.read_text()


def test_a_digest_that_is_gone_is_refused(card: Path, registry: Registry) -> None:
    registry.tags[("envoyproxy/envoy", "v2")] = "four"
    gone = digest_of(INDEX, "three")
    wanted = (
        f"HOST/envoyproxy/envoy:v2@{gone}: HEAD http://HOST/v2/envoyproxy/envoy/manifests/{gone}: HTTP 404 Not Found"
    )
    assert wanted in refused(card, registry)


def test_every_image_that_does_not_exist_is_named(card: Path, registry: Registry) -> None:
    del registry.tags[("vllm/vllm-openai", "v1")], registry.tags[("a/b/c", "1.2")]
    said = refused(card, registry)
    assert "HOST/vllm/vllm-openai:v1: HEAD http://HOST/v2/vllm/vllm-openai/manifests/v1: HTTP 404 Not Found\n" in said
    assert "HOST/a/b/c:1.2: HEAD http://HOST/v2/a/b/c/manifests/1.2: HTTP 404 Not Found\n" in said


def test_a_registry_that_fails_or_names_no_digest_is_refused(card: Path, registry: Registry) -> None:
    registry.broken = True
    assert "HOST/vllm/vllm-openai:v1: HEAD http://HOST/v2/vllm/vllm-openai/manifests/v1: HTTP 500" in refused(
        card, registry
    )
    registry.broken, registry.named = False, False
    assert "its Docker-Content-Digest is '', expected sha256:…" in refused(card, registry)


def test_a_registry_that_cannot_be_reached_is_refused(registry: Registry, card: Path) -> None:
    # Port 1 of this machine: nobody listens there.
    card.write_text(card.read_text().replace(f"{registry.host}/a/b", "127.0.0.1:1/a/b"))
    said = refused(card, registry)
    assert "127.0.0.1:1/a/b/c:1.2: HEAD http://127.0.0.1:1/v2/a/b/c/manifests/1.2: " in said
    assert "Connection refused" in said


@pytest.mark.parametrize("reference", ["vllm:v1", "docker.io/vllm/vllm-openai", "vllm/vllm-openai:v1"])
def test_a_reference_that_is_short_is_refused(card: Path, registry: Registry, reference: str) -> None:
    card.write_text(card.read_text().replace(f"{registry.host}/vllm/vllm-openai:v1", reference))
    assert f"{reference}: accepted: registry/repository:tag, the registry in full (docker.io/…)" in refused(
        card, registry
    )


def test_a_digest_that_is_none_is_refused(card: Path, registry: Registry) -> None:
    card.write_text(card.read_text().replace("@sha256:", "@sha256:0"))
    assert "its digest is not sha256: and 64 hexadecimal digits" in refused(card, registry)


def test_the_registries_of_the_card_are_asked_over_tls_by_their_own_names(command: Any) -> None:
    images = yaml.safe_load((ROOT / "meta/versions.yml").read_text())["images"].values()
    urls = {image.repository: image.url(image.tag) for image in map(command.Image.parse, images)}
    assert urls["vllm/vllm-openai"].startswith("https://registry-1.docker.io/v2/vllm/vllm-openai/manifests/v")
    assert urls["lambda/python"].startswith("https://public.ecr.aws/v2/lambda/python/manifests/3.")
    assert all(
        url.startswith("https://registry.k8s.io/v2/gateway-api-inference-extension/")
        for url in list(urls.values())[2:4]
    )
    assert len(urls) == 5
