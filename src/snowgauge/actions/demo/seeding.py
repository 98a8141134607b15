"""Made-up traffic into the store, through the same enricher and in the same batches as real traffic; and out again.

Each batch has an id of its own, made of the seed and its number, and a store takes an id once. So a run that broke off
is gone on with, and a run that was made before adds nothing. When the seeded time ends is written down at the first
run of a seed, else the second run would be of other days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec

from snowgauge.actions.demo import APP_ID
from snowgauge.actions.demo.traffic import Traffic
from snowgauge.enrich.enricher import Enricher
from snowgauge.errors import SnowgaugeError
from snowgauge.events import payload_record
from snowgauge.events.outcome import Tally
from snowgauge.store.base import BatchWriter, EventKind, StoreBatch
from snowgauge.store.lifetime import Apps, Lifetime

_TOGETHER = 4000
"""Requests of a batch, about as many as a worker takes at a time."""
_PROCESSING = 700
_MINUTE, _DAY = 60_000, 86_400_000


class Totals(msgspec.Struct):
    """``requests`` = ``events`` + ``failed`` + ``dropped`` + ``repeated``; every request holds one event.

    ``repeated`` had been stored by an earlier run; ``dropped`` by an enrichment.
    """

    visits: int = 0
    requests: int = 0
    events: int = 0
    failed: int = 0
    dropped: int = 0
    repeated: int = 0


class Cleared(msgspec.Struct, frozen=True):
    """Rows that were taken out."""

    events: int
    failed: int
    incomplete: int


class _Book(msgspec.Struct):
    """``ends``: when each seed's time ends. ``cleared``: how often all was taken out; batches have new ids then."""

    cleared: int = 0
    ends: dict[str, int] = {}


class SeedBook:
    """What was seeded in one deployment: ``demo.json`` of its data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "demo.json"

    def begin(self, name: str, now: int) -> tuple[str, int]:
        """The prefix of the seed's batch ids, and when its time ends (ms)."""
        book = self._read()
        end = book.ends.setdefault(name, now // _MINUTE * _MINUTE)
        self._write(book)
        return f"demo/{book.cleared}/{name}", end

    def clear(self) -> None:
        """From now on every seed is a new one."""
        self._write(_Book(self._read().cleared + 1))

    def _read(self) -> _Book:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Book)
        except FileNotFoundError:
            return _Book()
        except msgspec.MsgspecError as error:
            raise SnowgaugeError(f"{self._file} cannot be read ({error}): run `snowgauge demo clear`") from None

    def _write(self, book: _Book) -> None:
        draft = self._file.with_suffix(".new")
        draft.write_bytes(msgspec.json.encode(book))
        draft.replace(self._file)


def seed(
    store: BatchWriter,
    enricher: Enricher,
    book: SeedBook,
    *,
    number: int,
    days: int,
    visitors: int,
    now: int,
    progress: Callable[[int, int, Totals], None] = lambda *_: None,
    gate: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Totals:
    """Fill the store. ``progress`` is told visits done, visits in all, and the sums. ``gate`` is held while storing.

    Raises ``StoreUnavailable``: run it again to go on.
    """
    prefix, until = book.begin(f"{number}-{days}-{visitors}", now)
    traffic = Traffic(seed=number, days=days, visitors=visitors, until=until)
    totals = Totals()
    for batch, tally in _batches(traffic, enricher, prefix, totals, progress):
        with gate():
            repeated = store.write(batch).repeated
        if repeated:
            totals.repeated += tally.events
        else:
            totals.events += tally.enriched
            totals.failed += tally.failed
            totals.dropped += tally.dropped
        progress(totals.visits, len(traffic.visits), totals)
    return totals


def _batches(
    traffic: Traffic,
    enricher: Enricher,
    prefix: str,
    totals: Totals,
    progress: Callable[[int, int, Totals], None],
) -> Iterator[tuple[StoreBatch, Tally]]:
    """Batches, and what became of the requests of each."""
    batch, tally = StoreBatch(f"{prefix}/0"), Tally()
    for visit in traffic.requests():
        for request in visit:
            seed = f"{prefix}/{totals.requests}"
            at = request.timestamp + _PROCESSING
            outcomes = enricher.process(payload_record.encode(request), seed, at=at)
            batch.add(outcomes)
            tally.count(outcomes)
            totals.requests += 1
        totals.visits += 1
        if tally.records >= _TOGETHER:
            yield batch, tally
            batch, tally = StoreBatch(f"{prefix}/{totals.requests}"), Tally()
        elif totals.visits % 50 == 0:
            progress(totals.visits, len(traffic.visits), totals)
    if tally.records:
        yield batch, tally


def clear(
    lifetime: Lifetime, book: SeedBook, now: int, gate: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Cleared:
    """Take every event of the demo's application out, and nothing else. ``gate`` keeps all others from storing."""
    kinds: tuple[EventKind, ...] = ("good", "failed", "incomplete")
    apps = Apps([APP_ID], "only")
    with gate():
        events, failed, incomplete = (lifetime.expire(kind, now + _DAY, apps).rows for kind in kinds)
    lifetime.settle()
    book.clear()
    return Cleared(events, failed, incomplete)
