"""The cleaning that makes a string fit into one cell of the enriched TSV (enrich 6.10)."""

from __future__ import annotations

_SPACES = {9: "    "}
_DELETED = dict.fromkeys([*range(9), *range(10, 32), 127], "")
_TABLE = str.maketrans({chr(code): text for code, text in {**_SPACES, **_DELETED}.items()})


def tsv_safe(text: str | None) -> str | None:
    """A tab becomes four spaces, other ASCII control characters go, and nothing left becomes ``None``."""
    if not text:
        return None
    if text.isprintable():  # no character of the table is printable, and nearly every string is
        return text
    return text.translate(_TABLE) or None
