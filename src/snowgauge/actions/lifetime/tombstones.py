"""What keeps an erased person erased.

A tombstone says: of a person with these marks, nothing that was collected before this instant may come back. It holds
keyed hashes, not the identifiers, so the list of tombstones names nobody. What is collected later is not concerned: a
visitor who returns has been asked again.

Whatever puts events into a store from somewhere else than the collector goes through ``covers``: recovery, imports,
restored backups, copies between stores; and the pipeline does for what was under way when the erasure ran.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import threading
from collections.abc import Iterable, Iterator

import msgspec

from snowgauge.actions.lifetime.marks import Mark, Marks
from snowgauge.actions.lifetime.pruning import Test, pruned_failed, pruned_record
from snowgauge.errors import PayloadRecordError, StateUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.payload import CollectorPayload
from snowgauge.events.payload_record import decode
from snowgauge.state.documents import Documents
from snowgauge.store.base import StoreBatch
from snowgauge.store.cut import without
from snowgauge.store.lifetime import row_time

Item = EnrichedEvent | FailedEvent | CollectorPayload | bytes
FOLDER = "privacy"
"""Where the documents of erasures and of retention lie in a data folder, and the name of their book in a store."""
_KEY = "tombstones.key"
_WITHIN = "tombstones"
_FORMER = "tombstones.jsonl"
"""A list, as data folders of former versions have it; each tombstone is a document of its own by now."""


class Tombstone(msgspec.Struct, frozen=True, omit_defaults=True):
    """``at``: what was collected before it (ms) is covered. ``words``: all words have to be looked at. ``key``: with
    which the marks were hashed; empty: the one of the place it is in."""

    erasure: str
    at: int
    marks: frozenset[str]
    words: bool = False
    key: str = ""


class Tombstones:
    """The tombstones among these documents; each question has those that were set before it, on whichever machine.
    ``names`` as for ``Marks``. Raises ``StateUnavailable``."""

    def __init__(self, documents: Documents, names: Iterable[str] = ()) -> None:
        self.documents = documents
        self._names = tuple(names)
        self._lock = threading.Lock()
        self._known: _Known = _Known.of((), {}, self._names)
        self._seen: tuple[str, ...] = ()
        self._read: dict[str, Tombstone] = {}
        self._former_read = False

    def add(self, erasure: str, at: int, marks: Iterable[Mark]) -> Tombstone:
        """Durable when it returns, and known to every machine. The same erasure a second time changes nothing."""
        there = next((tombstone for tombstone in self.all() if tombstone.erasure == erasure), None)
        if there is not None:
            return there
        key = self._own_key()
        found = list(marks)
        hashed = frozenset(_hash(key, mark) for mark in found)
        made = Tombstone(erasure, at, hashed, any(kind == "word" for kind, _ in found))
        self.documents.put(f"{_WITHIN}/{erasure}.json", msgspec.json.encode(made), None)
        return made

    def name(self, mark: Mark) -> str:
        """A mark as reports may show it: its kind and keyed hash."""
        return f"{mark[0]} {_hash(self.documents.read(_KEY) or b'', mark)}"

    def all(self) -> list[Tombstone]:
        return list(self._looked().all)

    def covers(self, item: Item) -> bool:
        """Was this collected before the erasure of someone whose it is?"""
        return self._looked().covers(item)

    def pruned(self, record: bytes) -> bytes | None:
        """A request's record without covered events; ``None`` when nothing is left of it."""
        known = self._looked()
        mine = known.test(record)
        return record if mine is None else pruned_record(record, known.marks, mine)

    def without(self, batch: StoreBatch) -> StoreBatch:
        """The batch without what is covered; the same batch when nothing is."""
        known = self._looked()
        return without(batch, known.covers, known.pruned_failed) if known.all else batch

    def pruned_failed(self, failed: FailedEvent) -> FailedEvent | None:
        """A failed event without covered events in its request; ``None`` when it is covered itself."""
        return self._looked().pruned_failed(failed)

    def merge(self, other: Tombstones) -> int:
        """Take over the tombstones of another place, with their keys; returns how many were new."""
        known = {tombstone.erasure for tombstone in self.all()}
        new = [tombstone for tombstone in other.all() if tombstone.erasure not in known]
        if new:
            theirs = other.documents.read(_KEY) or b""
            own = self._own_key(theirs)
        for tombstone in new:
            name, key = tombstone.key, other.documents.read(f"{_KEY}s/{tombstone.key}") if tombstone.key else theirs
            if not tombstone.key and theirs != own:
                name = hashlib.sha256(theirs).hexdigest()[:20]
            if name:
                self.documents.put(f"{_KEY}s/{name}", key or b"", None)
            body = msgspec.json.encode(msgspec.structs.replace(tombstone, key=name))
            self.documents.put(f"{_WITHIN}/{tombstone.erasure}.json", body, None)
        return len(new)

    def _looked(self) -> _Known:
        with self._lock:
            seen = tuple(self.documents.names(_WITHIN))
            if seen != self._seen or not self._former_read:
                self._refresh(seen)
            return self._known

    def _refresh(self, seen: tuple[str, ...]) -> None:
        for name in self._read.keys() - set(seen):
            del self._read[name]
        for name in seen:
            if name not in self._read and (body := self.documents.read(name)) is not None:
                self._read[name] = msgspec.json.decode(body, type=Tombstone)
        found = {tombstone.erasure: tombstone for tombstone in (*self._former(), *self._read.values())}
        keys = {
            name: self.documents.read(f"{_KEY}s/{name}" if name else _KEY) or b""
            for name in {tombstone.key for tombstone in found.values()}
        }
        self._known = _Known.of(tuple(found.values()), keys, self._names)
        self._seen, self._former_read = seen, True

    def _former(self) -> Iterator[Tombstone]:
        for line in (self.documents.read(_FORMER) or b"").splitlines():
            with contextlib.suppress(msgspec.DecodeError):  # a line that a crash cut off; the erasure wrote another
                if line:
                    yield msgspec.json.decode(line, type=Tombstone)

    def _own_key(self, wanted: bytes = b"") -> bytes:
        """The key of this place: the wanted one, unless it has one already."""
        key = self.documents.read(_KEY)
        if key is None and self.documents.put(_KEY, wanted or secrets.token_bytes(32), None):
            key = self.documents.read(_KEY)
        found = key or self.documents.read(_KEY)
        if not found:
            raise StateUnavailable("shared state: the key of the tombstones was removed just now")
        return found


