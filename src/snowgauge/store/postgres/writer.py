"""Storing a batch exactly once.

Tables for new schemas come first, each change on its own. Then one transaction: the batch's line in the ledger, and
when it was new, everything else by COPY, straight into the tables. A batch that was being written by another worker
waits at the ledger for the other's end. What dies before COMMIT leaves nothing; what dies after finds the ledger.

Events that a client sent twice are left out before that (``duplicates``). The unique key of ``events`` (event_id,
collector_tstamp) catches replays under another batch id: COPY then fails, and the part is taken through a temporary
table instead, of which only the new events and their entities go on. Rows that
the database refuses for their data are found by halving, and become failed events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count as numbers
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from snowgauge.errors import StoreError, StoreUnavailable
from snowgauge.events.enriched import EnrichedEvent
from snowgauge.events.failed import FailedEvent, bad_row_schema
from snowgauge.events.selfdescribing import SchemaKey, SelfDescribing
from snowgauge.store.base import StoreBatch, WriteResult
from snowgauge.store.canonical import refusal, refused_event
from snowgauge.store.postgres.connection import (
    UNDEFINED_COLUMN,
    UNDEFINED_TABLE,
    Connections,
    about_data,
)
from snowgauge.store.postgres.duplicates import Duplicates, Overtaken
from snowgauge.store.postgres.layout import FAILED_WRITTEN, Layout
from snowgauge.store.postgres.naming import quote
from snowgauge.store.postgres.partitions import Partitions, month_of
from snowgauge.store.postgres.plans import Plan
from snowgauge.store.postgres.refusals import iglu_error, misfit_error
from snowgauge.store.postgres.rows import (
    EventRow,
    copy_events,
    copy_failed,
    entity_lines,
    event_columns,
    event_lines,
    event_row,
    failed_line,
    failed_link,
)
from snowgauge.store.postgres.tables import Problem, Tables
from snowgauge.store.postgres.values import Misfit
from snowgauge.telemetry.logs import logger
from snowgauge.telemetry.metrics import count

if TYPE_CHECKING:
    import psycopg

    from snowgauge.store.postgres.watched import WatchedConnection

log = logger("store")
_PIECE = 262_144
_TRIES = 4
_AGAIN = ("40001", "40P01")
"""Serialization failure, deadlock: the same transaction may well work now."""
_LAYOUT = (*UNDEFINED_TABLE, UNDEFINED_COLUMN)
_temporary = numbers(1)


class _Loadable(NamedTuple):
    """One event that fits its tables: its row, and its entities' lines with the plan of each."""

    event: EnrichedEvent
    row: EventRow
    entities: list[tuple[Plan, str]]


