"""One door between the workers that store and the callers that must see the store standing still for a moment.

Workers of one machine go through it together (``storing``); an erasure or a backup goes through alone (``still``), when
no batch is half stored. Both are ``flock`` locks, dropped by the kernel when their process ends. A second lock in
front lets nobody overtake, so that the one who wants to be alone gets its turn while workers keep coming.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from snowgauge.errors import SnowgaugeError

_PAUSE = 0.02


class Gate:
    """The gate of one data folder. ``wait``: seconds after which ``still`` gives up."""

    def __init__(self, data_dir: Path, *, wait: float = 60) -> None:
        self._folder = data_dir
        self._wait = wait

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Held while a batch is being stored. Waits for an erasure's or a backup's short moment."""
        turn, door = self._open()
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            fcntl.flock(door, fcntl.LOCK_SH)
            fcntl.flock(turn, fcntl.LOCK_UN)
            yield
        finally:
            os.close(turn)
            os.close(door)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Held while nothing may be half stored. Raises ``SnowgaugeError`` when a batch does not end."""
        turn, door = self._open()
        until = time.monotonic() + self._wait
        try:
            for lock in (turn, door):
                while True:
                    try:
                        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        break
                    except BlockingIOError:
                        if time.monotonic() > until:
                            raise SnowgaugeError(
                                f"a batch has been stored for {self._wait:.0f} s and is not through, or another "
                                "erasure or backup runs: is the store up? Nothing was changed; try again"
                            ) from None
                        time.sleep(_PAUSE)
            yield
        finally:
            os.close(turn)
            os.close(door)

    def _open(self) -> tuple[int, int]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        turn = os.open(self._folder / "storing.turn.lock", flags, 0o600)
        return turn, os.open(self._folder / "storing.lock", flags, 0o600)