class _Known(msgspec.Struct, frozen=True):
    """Tombstones as of one look. ``newest``: nothing that was collected later is covered."""

    all: tuple[Tombstone, ...]
    keys: dict[str, bytes]
    newest: int
    marks: Marks

    @classmethod
    def of(cls, tombstones: tuple[Tombstone, ...], keys: dict[str, bytes], names: tuple[str, ...]) -> _Known:
        newest = max((tombstone.at for tombstone in tombstones), default=0)
        return cls(tombstones, keys, newest, Marks(names, words=any(tombstone.words for tombstone in tombstones)))

    def covers(self, item: Item) -> bool:
        mine = self.test(item)
        return mine is not None and mine(self.marks.of(item))

    def pruned_failed(self, failed: FailedEvent) -> FailedEvent | None:
        mine = self.test(failed)
        return failed if mine is None else pruned_failed(failed, self.marks, mine)

    def test(self, item: Item) -> Test | None:
        """Tells whether marks are those of someone who was erased after this was collected; ``None``: of nobody."""
        if not self.all or (at := _collected(item)) >= self.newest:
            return None
        wanted: dict[str, set[str]] = {}
        for tombstone in self.all:
            if at < tombstone.at:
                wanted.setdefault(tombstone.key, set()).update(tombstone.marks)
        return lambda marks: any(
            _hash(self.keys[name], mark) in hashes for mark in set(marks) for name, hashes in wanted.items()
        )


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
