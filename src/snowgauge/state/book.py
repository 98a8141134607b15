"""A book of changes to named documents: the records of a state log, encrypted, each a commit.

A commit changes some documents, all of them or none. It has a number, which was free when it was made, so that its
maker had seen everything before it. A commit that is *whole* holds every document that there is; what came before is
deleted then.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator, Mapping

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from snowgauge.errors import StateUnavailable, StoreUnavailable
from snowgauge.store.state_log import StateLog

_LARGEST = 256_000_000
"""Bytes of a commit once it is unpacked."""


class Commit(msgspec.Struct, frozen=True):
    """``changes``: name -> what the document says from now on; ``None``: it is gone."""

    number: int
    whole: bool
    changes: Mapping[str, bytes | None]
    size: int = 0
    """Bytes that it takes in the store."""


class _Body(msgspec.Struct, frozen=True):
    book: str
    number: int
    whole: bool
    changes: Mapping[str, bytes | None]


class Book:
    """One book, ``name``. ``key``: any text, the same on every machine. Raises ``StateUnavailable``."""

    def __init__(self, log: StateLog, name: str, key: str) -> None:
        self._log = log
        self.name = name
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))

    def after(self, number: int) -> Iterator[Commit]:
        """The commits beyond a number, in their order. The first is whole, where some in between were deleted."""
        while True:
            try:
                records = self._log.after(self.name, number)
            except StoreUnavailable as error:
                raise self._unavailable(error) from error
            for record in records:
                commit = self._opened(record.number, record.body)
                if commit.number != number + 1 and not commit.whole:
                    raise StateUnavailable(f"shared state: commit {number + 1} of the book {self.name} is missing")
                number = commit.number
                yield commit
            if not records:
                return

    def append(self, number: int, changes: Mapping[str, bytes | None], *, whole: bool = False) -> Commit | None:
        """Commit as ``number``. ``None``: another has that number."""
        packed = zlib.compress(msgspec.msgpack.encode(_Body(self.name, number, whole, changes)))
        body = self._fernet.encrypt(packed)
        try:
            taken = self._log.append(self.name, number, body)
        except StoreUnavailable as error:
            raise self._unavailable(error) from error
        return Commit(number, whole, changes, len(body)) if taken else None

    def forget(self, before: int) -> None:
        """Delete the commits with lower numbers."""
        try:
            self._log.forget(self.name, before)
        except StoreUnavailable as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        self._log.close()

    def _opened(self, number: int, body: bytes) -> Commit:
        try:
            packed = zlib.decompressobj().decompress(self._fernet.decrypt(body), _LARGEST)
            found = msgspec.msgpack.decode(packed, type=_Body)
        except InvalidToken:
            raise StateUnavailable(
                "shared state: it was encrypted with another shared_state.key: give every machine the same"
            ) from None
        except (zlib.error, msgspec.DecodeError) as error:
            raise StateUnavailable(f"shared state: commit {number} of the book {self.name}: {error}") from None
        if (found.book, found.number) != (self.name, number):
            raise StateUnavailable(f"shared state: commit {number} of the book {self.name} belongs elsewhere")
        return Commit(number, found.whole, found.changes, len(body))

    def _unavailable(self, error: StoreUnavailable) -> StateUnavailable:
        return StateUnavailable(f"shared state: {error}")
