"""CSV that is safe to open in a spreadsheet: no cell begins like a formula.

Spreadsheets run what stands in a cell that begins with ``=``, ``+``, ``-`` or ``@`` (also after a tab, a carriage
return or a line feed; some also in full width, as East Asian keyboards write them), and visitors decide what stands in
titles, names and addresses. Such a cell gets an apostrophe in front, which makes text of it; numbers stay numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-](?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)
_TEXT = re.compile(rb'"([^"]*(?:""[^"]*)*)"')


def cell(text: str) -> str:
    """One cell's text."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def neutralised(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A CSV file in pieces, with every text as :func:`cell` has it. Texts are quoted in it, and what is not is a number
    or the like, as the stores write it."""
    waiting = b""
    for piece in pieces:
        waiting += piece
        end = waiting.rfind(b"\n") + 1
        while waiting.count(b'"', 0, end) % 2:  # that line feed stands within quotes
            end = waiting.rfind(b"\n", 0, end - 1) + 1
        if end:
            yield _TEXT.sub(_safe, waiting[:end])
            waiting = waiting[end:]
    if waiting:
        yield _TEXT.sub(_safe, waiting)


def _safe(found: re.Match[bytes]) -> bytes:
    return b'"' + cell(found[1].decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape") + b'"'
