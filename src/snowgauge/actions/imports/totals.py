"""The sums of an import: every line that was read is in exactly one of them."""

from __future__ import annotations

import msgspec


class Totals(msgspec.Struct):
    """``lines`` = ``events`` + ``repeated`` + ``not_ours`` + ``unreadable``.

    ``repeated`` were imported before; ``unreadable`` are kept as failed events. ``files`` were read,
    ``files_known`` had been read to their end before, ``files_failed`` could not be read to their end.
    """

    files: int = 0
    files_known: int = 0
    files_failed: int = 0
    lines: int = 0
    events: int = 0
    repeated: int = 0
    not_ours: int = 0
    unreadable: int = 0