class Writer:
    """One per store; safe for threads."""

    def __init__(self, connections: Connections, layout: Layout, tables: Tables) -> None:
        self._connections = connections
        self._layout = layout
        self._tables = tables
        self._partitions = Partitions(connections, layout)

    def write(self, batch: StoreBatch) -> WriteResult:
        import psycopg

        for attempt in range(1, _TRIES + 1):
            good, refused = self._fitting(batch.events)
            incomplete, unfinished = self._rows(batch.incomplete)
            failed = [*batch.failed, *refused, *unfinished]
            if self._bad_rows:
                self._tables.prepare({_bad_row_key(one) for one in failed}, meta=False)
            if self._partitions.wanted({"events", *(plan.table for one in good for plan, _ in one.entities)}):
                self._partitions.ensure(
                    (table, month_of(one.row.tstamp))
                    for one in good
                    for table in ("events", *(plan.table for plan, _ in one.entities))
                )
            try:
                with self._connections.use() as connection:
                    result = self._transaction(connection, batch, good, refused, incomplete, unfinished)
                break
            except Overtaken as overtaken:
                if attempt == _TRIES:
                    raise StoreUnavailable(f"batch {batch.id} was overtaken by others again and again") from overtaken
            except StoreError as raised:
                cause = raised.__cause__
                code = cause.sqlstate if isinstance(cause, psycopg.Error) else None
                if attempt == _TRIES or code not in (*_AGAIN, *_LAYOUT):
                    raise
                if code in _LAYOUT:  # someone dropped a table or a column
                    self._tables.forget()
                    self._partitions.forget()
        if not result.repeated:
            count("store_rows", result.events, table="events")
            count("store_rows", result.failed + result.refused, table="failed_events")
            count("store_rows", result.incomplete, table="incomplete_events")
            if result.refused:
                count("store_refused", result.refused)
                log.warning("rows_refused", batch=batch.id, rows=result.refused)
        return result

    @property
    def _bad_rows(self) -> bool:
        return self._layout.settings.bad_row_tables

    def _fitting(self, events: Sequence[EnrichedEvent]) -> tuple[list[_Loadable], list[FailedEvent]]:
        """Apart: events with the rows that they become, and those that no table can hold."""
        problems = self._tables.prepare(_keys(events))
        good: list[_Loadable] = []
        refused: list[FailedEvent] = []
        seen: set[tuple[str, str]] = set()
        for event in events:
            row = _row(event)
            if isinstance(row, FailedEvent):
                refused.append(row)
                continue
            entities: list[tuple[Plan, str]] = []
            problem: FailedEvent | None = None
            for entity in _entities(event):
                problem = self._entity(event, entity, row.link, entities, problems)
                if problem is not None:
                    break
            if problem is not None:
                refused.append(problem)
            elif (key := (row.id, row.tstamp)) not in seen:
                seen.add(key)
                good.append(_Loadable(event, row, entities))
        return good, refused

    def _entity(
        self,
        event: EnrichedEvent,
        entity: SelfDescribing,
        link: str,
        lines: list[tuple[Plan, str]],
        problems: dict[SchemaKey, Problem],
    ) -> FailedEvent | None:
        """Add the entity's line; or say why its event cannot be stored."""
        key = entity.schema
        problem = problems.get(key)
        if problem is not None:
            return iglu_error(event, key, problem)
        plan = self._tables.plan(key)
        try:
            line = plan.entity_row(entity, link)
        except Misfit as misfit:
            recovered = self._tables.recovered(key)
            if recovered is None:
                return misfit_error(event, entity, misfit)
            plan = recovered
            try:
                line = plan.entity_row(entity, link)
            except Misfit as again:
                return misfit_error(event, entity, again)
        lines.append((plan, line))
        return None

    def _rows(self, events: Sequence[EnrichedEvent]) -> tuple[list[_Loadable], list[FailedEvent]]:
        """The same for incomplete events, whose entities have no tables."""
        found = [(event, _row(event)) for event in events]
        good = [_Loadable(event, row, []) for event, row in found if isinstance(row, EventRow)]
        return good, [row for _, row in found if isinstance(row, FailedEvent)]

    def _transaction(
        self,
        connection: WatchedConnection,
        batch: StoreBatch,
        good: Sequence[_Loadable],
        refused: Sequence[FailedEvent],
        incomplete: Sequence[_Loadable],
        unfinished: Sequence[FailedEvent],
    ) -> WriteResult:
        result = WriteResult(
            len(batch.events) - len(refused),
            len(batch.failed),
            len(batch.incomplete) - len(unfinished),
            len(refused),
        )
        with connection.transaction():
            connection.set_limit(self._layout.settings.load_timeout.total_seconds())
            before = self._first(connection, batch.id, result)
            if before is not None:
                return before
            duplicates = Duplicates(connection, self._layout)
            new = duplicates.without(good, _id_and_time)
            more = self._load(connection, "events", new)
            late = self._load(connection, "incomplete_events", incomplete)
            failed = [*batch.failed, *refused, *unfinished]
            failed += [refused_event(one.event, reason) for one, reason in (*more, *late)]
            self._load_failed(connection, failed)
            if more or late:
                result = msgspec.structs.replace(
                    result,
                    events=result.events - len(more),
                    incomplete=result.incomplete - len(late),
                    refused=result.refused + len(more),
                )
                connection.execute(
                    f"UPDATE {self._layout.batches} SET events = %s, incomplete = %s, refused = %s WHERE batch_id = %s",
                    (result.events, result.incomplete, result.refused, _id(batch.id)),
                )
            duplicates.settle()
        if len(new) < len(good):
            count("store_duplicates", len(good) - len(new))
        return result

    def _first(self, connection: psycopg.Connection[Any], batch_id: str, result: WriteResult) -> WriteResult | None:
        """Put the batch into the ledger; answers what the ledger says if it was there."""
        found = connection.execute(
            f"INSERT INTO {self._layout.batches} (batch_id, events, failed, incomplete, refused) "
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (batch_id) DO NOTHING RETURNING 1",
            (_id(batch_id), result.events, result.failed, result.incomplete, result.refused),
        ).fetchone()
        if found is not None:
            return None
        line = connection.execute(
            f"SELECT events, failed, incomplete, refused FROM {self._layout.batches} WHERE batch_id = %s",
            (_id(batch_id),),
        ).fetchone()
        if line is None:
            raise StoreUnavailable(f"batch {batch_id} left the ledger while it was read: write it again")
        events, failed, incomplete, refused = line
        return WriteResult(events, failed, incomplete, refused, repeated=True)

    def _load(
        self, connection: psycopg.Connection[Any], table: str, items: Sequence[_Loadable]
    ) -> list[tuple[_Loadable, str]]:
        """COPY; answers what the database refused, with its reason."""
        import psycopg

        if not items:
            return []
        try:
            try:
                with connection.transaction():
                    _copy(connection, copy_events(self._layout.name(table)), event_lines(one.row for one in items))
                    _copy_entities(connection, items)
            except psycopg.errors.UniqueViolation:
                with connection.transaction():
                    self._load_new(connection, table, items)
        except psycopg.Error as raised:
            if not about_data(raised.sqlstate):
                raise
            if len(items) == 1:
                return [(items[0], raised.diag.message_primary or str(raised))]
            middle = len(items) // 2
            return [
                *self._load(connection, table, items[:middle]),
                *self._load(connection, table, items[middle:]),
            ]
        return []

    def _load_new(self, connection: psycopg.Connection[Any], table: str, items: Sequence[_Loadable]) -> None:
        """Only the events that are not there yet, with their entities."""
        staging = quote(f"snowgauge_new_{next(_temporary)}")
        on = self._layout.name(table)
        connection.execute(
            f"CREATE TEMPORARY TABLE {staging} ON COMMIT DROP AS SELECT {event_columns()} FROM {on} LIMIT 0"
        )
        _copy(connection, copy_events(staging), event_lines(one.row for one in items))
        new = connection.execute(
            f"INSERT INTO {on} ({event_columns()}) SELECT {event_columns()} FROM {staging} "
            "ORDER BY event_id, collector_tstamp ON CONFLICT DO NOTHING "
            "RETURNING event_id::text, collector_tstamp::text"
        ).fetchall()
        connection.execute(f"DROP TABLE {staging}")
        keys = {(event_id, _same_form(tstamp)) for event_id, tstamp in new}
        _copy_entities(connection, [one for one in items if (one.row.id, _same_form(one.row.tstamp)) in keys])

    def _load_failed(self, connection: psycopg.Connection[Any], failed: Sequence[FailedEvent]) -> None:
        import psycopg

        rows = list({one.id: one for one in failed}.values())
        if not rows:
            return
        lines = entity_lines(map(failed_line, rows))
        try:
            with connection.transaction():
                _copy(connection, copy_failed(self._layout), lines)
        except psycopg.errors.UniqueViolation:
            rows = self._load_new_failed(connection, rows, lines)
        if self._bad_rows and rows:
            self._load_bad_rows(connection, rows)

    def _load_new_failed(
        self, connection: psycopg.Connection[Any], rows: Sequence[FailedEvent], lines: bytes
    ) -> list[FailedEvent]:
        staging = quote(f"snowgauge_failed_{next(_temporary)}")
        on = self._layout.name("failed_events")
        names = ", ".join(map(quote, FAILED_WRITTEN))
        connection.execute(f"CREATE TEMPORARY TABLE {staging} ON COMMIT DROP AS SELECT {names} FROM {on} LIMIT 0")
        _copy(connection, copy_failed(self._layout, staging), lines)
        new = connection.execute(
            f"INSERT INTO {on} ({names}) SELECT {names} FROM {staging} ORDER BY id "
            "ON CONFLICT (id) DO NOTHING RETURNING id::text"
        ).fetchall()
        connection.execute(f"DROP TABLE {staging}")
        ids = {row[0] for row in new}
        return [one for one in rows if one.id.lower() in ids]

    def _load_bad_rows(self, connection: psycopg.Connection[Any], rows: Sequence[FailedEvent]) -> None:
        """The tables of bad row types. They repeat what ``failed_events`` holds, so a row that one cannot take is left
        out of it."""
        import psycopg

        lines: dict[str, list[str]] = {}
        for one in rows:
            try:
                plan = self._tables.plan(_bad_row_key(one), meta=False)
                lines.setdefault(plan.copy, []).append(plan.row(one.data, failed_link(one)))
            except (KeyError, Misfit) as misfit:
                log.debug("bad_row_left_out", id=one.id, type=one.failure_type, reason=str(misfit)[:300])
        for copy, some in lines.items():
            try:
                with connection.transaction():
                    _copy(connection, copy, entity_lines(some))
            except psycopg.Error as raised:
                if not about_data(raised.sqlstate):
                    raise
                # the database's text may quote values of the rows
                log.warning("bad_rows_left_out", rows=len(some), code=raised.sqlstate)


