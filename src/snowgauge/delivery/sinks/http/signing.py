"""Signatures by the Standard Webhooks specification 1.0, for which receivers have libraries in every language.

Headers ``webhook-id``, ``webhook-timestamp`` (seconds) and ``webhook-signature``: ``v1,`` and the HMAC-SHA256 of
``<id>.<timestamp>.<body>`` in base64. The secret is ``whsec_`` and 24 to 64 bytes in base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

_PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """Raises ``ValueError`` for a text that is no such secret; it does not repeat it."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError(
            "signing_secret: expected whsec_ and 24 to 64 bytes in base64; make one with "
            '`echo "whsec_$(openssl rand -base64 32)"`'
        )
    return key


def headers(key: bytes, request_id: str, at: int, body: bytes) -> Mapping[str, str]:
    """``at`` is in seconds since 1970."""
    mac = hmac.new(key, b"%b.%d.%b" % (request_id.encode(), at, body), hashlib.sha256)
    return {
        "webhook-id": request_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(mac.digest()).decode()}",
    }
