"""Which IP address an event came from (enrich 6.10)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from snowgauge.events.tsv_text import tsv_safe

_ADDRESS = r'"?\[?((?:[0-9]{1,3}\.){3}[0-9]{1,3}|(?:\b[0-9a-f]{1,4}\b|\.|:){1,15})'
_X_FORWARDED_FOR = re.compile(f"x-forwarded-for: {_ADDRESS}")
_FORWARDED = re.compile(f"forwarded: (?:[^,]*;)? ?for={_ADDRESS}")
_SEPARATOR = re.compile(r"[,| ]")


def forwarded_ip(headers: Sequence[str]) -> str | None:
    """The client's address according to proxies, ``None`` when no header tells.

    ``X-Forwarded-For`` wins, then the first element of the first ``Forwarded`` that names one. (Enrich 6.10 forgets
    ``Forwarded`` at the next header, so that it never counts in a POST, whose content type is kept as the last one.)
    """
    forwarded: str | None = None
    for header in headers:
        if header[:1] in "xXfF":
            lowered = header.lower()
            if found := _X_FORWARDED_FOR.match(lowered):
                return found[1]
            if forwarded is None and (found := _FORWARDED.match(lowered)):
                forwarded = found[1]
    return forwarded


def first_ip(text: str | None) -> str | None:
    """The first of a list separated by commas, pipes or spaces; its syntax is not checked."""
    if not text:
        return None
    if text.isalnum() or not _SEPARATOR.search(text):
        return tsv_safe(text)
    return tsv_safe(_SEPARATOR.split(text, 1)[0])
