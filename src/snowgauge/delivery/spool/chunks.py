"""What the first version made of a batch: chunks, each stored and recorded under an id of its own.

A batch that it had begun may be stored in part when this version takes over. So it is divided as that version would
have, once, and what comes out is written down as batches (``Cursor.divide``). The rule and its number may never change.
"""

from __future__ import annotations

from collections.abc import Iterable

from snowgauge.delivery.spool.cursor import Boundaries

_BYTES = 8_000_000


def chunks(begun: Boundaries, sizes: Iterable[tuple[int, int]]) -> list[Boundaries]:
    """``sizes``: number and length of each entry that is left of the batch, in order."""
    found: list[Boundaries] = []
    first, size, last = 0, 0, 0
    for seq, length in sizes:
        first = first or seq
        last = seq
        size += length
        if size >= _BYTES:
            found.append(Boundaries(f"{begun.id}.{len(found)}", begun.segment, first, last))
            first, size = 0, 0
    if first:
        found.append(Boundaries(f"{begun.id}.{len(found)}", begun.segment, first, last))
    return found
