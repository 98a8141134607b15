"""How many entries a segment was given, in a small file beside it.

A damaged SQLite file passes for a shorter one: what its last pages held is nowhere else. So the writer notes the number
of the last entry before it acknowledges it, and the reader of the segment knows when something is missing, and how
much. A segment that was salvaged notes which entries were missing then.

The note is not flushed to the disk: after a power cut it may name an older number than the segment holds, never a
newer one.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from snowgauge.delivery.spool import folder as files

_CHECK = struct.Struct(">I")
_NUMBER = struct.Struct(">Q")
_RANGE = struct.Struct(">QQ")


class Kept(msgspec.Struct, frozen=True):
    """``acknowledged``: the number of the last entry. ``missing``: ranges of entry numbers, first and last, that could
    not be read when the segment was salvaged."""

    acknowledged: int = 0
    missing: tuple[tuple[int, int], ...] = ()

    def absent(self, first: int, last: int) -> int:
        """How many of the entries ``first`` to ``last`` are known to be missing."""
        return sum(max(0, min(end, last) - max(start, first) + 1) for start, end in self.missing)

    def last_present(self, last: int) -> int:
        """The number of the last entry up to ``last`` that is not missing."""
        for start, end in reversed(self.missing):
            if start <= last <= end:
                last = start - 1
        return last


def without(present: Iterable[int], acknowledged: int) -> Kept:
    """What is to be noted of a segment that holds only ``present``, in order, of its ``acknowledged`` entries."""
    missing = []
    expected = 1
    for seq in (*present, acknowledged + 1):
        if seq > expected:
            missing.append((expected, seq - 1))
        expected = seq + 1
    return Kept(acknowledged, tuple(missing))


def encoded(kept: Kept) -> bytes:
    body = _NUMBER.pack(kept.acknowledged) + b"".join(_RANGE.pack(*one) for one in kept.missing)
    return _CHECK.pack(zlib.crc32(body)) + body


def write(path: Path, kept: Kept) -> None:
    """Note it for the segment at ``path``, on disk when this returns."""
    with files.kept_file(path).open("wb") as file:
        file.write(encoded(kept))
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Kept | None:
    """What is noted for the segment at ``path``; ``None`` if that is damaged, or was never written."""
    try:
        raw = files.kept_file(path).read_bytes()
    except OSError:
        return None
    body = raw[_CHECK.size :]
    if len(body) < _NUMBER.size or (len(body) - _NUMBER.size) % _RANGE.size or _CHECK.pack(zlib.crc32(body)) != raw[:4]:
        return None
    missing = tuple((first, last) for first, last in _RANGE.iter_unpack(body[_NUMBER.size :]))
    return Kept(_NUMBER.unpack_from(body)[0], missing)
