"""Certificates that could not be had: remembered on disk, with a pause that doubles, so that no restart asks too soon.

Let's Encrypt allows five failed validations per name and hour; a restart loop would use them up in seconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from snowgauge.pipeline.proxy.private_files import write_private

LONGEST_PAUSE = timedelta(days=1)


class Failure(msgspec.Struct, frozen=True):
    """The last failed order of a name."""

    count: int
    reason: str
    cure: str
    at: datetime
    again: datetime


class _File(msgspec.Struct):
    directory: str
    failures: dict[str, Failure] = {}


class Orders:
    """The failures of one authority's orders. ``directory`` is the authority: another one begins without failures.

    May be used by several threads and, on one file, by several processes at once: no change undoes another's.
    """

    def __init__(self, file: Path, directory: str, first_pause: timedelta) -> None:
        self._file = file
        self._directory = directory
        self._first_pause = first_pause
        self._seen: tuple[int, int] | None = None
        self._failures: dict[str, Failure] = {}
        self._lock = threading.Lock()
        self.reload()

    @property
    def failures(self) -> Mapping[str, Failure]:
        return self._failures

    def reload(self) -> bool:
        """Read the file if someone else changed it. Did they?"""
        with self._lock:
            return self._reload()

    def _reload(self) -> bool:
        try:
            stat = self._file.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            if seen == self._seen:
                return False
            stored = msgspec.json.decode(self._file.read_bytes(), type=_File)
        except FileNotFoundError:
            changed, self._seen, self._failures = self._seen is not None, None, {}
            return changed
        except (msgspec.DecodeError, OSError):
            return False  # damaged: it is rewritten with the next failure
        self._seen = seen
        self._failures = stored.failures if stored.directory == self._directory else {}
        return True

    def may_order(self, names: Iterable[str], now: datetime) -> set[str]:
        """Names without a failure, or whose pause is over."""
        return {name for name in names if name not in self._failures or self._failures[name].again <= now}

    def failed(self, name: str, reason: str, cure: str, now: datetime) -> Failure:
        """Note a failure. One that comes while the pause still runs was begun before it, and does not count again."""
        with self._changing():
            last = self._failures.get(name)
            if last is not None and last.again > now:
                return last
            count = last.count + 1 if last else 1
            pause = min(self._first_pause * 2 ** min(count - 1, 20), LONGEST_PAUSE)
            found = Failure(count, reason, cure, now, now + pause)
            self._failures = {**self._failures, name: found}
            self._save()
            return found

    def forget(self, names: Iterable[str]) -> None:
        """These have a certificate now, or shall be tried at once."""
        gone = set(names)
        if not gone:
            return
        with self._changing():
            left = {name: failure for name, failure in self._failures.items() if name not in gone}
            if left != self._failures:
                self._failures = left
                self._save()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Alone with the file, and with what it says now."""
        lock = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        with self._lock, open(lock, "wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self._reload()
            yield

    def _save(self) -> None:
        write_private(self._file, msgspec.json.encode(_File(self._directory, self._failures)))
        stat = self._file.stat()
        self._seen = (stat.st_mtime_ns, stat.st_size)
