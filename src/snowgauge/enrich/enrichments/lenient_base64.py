"""Base64 as Java's commons-codec decodes it by default: both alphabets, padding optional, never an error.

Characters outside the alphabets are skipped, decoding stops at the first ``=``, and a last character that makes no
whole byte is dropped.
"""

from __future__ import annotations

import base64
import re

_FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")


def decode(text: str) -> bytes:
    """The bytes of ``text``; garbage decodes to something, possibly nothing."""
    clean = _FOREIGN.sub("", text.partition("=")[0].replace("+", "-").replace("/", "_"))
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return base64.urlsafe_b64decode(clean + "=" * (-len(clean) % 4))


def decode_text(text: str) -> str:
    """The same as UTF-8 text, with U+FFFD for what is none."""
    return decode(text).decode("utf-8", "replace")
