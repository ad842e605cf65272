# Copyright (c) 2026, llmfleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate authority, the certificates it signs, and kubeconfig files."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
from collections.abc import Sequence
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# A lab lives for hours; the certificates outlive it by far and are thrown away with it.
LIFETIME = datetime.timedelta(days=30)


def write_secret(path: Path, content: bytes | str) -> None:
    """Write a file that only its owner may read; it never exists with a wider mode."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _name(common_name: str, organizations: Sequence[str] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, value) for value in organizations]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative_name(value: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(value))
    except ValueError:
        return x509.DNSName(value)


class Authority:
    """A certificate authority whose files lie in one folder: ``ca.crt``, ``ca.key`` and a pair per certificate."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate_file = folder / "ca.crt"
        self.key_file = folder / "ca.key"
        self._key = _new_key()
        subject = _name("llmfleet lab")
        now = datetime.datetime.now(datetime.UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        write_secret(self.certificate_file, self._certificate.public_bytes(serialization.Encoding.PEM))
        write_secret(self.key_file, _key_pem(self._key))

    def issue(self, name: str, organizations: Sequence[str] = (), names: Sequence[str] = (), file: str = "") -> Path:
        """Sign a client certificate, or with ``names`` (DNS names, addresses) a server certificate.

        Returns the certificate's file ``<file or name>.crt``; the key is beside it as ``.key``.
        """
        key = _new_key()
        now = datetime.datetime.now(datetime.UTC)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if names else [])]
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name, organizations))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_alternative_name(value) for value in names])
            builder = builder.add_extension(alternatives, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        target = self.folder / f"{file or name}.crt"
        write_secret(target, certificate.public_bytes(serialization.Encoding.PEM))
        write_secret(target.with_suffix(".key"), _key_pem(key))
        return target

    def kubeconfig(self, target: Path, server: str, user: str, organizations: Sequence[str] = ()) -> Path:
        """Write a kubeconfig whose user is a new client certificate, everything inside the one file."""
        certificate = self.issue(user, organizations, file=target.stem)
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "lab",
                    "cluster": {"server": server, "certificate-authority-data": _b64(self.certificate_file)},
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": _b64(certificate),
                        "client-key-data": _b64(certificate.with_suffix(".key")),
                    },
                }
            ],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
            "current-context": "lab",
        }
        write_secret(target, yaml.safe_dump(content, sort_keys=False))
        return target


def service_account_keys(folder: Path) -> tuple[Path, Path]:
    """Write the pair that signs service account tokens; returns the private and the public key's file."""
    key = _new_key()
    private, public = folder / "service-account.key", folder / "service-account.pub"
    write_secret(private, _key_pem(key))
    write_secret(
        public,
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    )
    return private, public


def _b64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
