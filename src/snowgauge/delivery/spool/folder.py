"""What lies in the spool folder: the names of its files, who holds which of them, and how much room there is.

::

    0000.lock                                   held by the collector process that owns number 0
    0000.reader.lock                            held by the pipeline worker that reads number 0
    0000.cursor.sqlite                          how far number 0 has been stored
    0000.rotate                                 the reader asks the writer to begin a new segment
    0000-1795456929-<uuid>-0.sqlite             a segment (beside it SQLite's -wal and -shm, and -kept: see there)
    share-0-of-1.lock                           held by the pipeline worker with this share
    damaged/                                    files that could not be read in full, kept for a person to look at

Locks are ``flock`` locks: the kernel drops them when their process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

_SEGMENT = re.compile(r"(\d{4})-(\d{10,})-([0-9a-f]{32})-(\d+)\.sqlite")
_SIDE_FILES = ("-wal", "-shm", "-journal", "-kept")
DAMAGED = "damaged"


class SegmentName(NamedTuple):
    """``order`` sorts the segments of a number. ``revision`` grows when a damaged segment is replaced by what could
    be saved of it; ``uuid`` stays, so that batch ids made of it stay too."""

    number: int
    order: int
    uuid: str
    revision: int = 0

    @property
    def file(self) -> str:
        return f"{self.number:04d}-{self.order:010d}-{self.uuid}-{self.revision}.sqlite"


def next_segment(number: int, existing: Iterable[SegmentName], now: float) -> SegmentName:
    """The name of a number's next segment. Clock seconds serve as order, so that it grows when no file is left."""
    newest = max((name.order for name in existing if name.number == number), default=0)
    return SegmentName(number, max(newest + 1, int(now)), uuid4().hex)


def scan(folder: Path) -> list[SegmentName]:
    """All segments, oldest first within a number; where a segment has several revisions, the newest one."""
    found: dict[tuple[int, int, str], SegmentName] = {}
    for name in all_revisions(folder):
        kept = found.get(name[:3])
        if kept is None or kept.revision < name.revision:
            found[name[:3]] = name
    return sorted(found.values())


def replaced(folder: Path, number: int) -> list[SegmentName]:
    """Segments of a number that have a newer revision: a process replaced them and ended before it moved them."""
    newest = set(scan(folder))
    return [name for name in all_revisions(folder) if name.number == number and name not in newest]


def all_revisions(folder: Path) -> list[SegmentName]:
    with os.scandir(folder) as entries:
        return [name for entry in entries if (name := segment_name(entry.name))]


def segment_name(file: str) -> SegmentName | None:
    """What a file's name says; ``None`` if it is no segment's."""
    match = _SEGMENT.fullmatch(file)
    return SegmentName(int(match[1]), int(match[2]), match[3], int(match[4])) if match else None


def kept_file(path: Path) -> Path:
    """Beside the segment at ``path``: how many entries it was given."""
    return path.with_name(path.name + "-kept")


def log_file(path: Path) -> Path:
    """Beside the segment at ``path``: SQLite's write-ahead log."""
    return path.with_name(path.name + "-wal")


def identity(path: str | Path) -> tuple[int, int] | None:
    """Which file lies at ``path`` now; ``None`` for none."""
    try:
        stats = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stats.st_dev, stats.st_ino


def with_side_files(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + suffix) for suffix in _SIDE_FILES)]


def remove(path: Path) -> None:
    """Delete an SQLite file and what SQLite keeps beside it; files that are gone already are no matter."""
    for file in with_side_files(path):
        file.unlink(missing_ok=True)


def place_aside(path: Path) -> Path:
    """Where ``set_aside`` moves a damaged file to."""
    target, attempt = path.parent / DAMAGED / path.name, 0
    while target.exists():
        attempt += 1
        target = target.with_name(f"{path.name}.{attempt}")
    return target


def set_aside(path: Path) -> Path:
    """Move a damaged SQLite file and its side files out of the way; returns where to."""
    target = place_aside(path)
    aside = target.parent
    aside.mkdir(exist_ok=True)
    for file in with_side_files(path):
        if file.exists():
            file.rename(target.with_name(target.name + file.name[len(path.name) :]))
    sync_folder(path.parent)
    sync_folder(aside)
    return target


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def used_bytes(folder: Path) -> int:
    """Bytes of all segments with their side files; what was set aside as damaged is not counted."""
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if ".sqlite" in entry.name and not entry.name.endswith("-shm"):
                try:
                    total += entry.stat().st_size
                except FileNotFoundError:  # stored and deleted since the folder was listed
                    continue
    return total


def free_bytes(folder: Path) -> int:
    stats = os.statvfs(folder)
    return stats.f_bavail * stats.f_frsize


def make(folder: Path) -> None:
    """Make a folder, and have it survive a power cut as what is kept in it will."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        sync_folder(place.parent)


class Held:
    """A lock file that this object holds until ``release``."""

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path
        stats = os.fstat(handle)
        self._identity = stats.st_dev, stats.st_ino

    def in_place(self) -> bool:
        """Is the file still where others look for it? Once it was moved or deleted the lock says nothing to them."""
        return identity(self._path) == self._identity

    def release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def hold(path: Path) -> Held | None:
    """Take the lock if nobody else, in this process or another, has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise
    return Held(handle, path)


def writer_lock(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.lock"


def reader_lock(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.reader.lock"


def cursor_file(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.cursor.sqlite"


def rotate_request(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.rotate"


def share_lock(folder: Path, share: int, of: int) -> Path:
    return folder / f"share-{share}-of-{of}.lock"


_SHARE = re.compile(r"share-(\d+)-of-(\d+)\.lock")


def other_division(folder: Path, of: int) -> tuple[int, int] | None:
    """A share that is being read, and of how many, where that is not ``of``. A worker that holds a share and
    then finds none may read: of two that start at once, one at least finds the other."""
    for path in folder.glob("share-*-of-*.lock"):
        found = _SHARE.fullmatch(path.name)
        if found and int(found[2]) != of:
            held = hold(path)
            if held is None:
                return int(found[1]), int(found[2])
            held.release()
    return None
