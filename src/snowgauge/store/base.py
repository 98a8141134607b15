"""The contract of a store, in the parts that callers need; ``Store`` is all of them.

- ``BatchWriter``: a batch is stored whole or an exception says it was not; the same batch id a second time changes
  nothing, always. Rows that the database refuses are stored as failed events (type ``loader_runtime_error``) by the
  store itself and reported in the result; they never block the batch. Several processes may write at the same time.
- ``Reader`` answers the questions the actions ask, in values, the same on every store.
- ``FailedMarker`` changes what is known about failed events. With the two above it makes an ``EventStore``.
- ``Sql`` is free SQL in the store's own dialect, read-only unless said otherwise.
- ``Migrator`` brings the layout up to date, ``Upkeep`` describes and tends the database.
- ``HasFigures`` answers statements over the modelled tables (``store.figures``).
- ``HasLifetime`` gives the other end, where events leave again (``store.lifetime``).

A caller names the smallest part that it needs. A part that wraps a store wraps such a part, never all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent
from snowgauge.events.outcome import Enriched, Failed, Outcome

if TYPE_CHECKING:
    from snowgauge.store.figures import Figures
    from snowgauge.store.lifetime import Lifetime

EventKind = Literal["good", "failed", "incomplete"]
FailedStatus = Literal["open", "recovered", "dropped"]
"""``open``: it waits. ``recovered``: its events are stored. ``dropped``: a replay was told to drop all its events."""


class Part(msgspec.Struct, frozen=True):
    """Rows that are inserted together. ``number`` is the place of its first row, as it was before any was taken out."""

    number: int
    rows: int


class Parts(msgspec.Struct, frozen=True):
    """How the rows of a batch are cut into inserts (``store.cut``). ``further`` is the number of the first failed event
    that the store makes itself, of a row it refuses."""

    events: list[Part]
    failed: list[Part]
    incomplete: list[Part]
    further: int = 0


class StoreBatch(msgspec.Struct):
    """What one log batch became. ``id`` is the log batch's id.

    ``format`` is the rule by which a store cuts it into inserts; ``parts`` is that cut, once rows were taken out.
    """

    id: str
    events: list[EnrichedEvent] = msgspec.field(default_factory=list)
    failed: list[FailedEvent] = msgspec.field(default_factory=list)
    incomplete: list[EnrichedEvent] = msgspec.field(default_factory=list)
    format: int = 1
    parts: Parts | None = None

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Each outcome's rows where they belong; nothing of what was dropped on purpose."""
        for outcome in outcomes:
            match outcome:
                case Enriched():
                    self.events.append(outcome.event)
                case Failed():
                    self.failed.append(outcome.failure)
                    if outcome.incomplete is not None:
                        self.incomplete.append(outcome.incomplete)


class WriteResult(msgspec.Struct, frozen=True):
    """``events`` + ``refused`` = the batch's events. ``repeated``: the batch had been stored before."""

    events: int
    failed: int
    incomplete: int
    refused: int = 0
    repeated: bool = False


class Migration(msgspec.Struct, frozen=True):
    version: int
    name: str
    applied_at: str | None = None


class QueryResult(msgspec.Struct, frozen=True):
    columns: Sequence[str]
    types: Sequence[str]
    rows: Sequence[Sequence[Any]]
    truncated: bool = False


class Filter(msgspec.Struct, frozen=True):
    """One condition on a column of the canonical event (or of the failed events), or on one inside of its
    self-describing data (see ``store.nested``): ``values`` are alternatives.

    An event meets ``in`` and ``contains`` on a nested column with any of its values there. ``contains`` is without
    regard to case. ``none`` is not set, ``some`` is set.
    """

    column: str
    op: Literal["in", "not_in", "contains", "gte", "gt", "lte", "lt", "none", "some"] = "in"
    values: Sequence[str | int | float | bool] = ()


class Selection(msgspec.Struct, frozen=True):
    """Which events: collector time from ``since`` (inclusive) to ``until`` (exclusive), ms, and all filters.

    ``any_of``: where there are such, at least one of them, too.
    """

    since: int | None = None
    until: int | None = None
    filters: Sequence[Filter] = ()
    any_of: Sequence[Filter] = ()


class Bucket(msgspec.Struct, frozen=True):
    """``key`` is what was grouped by (``None``: not set), ``count`` distinct events."""

    key: Any
    count: int
    first: int | None = None
    last: int | None = None


