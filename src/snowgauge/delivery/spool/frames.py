"""SQLite's write-ahead log read without SQLite, which takes the first damaged frame for the end of the log.

A log is a header of 32 bytes and frames of one length, each a header of 24 bytes and a page
(sqlite.org/fileformat2.html).
Header and frames carry the same two *salts*; frames of an older use of the same file carry others.
"""

from __future__ import annotations

import mmap
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from snowgauge.delivery.spool import folder as files

PAGE_BYTES = 8192  # two typical payloads; the middle of what was measured (docs/decisions)
_HEADER_BYTES, _FRAME_BYTES = 32, 24
_FRAME = struct.Struct(">II8s")  # page number, pages after commit (0: none), salts

Log = bytes | mmap.mmap


class Frame(NamedTuple):
    """``at``: where its page starts. ``commits``: it ends a transaction. ``current``: it has the log's salts; without
    them it is of an older use of the file, or its header is damaged, and ``page`` may be any number."""

    page: int
    commits: bool
    at: int
    current: bool


def frames(log: Log) -> Iterator[Frame]:
    """All frames, whole or not, also those behind a damaged header."""
    places = range(_HEADER_BYTES, len(log) - PAGE_BYTES - _FRAME_BYTES + 1, PAGE_BYTES + _FRAME_BYTES)
    salts = _salts(log, places)
    for start in places:
        page, pages, own = _FRAME.unpack_from(log, start)
        yield Frame(page, pages != 0 and own == salts, start + _FRAME_BYTES, own == salts)


def _salts(log: Log, places: range) -> bytes:
    """The header's, if its checksum is right; else those of most frames."""
    if len(log) >= _HEADER_BYTES and _header_whole(log[:_HEADER_BYTES]):
        return log[16:24]
    votes = Counter(log[start + 8 : start + 16] for start in places)
    return votes.most_common(1)[0][0] if votes else b""


def _header_whole(header: bytes) -> bool:
    magic = int.from_bytes(header[:4], "big")
    if magic & ~1 != 0x377F0682:
        return False
    order = ">" if magic & 1 else "<"
    first = second = 0
    words = struct.unpack(f"{order}6I", header[:24])
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return (first, second) == struct.unpack(">2I", header[24:])


def committed_bytes(log: Log) -> int:
    """Where the last transaction that was written to its end ends."""
    return max((frame.at + PAGE_BYTES for frame in frames(log) if frame.commits), default=0)


def last_logged(path: Path) -> int:
    """The highest entry number in any transaction in the log of the segment at ``path`` that was written to its end."""
    file = files.log_file(path)
    if not file.exists() or file.stat().st_size < _HEADER_BYTES:
        return 0
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as log:
        highest = pending = 0
        for frame in frames(log):
            if frame.page > 1 and frame.current:
                pending = max(pending, _last_rowid(log, frame.at))
            if frame.commits:
                highest = max(highest, pending)
        return highest


def _last_rowid(log: mmap.mmap, at: int) -> int:
    """The number of the last row of a table's leaf page; 0 for pages of another kind."""
    if log[at] != 0x0D:
        return 0
    cells = struct.unpack_from(">H", log, at + 3)[0]
    if not 0 < cells < PAGE_BYTES // 4:
        return 0
    cell = struct.unpack_from(">H", log, at + 8 + 2 * (cells - 1))[0]
    if not 8 < cell < PAGE_BYTES - 18:
        return 0
    _, cell = varint(log, at + cell)
    return varint(log, cell)[0]


def varint(data: Log, at: int) -> tuple[int, int]:
    """SQLite's variable-length integer at a place, and the place after it."""
    value = 0
    for i in range(8):
        byte = data[at + i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9
