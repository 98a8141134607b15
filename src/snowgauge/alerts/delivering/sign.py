"""Signatures of webhooks: Stripe's scheme, which many libraries can check."""

from __future__ import annotations

import hashlib
import hmac


def signature(secret: str, body: bytes, seconds: int) -> str:
    """The value of ``X-Snowgauge-Signature``: ``t=<unix>,v1=<hex HMAC-SHA-256 of "t.body">``."""
    digest = hmac.new(secret.encode(), b"%d." % seconds + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"
