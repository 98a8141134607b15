"""Room on the disk for emptying the event log, kept while there is some and given up when there is none.

What a batch became is written down before it is stored: a disk without room for that would never get emptier. So the
log refuses new entries while little is free, batches are cut to what is free, and a file holds room back from whatever
else fills the disk.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from snowgauge.telemetry.logs import logger

log = logger("eventlog")

JOURNAL_FACTOR = 64
"""Bytes that are written down for one byte of a payload, at most. About one for what trackers send; a request of very
many tiny events, each of which gets a row of its own with all that is known of the request, comes near this."""


def least_free_bytes(largest_record: int) -> int:
    """What has to stay free so that an entry of ``largest_record`` bytes can always be stored: the half of it that is
    held back is enough for what becomes of it."""
    return 2 * JOURNAL_FACTOR * largest_record


class Reserve:
    """A file in ``folder``, which is on the disk where results are written down, of half of ``min_free_bytes``.

    All processes of a deployment share it; the file itself says whether it is held.
    """

    def __init__(self, folder: Path, min_free_bytes: int) -> None:
        self.folder = folder
        self._file = folder / "reserve"
        self._min_free = min_free_bytes
        self._size = min_free_bytes // 2

    def free_bytes(self) -> int:
        stats = os.statvfs(self.folder)
        return stats.f_bavail * stats.f_frsize

    def batch_bytes(self) -> int:
        """How large a batch may be for its results to find room."""
        return max(1, self.free_bytes() // JOURNAL_FACTOR)

    def keep(self) -> None:
        """Hold the room if the disk has plenty, give it up if it has little. Raises ``OSError``."""
        free = self.free_bytes()
        if self._file.exists():
            if free < self._size // 2:
                self.release()
        elif self._size and free >= self._min_free + self._size:
            self._hold()

    def release(self) -> bool:
        """Whether there was any room to give up."""
        try:
            self._file.unlink()
        except FileNotFoundError:
            return False
        log.warning("eventlog_reserve_used", bytes=self._size, cure="free disk space in the data folder")
        return True

    def _hold(self) -> None:
        draft = self._file.with_name(f"reserve.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                if sys.platform == "linux":
                    os.posix_fallocate(file.fileno(), 0, self._size)
                else:
                    for _ in range(0, self._size, 1024**2):
                        file.write(bytes(1024**2))
            draft.rename(self._file)
        except OSError as error:  # someone else took the room first
            log.warning("eventlog_reserve_not_held", bytes=self._size, reason=str(error))
            with suppress(OSError):
                draft.unlink()
