"""How far a sink has come: its cursor as a file, which its worker writes and others read."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

_WORKERS = "worker-*"


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """``number`` is that of the last file which the sink took, or which passed it by. ``passed_by`` counts the latter,
    ``passed_at`` (ms) is when the last did. ``trouble`` is why it takes nothing, ``since`` (ms) from when."""

    number: int = 0
    passed_by: int = 0
    passed_at: int = 0
    trouble: str = ""
    since: int = 0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def read(file: Path) -> Place:
    """Where a crash cut the file off, what is there comes again."""
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Place | int)  # a number alone: of an older version
    except (msgspec.DecodeError, FileNotFoundError):
        return Place()
    return Place(found) if isinstance(found, int) else found


def write(file: Path, place: Place) -> None:
    draft = file.with_name(f"{file.name}.new")
    draft.write_bytes(msgspec.json.encode(place))
    draft.replace(file)


class Standing(msgspec.Struct, frozen=True):
    """A sink over all workers: batches and their bytes that wait for it, and since when the oldest does (ms; 0: none
    waits). The rest is as in ``Place``."""

    sink: str
    batches: int = 0
    bytes: int = 0
    oldest: int = 0
    passed_by: int = 0
    passed_at: int = 0
    trouble: str = ""
    since: int = 0


def standings(folder: Path, sinks: Sequence[str] = ()) -> list[Standing]:
    """By name, from the folder of all workers; ``sinks`` are those that exist whether they have been at work or not."""
    found = {name: Standing(name) for name in sinks}
    for worker in sorted(folder.glob(_WORKERS)):
        waiting = list(_waiting(worker))
        for file in worker.glob("*.cursor"):
            place = read(file)
            ahead = [(size, at) for number, size, at in waiting if number > place.number]
            before = found.get(file.stem) or Standing(file.stem)
            oldest = [at for _, at in ahead] + ([before.oldest] if before.oldest else [])
            found[file.stem] = Standing(
                file.stem,
                before.batches + len(ahead),
                before.bytes + sum(size for size, _ in ahead),
                min(oldest, default=0),
                before.passed_by + place.passed_by,
                max(before.passed_at, place.passed_at),
                place.trouble or before.trouble,
                min(filter(None, (place.since, before.since)), default=0),
            )
    return [found[name] for name in sorted(found)]


def _waiting(worker: Path) -> Iterator[tuple[int, int, int]]:
    for path in worker.glob("*.batch"):
        try:
            stat = path.stat()
        except FileNotFoundError:  # the last sink has just taken it
            continue
        yield int(path.stem), stat.st_size, stat.st_mtime_ns // 1_000_000