def _row(event: EnrichedEvent) -> EventRow | FailedEvent:
    reason = refusal(event)
    if reason is None:
        try:
            return event_row(event)
        except Misfit as misfit:
            reason = str(misfit)
    return refused_event(event, reason)


def _entities(event: EnrichedEvent) -> Iterable[SelfDescribing]:
    """In the loader's order: contexts, derived contexts, the self-describing event."""
    own = event.unstruct_event
    return (*event.contexts, *event.derived_contexts, *((own,) if own is not None else ()))


def _keys(events: Iterable[EnrichedEvent]) -> set[SchemaKey]:
    return {entity.schema for event in events for entity in _entities(event)}


def _bad_row_key(failed: FailedEvent) -> SchemaKey:
    return SchemaKey.parse(bad_row_schema(failed.failure_type))


def _id_and_time(one: _Loadable) -> tuple[str, int]:
    return one.row.id, one.event.collector_tstamp or 0


def _id(batch_id: str) -> str:
    return batch_id.replace("\x00", "")


def _same_form(tstamp: str) -> str:
    """An instant without the zeros that PostgreSQL leaves out."""
    if "." not in tstamp:
        return tstamp
    text, _, era = tstamp.partition(" BC")
    return text.rstrip("0").rstrip(".") + (" BC" if tstamp.endswith("BC") else era)


def _copy_entities(connection: psycopg.Connection[Any], items: Sequence[_Loadable]) -> None:
    lines: dict[str, list[str]] = {}
    for one in items:
        for plan, line in one.entities:
            lines.setdefault(plan.copy, []).append(line)
    # in one order for all workers, so that none waits for another in a circle
    for copy in sorted(lines):
        _copy(connection, copy, entity_lines(lines[copy]))


def _copy(connection: psycopg.Connection[Any], statement: str, lines: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(lines), _PIECE):
            copy.write(lines[start : start + _PIECE])
