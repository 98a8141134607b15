"""Named documents that all machines share: files of the data folder, or commits of a book in the store.

Names are paths of our own making. A writer says what the document was, so that of two who change the same one
the second learns it. Every answer has all that was written before the question, on whichever machine.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from snowgauge.errors import StateUnavailable
from snowgauge.state.book import Book, Commit

_TRIES = 100
_SMALL = 65_536
"""Bytes of commits that are not worth being put together."""


class Documents(Protocol):
    """Safe for threads and processes. Every method raises ``StateUnavailable`` where nothing can be said."""

    def names(self, within: str) -> list[str]:
        """The names of the documents in a folder (``""``: of all), sorted."""

    def read(self, name: str) -> bytes | None:
        """What a document says; ``None``: there is none."""

    def contents(self, within: str) -> dict[str, bytes]:
        """Every document in a folder (``""``: of all) with what it says."""

    def put(self, name: str, body: bytes, expected: bytes | None) -> bool:
        """Write a document that says ``expected`` (``None``: that there is none of). ``False``: it says something
        else. Durable when it returns."""

    def remove(self, name: str) -> None:
        """Without it, and without anything that it ever said, from now on."""


class FolderDocuments:
    """Each document is a file of a folder, which is made at the first write. A file appears whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self, within: str) -> list[str]:
        try:
            return sorted(self._found(self.folder / within))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unavailable(error) from error

    def read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unavailable(error) from error

    def contents(self, within: str) -> dict[str, bytes]:
        found = {name: self.read(name) for name in self.names(within)}
        return {name: body for name, body in found.items() if body is not None}

    def put(self, name: str, body: bytes, expected: bytes | None) -> bool:
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            try:
                if expected is None:
                    os.link(draft, path)  # fails where another was faster
                else:
                    with self._alone():
                        if self.read(name) != expected:
                            return False
                        draft.replace(path)
            except FileExistsError:
                return False
            finally:
                draft.unlink(missing_ok=True)
            _sync(path.parent)
        except OSError as error:
            raise self._unavailable(error) from error
        return True

    def remove(self, name: str) -> None:
        path = self.folder / name
        try:
            with suppress(FileNotFoundError):
                path.unlink()
                _sync(path.parent)
        except OSError as error:
            raise self._unavailable(error) from error

    def _found(self, folder: Path) -> Iterator[str]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self._found(Path(entry.path))
                else:
                    yield str(Path(entry.path).relative_to(self.folder))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        lock = os.open(self.folder / ".documents.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _unavailable(self, error: OSError) -> StateUnavailable:
        return StateUnavailable(f"shared state: {self.folder}: {error.strerror or error}")


class MemoryDocuments:
    """The documents of this process alone. Not safe for threads."""

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        self._all = dict(contents or {})

    def names(self, within: str) -> list[str]:
        return sorted(self.contents(within))

    def read(self, name: str) -> bytes | None:
        return self._all.get(name)

    def contents(self, within: str) -> dict[str, bytes]:
        start = f"{within}/" if within else ""
        return {name: body for name, body in self._all.items() if name.startswith(start)}

    def put(self, name: str, body: bytes, expected: bytes | None) -> bool:
        if self._all.get(name) != expected:
            return False
        self._all[name] = body
        return True

    def remove(self, name: str) -> None:
        self._all.pop(name, None)


class SharedDocuments:
    """The documents of a book, kept in memory as of the last commit that was seen."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._lock = threading.Lock()
        self._number = 0
        self._all: dict[str, bytes] = {}
        self._whole_size = self._later_size = 0

    def names(self, within: str) -> list[str]:
        start = f"{within}/" if within else ""
        with self._lock:
            self._look()
            return sorted(name for name in self._all if name.startswith(start))

    def read(self, name: str) -> bytes | None:
        with self._lock:
            self._look()
            return self._all.get(name)

    def contents(self, within: str = "") -> dict[str, bytes]:
        start = f"{within}/" if within else ""
        with self._lock:
            self._look()
            return {name: body for name, body in self._all.items() if name.startswith(start)}

    def put(self, name: str, body: bytes, expected: bytes | None) -> bool:
        with self._lock:
            for _ in range(_TRIES):
                self._look()
                if self._all.get(name) != expected:
                    return False
                if self._committed({name: body}):
                    if self._later_size > max(_SMALL, self._whole_size):
                        self._put_together(self._all)
                    return True
        raise StateUnavailable(f"shared state: others keep changing the book {self._book.name}")

    def remove(self, name: str) -> None:
        with self._lock:
            for _ in range(_TRIES):
                self._look()
                left = {other: body for other, body in self._all.items() if other != name}
                if self._put_together(left):
                    return
        raise StateUnavailable(f"shared state: others keep changing the book {self._book.name}")

    def _look(self) -> None:
        for commit in self._book.after(self._number):
            self._apply(commit)

    def _committed(self, changes: dict[str, bytes | None]) -> bool:
        commit = self._book.append(self._number + 1, changes)
        if commit is not None:
            self._apply(commit)
        return commit is not None

    def _put_together(self, documents: dict[str, bytes]) -> bool:
        commit = self._book.append(self._number + 1, dict(documents), whole=True)
        if commit is None:
            return False
        self._apply(commit)
        self._book.forget(commit.number)
        return True

    def _apply(self, commit: Commit) -> None:
        if commit.whole:
            self._all = {}
            self._whole_size, self._later_size = commit.size, 0
        else:
            self._later_size += commit.size
        for name, body in commit.changes.items():
            if body is None:
                self._all.pop(name, None)
            else:
                self._all[name] = body
        self._number = commit.number


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
