"""Saves entries from a segment that SQLite cannot read in full.

The bytes of the file and of its write-ahead log are searched for entries, without SQLite and in spite of broken links,
headers and pages between them; an entry counts when it has the checksum that it was kept with
(sqlite.org/fileformat2.html).
"""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from snowgauge.delivery.spool import folder as files
from snowgauge.delivery.spool import kept, loss
from snowgauge.delivery.spool.frames import PAGE_BYTES, committed_bytes, frames, varint
from snowgauge.delivery.spool.kept import Kept
from snowgauge.delivery.spool.segment import Checksums, Row, create

_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}
_RECORD = re.compile(rb"(?=[\x07-\x0b]\x00[\x01-\x06\x08\x09]{4})", re.DOTALL)
"""How the record of an entry begins: length of its header, no value for the row's number, four integers."""
_LONGEST_VARINT = 9
_TRIES, _STRAYS = 64, 16


class Damaged(NamedTuple):
    """A segment to be replaced. ``stored``: entries up to this number are in the store already. ``note``: what was
    noted beside it when it was opened."""

    name: files.SegmentName
    reason: str
    stored: int = 0
    note: Kept | None = None


def replace_damaged(folder: Path, damaged: Damaged) -> files.SegmentName:
    """Report what is lost of a segment, put what can be saved into its next revision, set the damaged file aside.

    In this order: a process killed in between has said what is lost, and the next does the rest. The report then
    is the same, under the same name.
    """
    name, reason, stored, known = damaged
    path = folder / name.file
    note = kept.read(path) or known
    saved = salvage(path)
    before = note or Kept()
    last = max(before.acknowledged, stored, saved[-1][0] if saved else 0)
    after = kept.without((row[0] for row in saved), last)
    replacement = name._replace(revision=name.revision + 1)
    unreadable = after.absent(stored + 1, last) - before.absent(stored + 1, last)
    count = sum(row[0] > stored for row in saved)
    loss.report(
        folder, loss.Loss(name.file, reason, count, unreadable, note is not None, time.time()), files.place_aside(path)
    )
    create(folder / replacement.file, saved, after)
    files.set_aside(path)
    return replacement


def salvage(path: Path) -> list[Row]:
    """Every entry of a segment whose bytes are as they were kept, in order, with the checksums of its name."""
    note = kept.read(path)
    checksums = Checksums(path)
    base = path.read_bytes() if path.exists() else b""
    log_file = files.log_file(path)
    logged = log_file.read_bytes() if log_file.exists() else b""
    pages = _Pages(base, logged)
    newest = max((frame.at for frame in frames(logged) if frame.current), default=0)
    found: dict[int, Row] = {}
    for data, surely_kept in ((base, len(base)), (logged, committed_bytes(logged))):
        for match in _RECORD.finditer(data):
            at = match.start()
            for row in _rows(data, at, pages):
                if checksums.right(row, plain=note is None):
                    # behind the last whole transaction there is also what was never acknowledged
                    if at < surely_kept or (note is not None and row[0] <= note.acknowledged):
                        older = data is logged and at > newest + PAGE_BYTES  # left by an earlier use of the log
                        found[row[0]] = found.get(row[0], row) if older else row
                    break
    rows: list[Row] = []
    total = 0
    for seq in sorted(found):
        _, received_at, kind, _, _, body = found[seq]
        total += len(body)
        rows.append((seq, received_at, kind, checksums.of(seq, received_at, kind, body), total, body))
    return rows


class _Pages:
    """Images of pages by number, for the parts of an entry that did not fit on its page."""

    def __init__(self, base: bytes, logged: bytes) -> None:
        self._base = base
        self._log = logged
        self._places: dict[int, list[int]] = {}
        self._strays: list[int] = []
        for frame in frames(logged):
            if frame.current:
                self._places.setdefault(frame.page, []).insert(0, frame.at)
            elif len(self._strays) < _STRAYS:
                self._strays.append(frame.at)

    def images(self, number: int) -> Iterator[bytes]:
        """What may be the page, the likeliest first."""
        for at in self._places.get(number, ()):
            yield self._log[at : at + PAGE_BYTES]
        if 0 < number <= len(self._base) // PAGE_BYTES:
            yield self._base[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]
        for at in self._strays:
            yield self._log[at : at + PAGE_BYTES]


def _rows(data: bytes, at: int, pages: _Pages) -> Iterator[Row]:
    """What the entry may be whose record seems to begin at ``at``: several when pages of its body are in doubt."""
    try:
        body_type, start = varint(data, at + 6)
        types = data[at + 2 : at + 6]
        size = start - at + sum(_INTEGER_BYTES[code] for code in types) + (body_type - 12) // 2
        if start - at != data[at] or body_type < 12 or body_type % 2:
            return
        seq = _seq_before(data, at, size)
        if seq is None:
            return
        numbers = []
        for code in types:
            if code in (8, 9):
                numbers.append(code - 8)
            else:
                numbers.append(int.from_bytes(data[start : start + _INTEGER_BYTES[code]], "big", signed=True))
                start += _INTEGER_BYTES[code]
        received_at, kind, crc, total = numbers
        local = _local_bytes(size)
        left = size - local
        beginning = data[start : at + local]
        following = struct.unpack_from(">I", data, at + local)[0] if left else 0
    except (IndexError, struct.error):
        return
    for rest in _overflow(pages, following, left):
        yield seq, received_at, kind, crc, total, beginning + rest


def _seq_before(data: bytes, at: int, size: int) -> int | None:
    """The number of the row whose record of ``size`` bytes begins at ``at``; both stand before it."""
    if at < 2:
        return None
    begin = at - 1
    while begin > max(0, at - _LONGEST_VARINT) and data[begin - 1] >= 0x80:
        begin -= 1
    seq, end = varint(data, begin)
    encoded = _varint_bytes(size)
    return seq if end == at and data[begin - len(encoded) : begin] == encoded else None


def _varint_bytes(value: int) -> bytes:
    parts = [value & 0x7F]
    while value := value >> 7:
        parts.insert(0, 0x80 | value & 0x7F)
    return bytes(parts)


def _local_bytes(size: int) -> int:
    """How much of a record of ``size`` bytes lies on the page of its row."""
    most, least = PAGE_BYTES - 35, (PAGE_BYTES - 12) * 32 // 255 - 23
    if size <= most:
        return size
    local = least + (size - least) % (PAGE_BYTES - 4)
    return local if local <= most else least


def _overflow(pages: _Pages, following: int, left: int) -> Iterator[bytes]:
    """The rest of a record, ``left`` bytes from page ``following`` on: every chain of images that is long enough."""
    if not left:
        yield b""
        return
    room = PAGE_BYTES - 4
    length = -(-left // room)
    parts: list[bytes] = []
    choices = [pages.images(following)]
    for _ in range(length + _TRIES):
        image = next(choices[-1], None)
        if image is None:
            choices.pop()
            if not choices:
                return
            parts.pop()
            continue
        parts.append(image[4 : 4 + min(room, left - room * (len(choices) - 1))])
        if len(parts) == length:
            yield b"".join(parts)
            parts.pop()
        else:
            choices.append(pages.images(struct.unpack_from(">I", image)[0]))