class FailedUpdate(msgspec.Struct, frozen=True):
    """What a replay made of a failed event. Every update is one attempt more.

    ``at`` is when, in ms; ``run`` by which run; ``note`` the outcome in words; ``into`` the ids of the events made.
    ``message`` and ``schema`` are the cause as it is now, where it is another than it was: the group follows them.
    """

    id: str
    status: FailedStatus
    at: int
    run: str
    note: str = ""
    into: Sequence[str] = ()
    message: str | None = None
    schema: str | None = None


class Reader(Protocol):
    def count(self, kind: EventKind, selection: Selection) -> int:
        """How many events (distinct event ids for good and incomplete, rows for failed).

        Here and below, a store may count rows where millions of events are selected: an event that was sent twice then
        counts twice for as long as both rows are there.
        """

    def events(
        self,
        kind: EventKind,
        selection: Selection,
        *,
        limit: int = 100,
        offset: int = 0,
        newest_first: bool = True,
        columns: Collection[str] | None = None,
    ) -> list[dict[str, Any]]:
        """Whole events as canonical JSON values (for failed: the columns of FailedEvent, plus ``bad_row``).

        ``columns``: those that are needed; others may be missing, but for id and times.
        """

    def event(self, event_id: str) -> dict[str, Any] | None:
        """One good event by its id."""

    def failed_event(self, failed_id: str) -> dict[str, Any] | None: ...

    def failed_events(self, selection: Selection) -> Iterator[dict[str, Any]]:
        """All failed events of a selection, oldest first, read piece by piece.

        Rows may be updated meanwhile; none is left out or given twice for that.
        """

    def stored(self, events: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
        """Which of these pairs of event id and collector_tstamp (ms) are among the good events."""

    def count_by(self, kind: EventKind, column: str, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        """Counts per value of one column, largest first; of a nested column an event counts for each of its values."""

    def entity_counts(self, kind: EventKind, selection: Selection, *, limit: int = 100) -> list[Bucket]:
        """Events per schema of the entities that they carry, the tracker's and those of enrichments, largest first.

        ``key`` is the schema's URI, never anything of an entity's data. Not for failed events.
        """

    def timeline(self, kind: EventKind, selection: Selection, *, seconds: int) -> list[Bucket]:
        """Counts per interval; ``key`` is its start in ms; intervals without events are left out."""


class BatchWriter(Protocol):
    def write(self, batch: StoreBatch) -> WriteResult:
        """Raises ``StoreUnavailable`` when nothing can be said about the batch: write it again."""


class FailedMarker(Protocol):
    def mark_failed(self, updates: Sequence[FailedUpdate]) -> int:
        """Change what is known about failed events, and nothing else of them; returns how many were found.

        Raises ``StoreUnavailable``; some may be changed then.
        """


class EventStore(Reader, BatchWriter, FailedMarker, Protocol):
    """What moves events about: it finds them, stores what becomes of them, and marks them."""


SqlDialect = Literal["clickhouse", "postgres", "none"]


class Sql(Protocol):
    dialect: SqlDialect

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        max_rows: int | None = None,
        timeout: float | None = None,
        read_only: bool = True,
    ) -> QueryResult:
        """Free SQL. Raises ``QueryRefused`` for anything that writes (unless allowed), fails or takes too long."""

    def export_raw(self, sql: str, fmt: str, parameters: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """A read-only query's result in one of the formats json, csv, tsv, parquet, streamed."""

    def prepared(self, sql: str) -> str:
        """A statement with placeholders ``{name:Type}`` as ``query`` and ``export_raw`` take it, with parameters."""


class Migrator(Protocol):
    def migrate(self) -> list[Migration]:
        """Bring the database to this version's layout; returns what was applied (empty: nothing to do)."""

    def migrations(self) -> list[Migration]:
        """Every migration known, with the time it was applied."""


class Upkeep(Protocol):
    def status(self) -> dict[str, Any]:
        """What the database is and can do, as short texts and numbers for people."""

    def vacuum(self) -> list[str]:
        """Let deleted rows leave the disk, and refresh statistics; the names of the tables tended."""


class HasLifetime(Protocol):
    """What can let go of the events that it holds."""

    def lifetime(self) -> Lifetime: ...


class HasFigures(Protocol):
    """What has modelled tables to ask."""

    def figures(self) -> Figures:
        """Raises ``QueryRefused`` where there are no such tables."""


class Store(EventStore, Sql, Migrator, Upkeep, HasLifetime, HasFigures, Protocol):
    def ready(self) -> bool:
        """Can it be asked and written to now?"""

    def close(self) -> None: ...
