"""Saves entries from a segment that SQLite cannot read in full.

Pages are read as they lie in the file and in its write-ahead log, without SQLite and in spite of broken links between
them; an entry counts when its bytes have the checksum that they were kept with (sqlite.org/fileformat2.html).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool.segment import KINDS, Row, create, log_frames, varint
from snowgauge.telemetry.logs import logger

log = logger("eventlog")

_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def replace_damaged(folder: Path, name: files.SegmentName, reason: str) -> files.SegmentName:
    """Put what can be saved of a segment into its next revision and set the damaged file aside."""
    path = folder / name.file
    saved = salvage(path)
    replacement = name._replace(revision=name.revision + 1)
    create(folder / replacement.file, saved)
    aside = files.set_aside(path)
    log.error(
        "eventlog_segment_damaged",
        file=name.file,
        reason=reason,
        saved_entries=len(saved),
        highest_entry=saved[-1][0] if saved else 0,
        set_aside=str(aside),
        effect="entries that could not be saved are only in the file set aside",
    )
    return replacement


def salvage(path: Path) -> list[Row]:
    """Every entry of a segment whose bytes are as they were kept, in order."""
    pages, latest = _pages(path)
    found: dict[int, Row] = {}
    for page in pages:
        for seq, row in _rows(page, latest):
            found.setdefault(seq, row)
    rows: list[Row] = []
    total = 0
    for seq in sorted(found):
        _, received_at, kind, crc, _, body = found[seq]
        total += len(body)
        rows.append((seq, received_at, kind, crc, total, body))
    return rows


def _pages(path: Path) -> tuple[list[bytes], dict[int, bytes]]:
    """All page images of a file and its log, and the newest image of each page by number."""
    images: list[bytes] = []
    latest: dict[int, bytes] = {}
    base = path.read_bytes() if path.exists() else b""
    log_file = path.with_name(path.name + "-wal")
    logged = log_file.read_bytes() if log_file.exists() else b""
    frames = list(log_frames(logged))
    while frames and not frames[-1][1]:  # what comes after the last commit was never acknowledged
        frames.pop()
    page_bytes = frames[0][3] if frames else _page_bytes(base)
    for number, start in enumerate(range(0, len(base), page_bytes), 1):
        latest[number] = base[start : start + page_bytes]
        images.append(latest[number])
    for number, _, start, _ in frames:
        latest[number] = logged[start : start + page_bytes]
        images.append(latest[number])
    return images, latest


def _page_bytes(base: bytes) -> int:
    size = struct.unpack_from(">H", base, 16)[0] if len(base) >= 18 else 0
    return 65536 if size == 1 else size if size >= 512 and size & (size - 1) == 0 else 8192


def _rows(page: bytes, latest: dict[int, bytes]) -> Iterator[tuple[int, Row]]:
    """Entries of a leaf page of a table; nothing for other pages and for cells that make no sense."""
    if len(page) < 8 or page[0] != 0x0D:
        return
    cells = struct.unpack_from(">H", page, 3)[0]
    for i in range(min(cells, (len(page) - 8) // 2)):
        try:
            size, at = varint(page, struct.unpack_from(">H", page, 8 + 2 * i)[0])
            seq, at = varint(page, at)
            row = _row(seq, _payload(page, at, size, latest))
        except (IndexError, struct.error, KeyError, ValueError):
            continue
        if row is not None:
            yield seq, row


def _payload(page: bytes, at: int, size: int, latest: dict[int, bytes]) -> bytes:
    """A cell's record, collected from overflow pages when it does not fit."""
    usable = len(page)
    most, least = usable - 35, (usable - 12) * 32 // 255 - 23
    if size <= most:
        return page[at : at + size]
    local = least + (size - least) % (usable - 4)
    local = local if local <= most else least
    parts, got = [page[at : at + local]], local
    (following,) = struct.unpack_from(">I", page, at + local)
    while got < size:
        overflow = latest[following]
        (following,) = struct.unpack_from(">I", overflow, 0)
        part = overflow[4 : 4 + size - got]
        if not part:
            raise ValueError("an overflow page without content")
        parts.append(part)
        got += len(part)
    return b"".join(parts)


def _row(seq: int, record: bytes) -> Row | None:
    """The columns of a record, if they are an entry's and its checksum is right."""
    header_end, at = varint(record, 0)
    types = []
    while at < header_end:
        code, at = varint(record, at)
        types.append(code)
    if len(types) != 6 or types[5] < 12 or types[5] % 2:
        return None
    numbers = []
    at = header_end
    for code in types[1:5]:
        if code in (8, 9):
            numbers.append(code - 8)
        else:
            width = _INTEGER_BYTES[code]
            numbers.append(int.from_bytes(record[at : at + width], "big", signed=True))
            at += width
    received_at, kind, crc, total = numbers
    body = record[at : at + (types[5] - 12) // 2]
    if kind not in range(len(KINDS)) or zlib.crc32(body) != crc:
        return None
    return seq, received_at, kind, crc, total, body
