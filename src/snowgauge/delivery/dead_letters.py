"""Dead letters: rows that a sink's destination refused, kept with the reason until someone sends them again.

A letter is a file of rows as the journal writes them, not the request that was made of them: an erasure finds it like
every other file below the folder of the sinks, and what is sent again is made by the settings as they are then.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from snowgauge.delivery import journal
from snowgauge.delivery.contract import Processed, Refusal, Sink
from snowgauge.delivery.place import now_ms
from snowgauge.errors import ActionRefused, SinkUnavailable
from snowgauge.events.outcome import Tally
from snowgauge.store.base import StoreBatch
from snowgauge.telemetry.metrics import count

_LONGEST_REASON = 2000
_LOOK_AGAIN = 60.0


class _About(msgspec.Struct):
    at: int
    attempts: int
    reason: str


class Letter(msgspec.Struct, frozen=True):
    """``at`` is when it was refused first (ms), ``attempts`` how often since, ``events`` how many rows it holds."""

    id: str
    at: int
    attempts: int
    reason: str
    events: int


class Replayed(msgspec.Struct, frozen=True):
    """Letters by what came of them. ``trouble`` is why the rest stayed, if any did."""

    delivered: int
    refused: int
    left: int
    trouble: str = ""


class DeadLetters:
    """The letters of all sinks, in a folder for each. Several processes may use them at the same time."""

    def __init__(self, folder: Path, *, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._bytes = 0
        self._counted_at = float("-inf")

    def put(self, sink: str, refusal: Refusal) -> None:
        """Keep it; durable when this returns. The same rows again are one attempt more.

        Raises ``SinkUnavailable`` where there is no room, so that the sink waits.
        """
        file = self._file(sink, refusal.batch.id)
        before = _about(file)
        try:
            self._make_sure_of_room(file)
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            journal.keep(file, Processed(refusal.batch, Tally()))
            about = _About(
                now_ms() if before is None else before.at,
                1 if before is None else before.attempts + 1,
                refusal.reason[:_LONGEST_REASON],
            )
            draft = file.with_suffix(".json.new")
            draft.write_bytes(msgspec.json.encode(about))
            draft.replace(file.with_suffix(".json"))
            self._bytes += file.stat().st_size
        except OSError as error:
            raise SinkUnavailable(f"dead letters cannot be written: {error}") from error
        if before is None:
            count("sink_dead_letters", sink=sink)

    def letters(self, sink: str) -> Iterator[Letter]:
        """In the order in which they were refused first."""
        found = [(_about(file) or _About(0, 1, ""), file) for file in (self._folder / sink).glob("*.batch")]
        for about, file in sorted(found, key=lambda pair: (pair[0].at, pair[1].name)):
            processed = journal.read(file)
            if processed is not None:
                rows = processed.batch
                events = len(rows.events) + len(rows.failed) + len(rows.incomplete)
                yield Letter(file.stem, about.at, about.attempts, about.reason, events)

    def sinks(self) -> list[str]:
        """Those that have, or had, letters."""
        return sorted(path.name for path in self._folder.glob("*") if path.is_dir())

    def count(self, sink: str) -> int:
        return sum(1 for _ in (self._folder / sink).glob("*.batch"))

    def rows(self, sink: str, letter: str) -> StoreBatch:
        """Raises ``ActionRefused`` where there is no such letter."""
        file = self._file(sink, letter)
        processed = journal.read(file) if file.parent == self._folder / sink else None
        if processed is None:
            raise ActionRefused(f"sink {sink} has no dead letter {letter[:60]!r}", status=404)
        return processed.batch

    def discard(self, sink: str, ids: Collection[str] | None = None) -> int:
        """Delete letters, all where no ``ids`` are given; how many there were."""
        chosen = self._chosen(sink, ids)
        with self._alone(sink):
            for letter in chosen:
                self._remove(sink, letter.id)
        return len(chosen)

    def replay(
        self,
        sink: str,
        through: Sink,
        keep: Callable[[StoreBatch], StoreBatch],
        ids: Collection[str] | None = None,
    ) -> Replayed:
        """Hand letters to the sink again, all where no ``ids`` are given, until it cannot be reached."""
        chosen = self._chosen(sink, ids)
        delivered = refused = 0
        with self._alone(sink):
            for letter in chosen:
                try:
                    refusals = through.deliver(keep(self.rows(sink, letter.id)))
                except SinkUnavailable as error:
                    left = len(chosen) - delivered - refused
                    return Replayed(delivered, refused, left, str(error))
                for refusal in refusals:
                    self.put(sink, refusal)
                if letter.id not in {refusal.batch.id for refusal in refusals}:
                    self._remove(sink, letter.id)
                refused += bool(refusals)
                delivered += not refusals
        return Replayed(delivered, refused, 0)

    def _chosen(self, sink: str, ids: Collection[str] | None) -> list[Letter]:
        letters = list(self.letters(sink))
        if ids is None:
            return letters
        unknown = set(ids) - {letter.id for letter in letters}
        if unknown:
            raise ActionRefused(f"sink {sink} has no dead letter {min(unknown)[:60]!r}", status=404)
        return [letter for letter in letters if letter.id in ids]

    def _file(self, sink: str, letter: str) -> Path:
        return self._folder / sink / f"{letter}.batch"

    def _remove(self, sink: str, letter: str) -> None:
        file = self._file(sink, letter)
        file.unlink(missing_ok=True)
        file.with_suffix(".json").unlink(missing_ok=True)
        self._counted_at = float("-inf")

    def _make_sure_of_room(self, file: Path) -> None:
        if self._bytes >= self._most_bytes or time.monotonic() - self._counted_at > _LOOK_AGAIN:
            self._bytes = sum(path.stat().st_size for path in self._folder.rglob("*.batch"))
            self._counted_at = time.monotonic()
        if self._bytes >= self._most_bytes and not file.exists():
            raise SinkUnavailable(
                f"dead letters take {self._bytes} bytes, and sinks.dead_letter_bytes is {self._most_bytes}: see "
                "`snowgauge sinks show`, then send them again or discard them"
            )

    @contextmanager
    def _alone(self, sink: str) -> Iterator[None]:
        folder = self._folder / sink
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ActionRefused(
                    f"dead letters of sink {sink} are being sent again or discarded already", status=409, retry_after=10
                ) from None
            yield


def _about(file: Path) -> _About | None:
    try:
        return msgspec.json.decode(file.with_suffix(".json").read_bytes(), type=_About)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
