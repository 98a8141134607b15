"""What keeps an erased person erased.

A tombstone says: of whoever had these marks, nothing that was collected before this instant may come back. It holds
keyed hashes, not the identifiers, so the list of tombstones names nobody. What is collected later is not concerned: a
visitor who returns has been asked again.

Whatever puts events into a store from somewhere else than the collector goes through ``covers``: recovery, imports,
restored backups, copies between stores; and the pipeline does for what was under way when the erasure ran.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec

from snowgauge.actions.lifetime.files import sync_folder
from snowgauge.actions.lifetime.marks import Mark, Marks
from snowgauge.actions.lifetime.pruning import Test, pruned_failed, pruned_record
from snowgauge.errors import PayloadRecordError
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode
from snowgauge.store.base import StoreBatch
from snowgauge.store.cut import without
from snowgauge.store.lifetime import row_time

Item = EnrichedEvent | FailedEvent | CollectorPayload | bytes


class Tombstone(msgspec.Struct, frozen=True):
    """``at``: what was collected before it (ms) is covered. ``words``: all words have to be looked at."""

    erasure: str
    at: int
    marks: frozenset[str]
    words: bool = False


class Tombstones:
    """The tombstones of a data folder; notices those that another process adds. ``names`` as for ``Marks``."""

    def __init__(self, data_dir: Path, names: Iterable[str] = ()) -> None:
        self.folder = data_dir / "privacy"
        self._names = tuple(names)
        self._file = self.folder / "tombstones.jsonl"
        self._seen: tuple[int, int, int] = (0, 0, 0)
        self._all: list[Tombstone] = []
        self._newest = 0
        self._marks = Marks(self._names)
        self._key = b""

    def add(self, erasure: str, at: int, marks: Iterable[Mark]) -> Tombstone:
        """Durable when it returns. The same erasure a second time changes nothing."""
        there = next((one for one in self.all() if one.erasure == erasure), None)
        if there is not None:
            return there
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = self._read_key() or self._keep_key(secrets.token_bytes(32))
        found = list(marks)
        made = Tombstone(
            erasure, at, frozenset(_hash(key, mark) for mark in found), any(kind == "word" for kind, _ in found)
        )
        file = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            # a line that a crash cut off must not swallow this one
            os.write(file, b"\n" + msgspec.json.encode(made) + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        sync_folder(self.folder)
        return made

    def name(self, mark: Mark) -> str:
        """A mark as reports may show it: its kind and keyed hash."""
        return f"{mark[0]} {_hash(self._read_key() or b'', mark)}"

    def all(self) -> list[Tombstone]:
        self._refresh()
        return list(self._all)

    def covers(self, item: Item) -> bool:
        """Was this collected before the erasure of somebody whose it is?"""
        self._refresh()
        return self._covers(item)

    def _covers(self, item: Item) -> bool:
        mine = self._test(item)
        return mine is not None and mine(self._marks.of(item))

    def pruned(self, record: bytes) -> bytes | None:
        """A request's record without covered events; ``None`` when nothing is left of it."""
        self._refresh()
        mine = self._test(record)
        return record if mine is None else pruned_record(record, self._marks, mine)

    def without(self, batch: StoreBatch) -> StoreBatch:
        """The batch without what is covered; the same batch when nothing is."""
        self._refresh()
        if not self._all:
            return batch
        return without(batch, self._covers, self._pruned_failed)

    def pruned_failed(self, failed: FailedEvent) -> FailedEvent | None:
        """A failed event without covered events in its request; ``None`` when it is covered itself."""
        self._refresh()
        return self._pruned_failed(failed)

    def _pruned_failed(self, failed: FailedEvent) -> FailedEvent | None:
        mine = self._test(failed)
        return failed if mine is None else pruned_failed(failed, self._marks, mine)

    def _test(self, item: Item) -> Test | None:
        """Tells whether marks are those of somebody who was erased after this was collected; ``None``: of nobody."""
        if not self._all or (at := _collected(item)) >= self._newest:
            return None
        wanted = frozenset[str]().union(*(one.marks for one in self._all if at < one.at))
        return lambda marks: any(_hash(self._key, mark) in wanted for mark in set(marks))

    def merge(self, other: Tombstones) -> int:
        """Take over another folder's tombstones, which must have the same key (a backup's has); returns how many."""
        theirs = other.all()
        if not theirs:
            return 0
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = other._read_key()
        if (self._read_key() or self._keep_key(key or b"")) != key:
            raise ValueError(f"the tombstones of {self.folder} and {other.folder} have different keys")
        known = {one.erasure for one in self.all()}
        new = [one for one in theirs if one.erasure not in known]
        with self._file.open("ab") as file:
            for one in new:
                file.write(b"\n" + msgspec.json.encode(one) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return len(new)

    def _refresh(self) -> None:
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            self._seen, self._all, self._newest = (0, 0, 0), [], 0
            return
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen == self._seen:
            return
        found: dict[str, Tombstone] = {}
        for line in self._file.read_bytes().splitlines():
            with contextlib.suppress(msgspec.DecodeError):  # a line that a crash cut off; the erasure wrote another
                if line:
                    one = msgspec.json.decode(line, type=Tombstone)
                    found.setdefault(one.erasure, one)
        self._key = self._read_key() or b""
        self._all = list(found.values())
        self._newest = max((one.at for one in self._all), default=0)
        self._marks = Marks(self._names, words=any(one.words for one in self._all))
        self._seen = seen

    @property
    def _key_file(self) -> Path:
        return self.folder / "tombstones.key"

    def _read_key(self) -> bytes | None:
        try:
            return self._key_file.read_bytes()
        except FileNotFoundError:
            return None

    def _keep_key(self, key: bytes) -> bytes:
        """The folder's key from now on: this one, unless somebody else was quicker."""
        draft = self.folder / f"tombstones.key.{secrets.token_hex(8)}.new"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, self._key_file)
        draft.unlink()
        sync_folder(self.folder)
        return self._read_key() or b""


def _hash(key: bytes, mark: Mark) -> str:
    kind, value = mark
    return hmac.digest(key, f"{kind}\0{value}".encode("utf-8", "replace"), "sha256").hex()[:40]


def _collected(item: Item) -> int:
    if isinstance(item, bytes):
        try:
            return decode(item).timestamp
        except PayloadRecordError:
            return 0
    return item.timestamp if isinstance(item, CollectorPayload) else row_time(item)
