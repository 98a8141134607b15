"""A folder as this machine's copy of documents that all machines share.

Readers of files find them here, also while the store is unreachable. A file that someone puts into the folder
becomes a document, and what is removed elsewhere is removed here: a list beside the files says which are copies.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from snowgauge.errors import StateUnavailable
from snowgauge.state.documents import SharedDocuments
from snowgauge.telemetry.logs import logger

_LIST = ".shared.json"
_LOCK = ".shared.lock"
_ASIDE = ".before-sharing"
_LIST_EVERY = 30.0
"""Seconds between two looks at the files themselves."""
_AFTER_TROUBLE = 10.0
log = logger("state")


class Mirror:
    """Safe for threads; several processes may have the same folder. ``max_age``: seconds for which a copy is good."""

    def __init__(self, documents: SharedDocuments, *, max_age: float) -> None:
        self._documents = documents
        self._max_age = max_age
        self._turn = threading.Lock()
        self._next = self._next_list = float("-inf")
        self._seen: dict[str, bytes] = {}

    def follow(self, folder: Path) -> None:
        """Bring the folder up to date, unless that was done just now. Where it cannot be done the folder stays as it
        is, and the log says so."""
        now = time.monotonic()
        if now < self._next or not self._turn.acquire(blocking=False):
            return
        try:
            contents = self._documents.contents()
            if contents != self._seen or now >= self._next_list:
                with _alone(folder):
                    self._seen = self._brought(folder, contents)
                self._next_list = now + _LIST_EVERY
            self._next = now + self._max_age
        except StateUnavailable as error:
            self._next = now + _AFTER_TROUBLE
            log.warning("copy_not_renewed", folder=str(folder), reason=str(error))
        finally:
            self._turn.release()

    def put(self, folder: Path, name: str, body: bytes, *, replace: bool) -> bool:
        """Write a document and the copy. ``False``: there is one, and it is not to be replaced. Raises
        ``StateUnavailable``."""
        while not self._documents.put(name, body, self._documents.read(name) if replace else None):
            if not replace:
                return False
        self._renew(folder)
        return True

    def remove(self, folder: Path, name: str) -> None:
        """Raises ``StateUnavailable``."""
        self._documents.remove(name)
        self._renew(folder)

    def _renew(self, folder: Path) -> None:
        with self._turn, _alone(folder):
            self._seen = self._brought(folder, self._documents.contents())

    def _brought(self, folder: Path, contents: dict[str, bytes]) -> dict[str, bytes]:
        copies = _read_list(folder)
        there = set(_files(folder))
        for name in sorted(there - copies.keys() - contents.keys()):
            self._documents.put(name, (folder / name).read_bytes(), None)
            log.info("document_taken_over", name=name)
        contents = self._documents.contents()
        for name in copies.keys() - contents.keys():
            (folder / name).unlink(missing_ok=True)
        for name, body in contents.items():
            digest = hashlib.sha256(body).hexdigest()
            if name in there and copies.get(name) == digest:
                continue
            if name in there and name not in copies and (folder / name).read_bytes() != body:
                log.warning("document_differs", name=name, kept=f"{name}{_ASIDE}")
                (folder / name).rename(folder / f"{name}{_ASIDE}")
            _write(folder / name, body)
            copies[name] = digest
        kept = {name: digest for name, digest in copies.items() if name in contents}
        _write(folder / _LIST, msgspec.json.encode(kept))
        return contents


def _read_list(folder: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode((folder / _LIST).read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if not any(part.startswith(".") for part in name.parts) and not path.name.endswith(_ASIDE) and path.is_file():
            yield name.as_posix()


def _write(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    draft.write_bytes(body)
    draft.replace(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
