# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``make digests``: write the digest of each image of versions.yml behind its tag, as its registry tells it.

Registries are asked without credentials, or with those of ~/.netrc. A digest that is there stays: that its tag has
moved meanwhile is told, and to take the new one, delete the old one and run this again. When an image cannot be had,
nothing is written and the command ends with 1.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
import yaml
from requests.auth import AuthBase
from requests.utils import parse_dict_header

CARD = Path(__file__).resolve().parent / "versions.yml"
# Those of several architectures first: an image that has one is known by it, whatever node pulls it.
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SECONDS = 30


class DigestError(Exception):
    """An image has no digest that can be written; the text names the image and the answer."""


@dataclass(frozen=True)
class Image:
    """A reference on the card. digest: "" when it has none."""

    reference: str
    registry: str
    repository: str
    tag: str
    digest: str

    @classmethod
    def parse(cls, reference: str) -> Image:
        """Take registry/repository:tag[@sha256:…] apart. Raises DigestError."""
        tagged, at, digest = reference.partition("@")
        path, _colon, tag = tagged.rpartition(":")
        registry, _slash, repository = path.partition("/")
        if not repository or not tag or "/" in tag or not re.search(r"[.:]|^localhost$", registry):
            raise DigestError(f"{reference}: accepted: registry/repository:tag, the registry in full (docker.io/…)")
        if at and not _DIGEST.fullmatch(digest):
            raise DigestError(f"{reference}: its digest is not sha256: and 64 hexadecimal digits")
        return cls(reference, registry, repository, tag, digest)

    def url(self, reference: str) -> str:
        """Where the manifest of a tag or digest is. On loopback a registry is spoken to without TLS, as Docker does."""
        host = "registry-1.docker.io" if self.registry == "docker.io" else self.registry
        return f"{'http' if _on_loopback(host) else 'https'}://{host}/v2/{self.repository}/manifests/{reference}"


def _on_loopback(host: str) -> bool:
    name = host.partition(":")[0]
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Bearer(AuthBase):
    """A token; given as such, it goes before what ~/.netrc has for the registry."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


def _head(session: requests.Session, image: Image, reference: str) -> str:
    """Return the digest that the registry has for a tag or digest of an image. Raises DigestError."""
    headers = {"Accept": ", ".join(MANIFESTS)}
    url, asked = image.url(reference), f"{image.reference}: HEAD {image.url(reference)}"
    try:
        answer = session.head(url, headers=headers, timeout=_SECONDS, allow_redirects=True)
        challenge = answer.headers.get("WWW-Authenticate", "")
        if answer.status_code == 401 and challenge.lower().startswith("bearer "):
            token = _token(session, image, challenge)
            answer = session.head(url, headers=headers, timeout=_SECONDS, allow_redirects=True, auth=_Bearer(token))
    except requests.RequestException as error:
        raise DigestError(f"{asked}: {error}") from None
    if not answer.ok:
        raise DigestError(f"{asked}: HTTP {answer.status_code} {answer.reason}")
    digest = answer.headers.get("Docker-Content-Digest", "")
    if not _DIGEST.fullmatch(digest):
        raise DigestError(f"{asked}: its Docker-Content-Digest is {digest!r}, expected sha256:…")
    return digest


def _token(session: requests.Session, image: Image, challenge: str) -> str:
    """Get the token that the registry's challenge asks for. Raises DigestError, requests.RequestException."""
    wanted: dict[str, str | None] = parse_dict_header(challenge.partition(" ")[2])  # type: ignore[no-untyped-call]
    query = {key: wanted[key] for key in ("service", "scope") if wanted.get(key)}
    realm = str(wanted.get("realm"))
    answer = session.get(realm, params=query, timeout=_SECONDS)
    if not answer.ok:
        raise DigestError(f"{image.reference}: GET {realm}: HTTP {answer.status_code} {answer.reason}")
    body = answer.json()
    found = (body.get("token") or body.get("access_token")) if isinstance(body, dict) else None
    if not found:
        raise DigestError(f"{image.reference}: GET {realm}: the answer has no token")
    return str(found)


def find(image: Image, session: requests.Session) -> tuple[str, str]:
    """Return (the digest of an image, what is to be said of it). Raises DigestError."""
    current = _head(session, image, image.tag)
    if image.digest in ("", current):
        return current, f"{image.reference}: {'as it is' if image.digest else current}"
    _head(session, image, image.digest)
    return image.digest, f"{image.reference}: stays; its tag is at {current} now"


def pinned(text: str, session: requests.Session) -> tuple[str, list[str]]:
    """Return (the card's text with all digests, a line for each image). Raises DigestError with all faults."""
    found: dict[int, str] = {}
    said: list[str] = []
    faults: list[str] = []
    for node in _images(text):
        try:
            image = Image.parse(node.value)
            digest, line = find(image, session)
        except DigestError as error:
            faults.append(str(error))
            continue
        said.append(line)
        if not image.digest:
            # Before the quote that closes it, where there is one.
            found[node.end_mark.index - (1 if node.style else 0)] = digest
    if faults:
        raise DigestError("\n".join(faults))
    # From the end on: what is written moves what comes after it.
    for place in sorted(found, reverse=True):
        text = f"{text[:place]}@{found[place]}{text[place:]}"
    return text, said


def _images(text: str) -> list[yaml.ScalarNode]:
    """The references below `images`, as they are in the text."""
    card = yaml.compose(text, Loader=yaml.SafeLoader)
    for key, value in card.value if isinstance(card, yaml.MappingNode) else ():
        if key.value == "images":
            return [reference for _name, reference in value.value]
    raise DigestError("the card has no images")


def main(given: Sequence[str] | None = None) -> int:
    """Ask, write; return the exit code."""
    parser = argparse.ArgumentParser("make digests", description=__doc__)
    parser.add_argument("--card", type=Path, default=CARD, help="the file (meta/versions.yml)")
    card = parser.parse_args(given).card
    text = card.read_text(encoding="utf-8")
    try:
        with requests.Session() as session:
            changed, said = pinned(text, session)
    except DigestError as error:
        print(f"{error}\nNothing was written", file=sys.stderr)
        return 1
    print("\n".join(said))
    if changed != text:
        _replace(card, changed)
    return 0


def _replace(card: Path, text: str) -> None:
    """Write the whole file or nothing of it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=card.parent, prefix=".", delete=False) as file:
        file.write(text)
    os.chmod(file.name, card.stat().st_mode & 0o777)
    os.replace(file.name, card)


if __name__ == "__main__":
    sys.exit(main())
