"""Is a request from whom it says? Each check runs only when its secret is configured.

Comparisons take the same time whatever differs. A check that fails raises ``AdapterFailure``: the request is kept as
a failed event and makes no events.

Senders that sign nothing can still prove themselves: with the secret ``url_secret`` configured, a request must have
that value in the parameter ``secret`` of the webhook's URL.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from snowgauge.enrich.adapters.base import AdapterInput
from snowgauge.enrich.webhooks.failure_messages import bad_input
from snowgauge.errors import AdapterFailure
from snowgauge.events.payload import CollectorPayload

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

URL_SECRET = "secret"  # noqa: S105 -- the name of a query parameter


def admit(source: AdapterInput, *names: str) -> AdapterInput:
    """Check the secret in the URL when one is configured; gives the input without that parameter.

    ``names`` are the other secrets that the adapter knows. A configured one that it does not know lets nothing pass:
    a name with a slip in it would otherwise leave the door open.
    """
    if not source.secrets:
        return source
    for name in source.secrets:
        if name != "url_secret" and name not in names:
            known = ", ".join(("url_secret", *names))
            why = f"no secret of this webhook has the name {name!r}: correct it in enrich.adapters.secrets ({known})"
            raise bad_input("secrets", name, why)
    secret = source.secrets.get("url_secret")
    if secret is None:
        return source
    if not same(source.parameters.get(URL_SECRET) or "", secret):
        raise bad_input(
            "querystring",
            None,
            f"parameter {URL_SECRET!r} of the webhook's URL does not have the value of the setting url_secret",
        )
    return msgspec.structs.replace(
        source,
        querystring=[pair for pair in source.querystring if pair[0] != URL_SECRET],
        parameters={name: value for name, value in source.parameters.items() if name != URL_SECRET},
    )


def same(found: str, wanted: str) -> bool:
    """Whether two texts are equal, found out in constant time."""
    return hmac.compare_digest(_bytes(found), _bytes(wanted))


def header(payload: CollectorPayload, name: str) -> str | None:
    """The value of the first header of this name, whatever its case."""
    for line in payload.headers or ():
        found, colon, value = line.partition(":")
        if colon and found.strip().lower() == name.lower():
            return value.strip()
    return None


def required_header(payload: CollectorPayload, name: str) -> str:
    """As :func:`header`, but a request without it fails."""
    value = header(payload, name)
    if value is None:
        raise bad_input(name, None, "the request is not signed: header missing, although a secret is configured")
    return value


def mismatch(field: str, value: str | None, setting: str) -> AdapterFailure:
    """The failure of a signature that is not the request's."""
    return bad_input(field, value, f"signature does not match the request and the setting {setting}")


def hmac_hex(key: str, text: str) -> str:
    """HMAC-SHA256 in hexadecimal digits."""
    return hmac.new(_bytes(key), _bytes(text), hashlib.sha256).hexdigest()


def hmac_base64(key: str, text: str, algorithm: str = "sha256") -> str:
    """HMAC in Base64."""
    return base64.b64encode(hmac.new(_bytes(key), _bytes(text), algorithm).digest()).decode()


def sha256_hex(text: str) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(_bytes(text)).hexdigest()


def ecdsa_matches(public_key: str, signature: str, text: str) -> bool:
    """Whether a Base64 DER signature (ECDSA with SHA-256) of ``text`` was made with this key's private half."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.hashes import SHA256

    key = _ecdsa_key(public_key)
    try:
        key.verify(base64.b64decode(_bytes(signature), validate=True), _bytes(text), ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error):
        return False
    return True


@lru_cache(maxsize=16)
def _ecdsa_key(text: str) -> EllipticCurvePublicKey:
    """A key as senders print it: Base64 of its DER form, with or without the lines of PEM around."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    bare = "".join(line for line in text.split() if "-" not in line and line not in ("PUBLIC", "BEGIN", "END"))
    try:
        key = load_der_public_key(base64.b64decode(bare, validate=True))
    except ValueError:
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise bad_input(
            "public_key", None, "the setting public_key is not an ECDSA public key: copy it from the sender's page"
        )
    return key


def public_url(source: AdapterInput) -> str:
    """The URL the sender was given, which some sign too.

    The setting ``url`` says it; without one it is taken to be ``https`` with the request's own host and path. The
    request's query string is added when the setting has none.
    """
    payload = source.payload
    url = source.secrets.get("url")
    if url is None:
        url = f"https://{payload.hostname or header(payload, 'Host') or ''}{payload.path or ''}"
    return f"{url}?{payload.querystring}" if payload.querystring and "?" not in url else url


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
