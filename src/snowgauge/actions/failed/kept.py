"""What is kept about failed events: runs, rules, and what users say about causes. All machines have the same.

On one machine these are files of the data folder. Where machines share their state, documents of a book take their
place; what the folder has from before is moved there.

One machine recovers at a time. A lease says which: it ends unless it is renewed, and events are stored only by someone
who still has it.
"""

from __future__ import annotations

import fcntl
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cached_property
from pathlib import Path

import msgspec

from snowgauge.errors import ActionRefused, StateUnavailable
from snowgauge.state.documents import Documents, FolderDocuments
from snowgauge.telemetry.logs import logger

FOLDER = "recoveries"
_LEASE = "lease"
_LASTS = 120.0
"""Seconds for which others respect a lease by their clocks, which may be a minute apart."""
_SURE = 60.0
"""Seconds for which its holder relies on it."""
_RENEWED = 15.0
log = logger("recovery")
_UNDER_WAY = "another recovery is under way{}; try again when it has ended"


class _Lease(msgspec.Struct, frozen=True):
    """``until`` is a time of day, in seconds."""

    holder: str
    run: str
    until: float


class _Dated(msgspec.Struct, frozen=True):
    at: int = 0


class Kept:
    """Documents of a deployment, and who may recover. ``shared``: those of all machines; ``None``: there is one
    machine."""

    def __init__(self, data_dir: Path, shared: Documents | None = None) -> None:
        self._folder = data_dir / FOLDER
        self._own = FolderDocuments(self._folder)
        self._shared = shared
        self.save_every = 0.5 if shared is None else 5.0
        """Seconds between two notes of a run's progress; those of a shared one are inserts into the store."""

    @cached_property
    def documents(self) -> Documents:
        """Raises ``StateUnavailable``."""
        if self._shared is None:
            return self._own
        self._take_over(self._shared)
        return self._shared

    def change(self, name: str, change: Callable[[bytes | None], bytes]) -> bytes:
        """Write a document by what it says, while nobody else does; ``change`` may be asked again."""
        while True:
            before = self.documents.read(name)
            after = change(before)
            if self.documents.put(name, after, before):
                return after

    def _take_over(self, shared: Documents) -> None:
        """Move the folder's documents to where all machines see them; of two of a name the newer counts."""
        for name in self._own.names(""):
            body = self._own.read(name)
            if not name.endswith(".json") or body is None:
                continue
            there = shared.read(name)
            while (there is None or _at(there) < _at(body)) and not shared.put(name, body, there):
                there = shared.read(name)
            self._own.remove(name)
            log.info("document_taken_over", name=f"{FOLDER}/{name}")

    @contextmanager
    def alone(self, run: str = "", *, at_once: bool = True) -> Iterator[Turn]:
        """Only one may recover at a time. Raises ``ActionRefused`` while another recovery runs, here or on another
        machine. ``at_once=False``: the lease is taken when something is to be stored, by ``Turn.storing``."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ActionRefused(_UNDER_WAY.format(""), status=409) from None
            turn = Turn(None if self._shared is None else self.documents, run)
            try:
                if at_once:
                    turn.take()
                yield turn
            finally:
                turn.end()

    def under_way(self) -> str:
        """The run that has the lease, on whichever machine; empty: none, or one of this machine alone."""
        if self._shared is None:
            return ""
        found = _holds(self.documents.read(_LEASE))
        return "" if found is None else found.run


class Turn:
    """The right to recover, for as long as it is renewed. ``documents`` has the lease; ``None``: none is needed."""

    def __init__(self, documents: Documents | None, run: str) -> None:
        self._documents = documents
        self._run = run
        self._holder = secrets.token_hex(8)
        self._mine: bytes | None = None
        self._sure_until = 0.0
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def storing(self, gate: Callable[[], AbstractContextManager[None]]) -> Callable[[], AbstractContextManager[None]]:
        """``gate`` for who has the lease. Raises ``ActionRefused`` where it was lost, or cannot be taken."""

        @contextmanager
        def held() -> Iterator[None]:
            with gate():
                self.take()
                yield

        return held

    def take(self) -> None:
        """Take the lease, or see that it holds. Raises ``ActionRefused`` and ``StateUnavailable``."""
        if self._documents is None:
            return
        with self._lock:
            if self._mine is None:
                before = self._documents.read(_LEASE)
                if _holds(before) is not None or not self._put(self._documents, before):
                    raise ActionRefused(_UNDER_WAY.format(" on another machine"), status=409)
                threading.Thread(target=self._renew, name="recovery-lease", daemon=True).start()
            elif time.monotonic() > self._sure_until:
                raise ActionRefused("the lease of recoveries was lost: go on with the run by its name", status=409)

    def end(self) -> None:
        """Let another take it at once."""
        self._ended.set()
        with self._lock:
            if self._documents is not None and self._mine is not None:
                with suppress(StateUnavailable):  # it ends by its time, then
                    self._put(self._documents, self._mine, lasts=0)
                self._mine = None

    def _put(self, documents: Documents, before: bytes | None, *, lasts: float = _LASTS) -> bool:
        began = time.monotonic()
        mine = msgspec.json.encode(_Lease(self._holder, self._run, time.time() + lasts))
        done = documents.put(_LEASE, mine, before)
        if done:
            self._mine = mine
            self._sure_until = began + _SURE
        return done

    def _renew(self) -> None:
        while not self._ended.wait(_RENEWED):
            with self._lock:
                if self._documents is None or self._mine is None:
                    return
                with suppress(StateUnavailable):  # tried again, until it is not relied on any more
                    if not self._put(self._documents, self._mine):
                        self._sure_until = 0.0
                        return


def _holds(body: bytes | None) -> _Lease | None:
    """The lease of someone, who still has it."""
    lease = None if body is None else msgspec.json.decode(body, type=_Lease)
    return lease if lease is not None and lease.until > time.time() else None


def _at(body: bytes) -> int:
    """When a document was written, as it says; 0 for one that cannot be read."""
    try:
        return msgspec.json.decode(body, type=_Dated).at
    except msgspec.DecodeError:
        return 0
