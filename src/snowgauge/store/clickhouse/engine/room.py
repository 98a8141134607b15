"""Room on the engine's disk, and what is done where it ran out while something was being written.

What the library cannot write because the disk is full it takes for written (measured, chDB 4.4: it goes on after
``write`` has failed). An insert is confirmed whose part has empty files, a merge replaces good parts by such a one, and
the definition of a table becomes an empty file, with which the folder cannot be opened any more. So nothing begins
without room to spare, and what was under way when the room ran out is proven afterwards: merges stop, statements that
wrote meanwhile are refused, and where a file is shorter than the engine believes the process ends. The next start
leaves such parts aside and takes those they were merged of, which lie there for eight minutes more.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from snowgauge.store.clickhouse.engine.definitions import Definitions
from snowgauge.store.clickhouse.engine.exceptions import error
from snowgauge.telemetry.logs import logger

log = logger("clickhouse")
_LOOK_EVERY = 0.05
_PATIENCE = 30.0
"""Seconds that a statement waits for the proof once there is room."""
_PROVE_EVERY = 30.0
"""Seconds between two proofs while statements go on; less than parts that were merged are kept."""
_WRITTEN_BEFORE = 600
"""Seconds before a shortage whose parts are proven, too: what was begun then can have been ended in it."""
_NEVER_EMPTY = ("checksums.txt", "columns.txt", "count.txt")


class Room:
    """The room on one disk, and who writes to it. Safe for threads.

    From the moment when room was seen to be short until ``again`` nothing may begin to write.
    """

    def __init__(self, path: Path, least: int) -> None:
        self._path = path
        self._least = least
        self._lock = threading.Lock()
        self._proven = threading.Event()
        self._proven.set()
        self._shortages = 0
        self.writing = 0

    def missing(self) -> str:
        """Why nothing may be written now; empty: there is room."""
        free = shutil.disk_usage(self._path).free
        if free < self._least:
            with self._lock:
                self._shortages += self._proven.is_set()
                self._proven.clear()
            return (
                f"its disk has {free} bytes free, clickhouse.engine.min_free_bytes = {self._least} have to stay free; "
                "it is written to again when there is room"
            )
        return "" if self._proven.is_set() else "its disk was full; what was written meanwhile is being looked at"

    def again(self) -> bool:
        """What was written is proven: go on, unless room is short now."""
        self._proven.set()
        return not self.missing()

    @contextmanager
    def needed(self) -> Iterator[None]:
        """A statement that writes. Raises ``EngineError`` where room is short now, or was at a moment of it."""
        if shutil.disk_usage(self._path).free >= self._least:
            self._proven.wait(_PATIENCE)
        with self._lock:
            self.writing += 1
            before = self._shortages
        try:
            if reason := self.missing():
                raise error(243, "NOT_ENOUGH_SPACE", f"Nothing is written: {reason}")
            yield
            if (reason := self.missing()) or self._shortages != before:
                raise error(243, "NOT_ENOUGH_SPACE", f"It may not be written whole: {reason or 'its disk was full'}")
        finally:
            with self._lock:
                self.writing -= 1


class RoomKeeper:
    """The thread that looks at the room. ``query`` asks the engine; ``give_up`` ends the process."""

    def __init__(
        self, room: Room, definitions: Definitions, query: Callable[[str], str], give_up: Callable[[], Any]
    ) -> None:
        self._room = room
        self._definitions = definitions
        self._query = query
        self._give_up = give_up
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clickhouse-room", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_EVERY):
            if self._room.missing():
                try:
                    self._sit_out()
                except RuntimeError as raised:  # asked again at the next look
                    log.warning("room_not_proven", reason=str(raised)[:300])

    def _sit_out(self) -> None:
        """Until there is room again and all that was written in between is whole."""
        since = time.time()
        self._query("SYSTEM STOP MERGES")
        log.warning("engine_disk_full", effect="nothing is written until there is room", reason=self._room.missing())
        proven = 0.0
        quiet = False
        while not self._stop.wait(_LOOK_EVERY):
            was_quiet, quiet = quiet, not (self._room.writing or int(self._query("SELECT count() FROM system.merges")))
            if (quiet and not was_quiet) or time.monotonic() - proven > _PROVE_EVERY:
                self._prove(since)
                proven = time.monotonic()
            # the room must have been there before the last proof, or something may still have failed after it
            elif quiet and self._room.again():
                break
        self._query("SYSTEM START MERGES")
        log.info("engine_writes_again")

    def _prove(self, since: float) -> None:
        broken = self._definitions.broken() + self._broken_parts(int(time.time() - since) + _WRITTEN_BEFORE)
        if broken:
            log.error(
                "engine_disk_full", effect="the engine starts again without them; nothing stored is lost",
                reason="the disk was full while these were written", files=broken[:20],
            )  # fmt: skip
            self._give_up()

    def _broken_parts(self, seconds: int) -> list[str]:
        """Parts of so long ago at most that are shorter than the engine believes."""
        rows = self._query(
            "SELECT path, bytes_on_disk FROM system.parts WHERE active AND disk_name = 'default' "
            f"AND modification_time >= now() - {seconds}"
        )
        found = (line.split("\t") for line in rows.splitlines())
        return [path for path, size in found if _shorter(Path(path), int(size))]


def _shorter(part: Path, size: int) -> bool:
    real = 0
    with suppress(FileNotFoundError):  # merged and gone meanwhile
        for folder, _, names in os.walk(part):
            for name in names:
                length = (Path(folder) / name).stat().st_size
                if not length and name in _NEVER_EMPTY:
                    return True
                real += length
        return part.is_dir() and real < size
    return False
