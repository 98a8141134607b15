"""Certificates as they lie on disk: your own files, and what Traefik and Caddy keep."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from snowgauge.errors import SettingsError


class Certificate(msgspec.Struct, frozen=True):
    """What a certificate says. Times are UTC."""

    names: list[str]
    issuer: str
    not_before: datetime
    not_after: datetime
    serial: int

    def days_left(self, now: datetime) -> float:
        return (self.not_after - now).total_seconds() / 86400


class OwnCertificate(msgspec.Struct, frozen=True):
    """A chain and its key as PEM texts that were seen to belong together."""

    chain: str
    private_key: str
    certificate: Certificate


def describe(pem: bytes) -> Certificate:
    """The first certificate of a PEM text. Raises ``ValueError``."""
    found = x509.load_pem_x509_certificate(pem)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
            x509.DNSName
        )
    except x509.ExtensionNotFound:
        names = []
    organisation = found.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    common = found.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    issuer = " ".join(str(part.value) for part in (*organisation[:1], *common[:1]))
    return Certificate(names, issuer, found.not_valid_before_utc, found.not_valid_after_utc, found.serial_number)


def read_own(chain_file: Path, key_file: Path) -> OwnCertificate:
    """Read two files and see that they belong together. Raises ``SettingsError``."""
    try:
        chain, key = chain_file.expanduser().read_bytes(), key_file.expanduser().read_bytes()
    except OSError as error:
        raise SettingsError(f"tls.certificate, tls.private_key: {error.filename}: {error.strerror}") from None
    try:
        leaf = x509.load_pem_x509_certificate(chain)
        certificate = describe(chain)
    except ValueError:
        raise SettingsError(f"tls.certificate: {chain_file} holds no certificate in PEM form") from None
    try:
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError):
        raise SettingsError(
            f"tls.private_key: {key_file} holds no private key in PEM form without a password"
        ) from None
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if private.public_key().public_bytes(*spki) != leaf.public_key().public_bytes(*spki):
        raise SettingsError(f"tls.private_key: {key_file} is not the key of the certificate in {chain_file}")
    return OwnCertificate(chain.decode("ascii", "replace"), key.decode("ascii", "replace"), certificate)


def covers(certificate: Certificate, name: str) -> bool:
    """Is a certificate for this name? A wildcard stands for one label."""
    parent = "*." + name.partition(".")[2]
    return any(known.lower() in (name, parent) for known in certificate.names)


def of_caddy(folder: Path) -> Iterator[Certificate]:
    """What Caddy keeps in its storage folder."""
    for file in sorted((folder / "certificates").glob("*/*/*.crt")):
        try:
            yield describe(file.read_bytes())
        except (OSError, ValueError):
            continue  # just being written


def of_traefik(file: Path) -> Iterator[Certificate]:
    """What Traefik keeps in its storage file."""
    try:
        stored = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return  # not there yet, or just being written
    for resolver in stored.values() if isinstance(stored, dict) else ():
        for entry in (resolver or {}).get("Certificates") or ():
            try:
                yield describe(base64.b64decode(entry["certificate"]))
            except (KeyError, ValueError, TypeError, binascii.Error):
                continue
